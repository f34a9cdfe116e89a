//! The exit values, as QEMU turns them into exit statuses.

use abi::exit::GuestExit;

#[test]
fn every_exit_has_a_status_of_its_own_that_qemu_never_uses() {
    let status = |exit: GuestExit| exit.value() << 1 | 1;
    let mut statuses: Vec<_> = GuestExit::ALL.into_iter().map(status).collect();
    assert_eq!(statuses[0], 33);
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses.len(), GuestExit::ALL.len());
    assert!(!statuses.contains(&0) && !statuses.contains(&1));
}

#[test]
fn a_value_stands_for_the_exit_that_writes_it_and_others_for_none() {
    for value in 0..=u8::MAX {
        let exit = GuestExit::ALL.into_iter().find(|exit| exit.value() == value);
        assert_eq!(GuestExit::from_value(value), exit);
    }
}
