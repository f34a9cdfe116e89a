extern crate std;

use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

const PLAN: &[u8] = b"ASSAY-PLAN2\n\
    plan experiment=t linger_ms=0 challenge=00000000000000aa\n\
    workload name=primes sha256=0000000000000000000000000000000000000000000000000000000000000000 authority=exit\n\
    control kind=none target=0\n\
    case workers=1 iterations=1 timeout_ms=1000\n\
    split worker=0 p0=2 p1=9 p2=0 p3=0 answer=4 work=7 digest=0000000000000001\n";
const PLACE: Place = Place { number: 3, after: Hex64(0x5eed) };

fn exec(place: Place, plan: &[u8]) -> Vec<u8> {
    let mut line = String::new();
    write_exec(&mut line, place, plan).expect("a String takes all");
    line.into_bytes()
}

/// Why a line is refused at [`PLACE`].
fn refused(mut line: Vec<u8>) -> RefusedFor {
    read(&mut line, PLACE).expect_err("refused").reason
}

/// A line with this text and the right checksum.
fn summed(text: &str) -> Vec<u8> {
    let mut line = String::from(text);
    write_checksum(&mut line).expect("a String takes all");
    line.into_bytes()
}

#[test]
fn reads_what_it_writes() {
    let mut line = exec(PLACE, PLAN);
    match read(&mut line, PLACE) {
        Ok(Command { order: Order::Exec(plan), plan: bytes }) => {
            assert_eq!((bytes, plan.head.challenge), (PLAN, Hex64(0xaa)));
        }
        other => panic!("{other:?}"),
    }
    let written = |write: &dyn Fn(&mut String) -> fmt::Result| {
        let mut line = String::new();
        write(&mut line).expect("a String takes all");
        line.into_bytes()
    };
    let hold = Hold { memory_mib: 64, timer_ms: 5000 };
    let mut line = written(&|out| write_hold(out, PLACE, hold));
    assert!(
        matches!(read(&mut line, PLACE), Ok(Command { order: Order::Hold(read), plan: [] }) if read == hold)
    );
    let mut line = written(&|out| write_check(out, PLACE, Spoilt::Apic));
    assert!(matches!(read(&mut line, PLACE), Ok(Command { order: Order::Check(Spoilt::Apic), .. })));
}

#[test]
fn a_command_fits_one_place_only() {
    for (place, reason) in [
        (Place { after: Hex64(0x5eee), ..PLACE }, RefusedFor::Replayed),
        (Place { number: 2, ..PLACE }, RefusedFor::OutOfOrder),
        (Place { number: 4, ..PLACE }, RefusedFor::OutOfOrder),
    ] {
        assert_eq!(refused(exec(place, PLAN)), reason, "{place:?}");
    }
}

#[test]
fn each_fault_has_its_reason() {
    let with_plan =
        |plan: &str| summed(&std::format!("ASSAY1 seq=3 ts=- ev=exec after=0000000000005eed plan={plan} "));
    for (line, reason) in [
        (b"".to_vec(), RefusedFor::Malformed),
        (b"reboot".to_vec(), RefusedFor::Malformed),
        (summed("ASSAY2 seq=3 ts=- ev=exec after=0000000000005eed plan=- "), RefusedFor::Malformed),
        (summed("ASSAY1 seq=03 ts=- ev=exec after=0000000000005eed plan=- "), RefusedFor::Malformed),
        (summed("ASSAY1 seq=3 ts=- ev=halt after=0000000000005eed "), RefusedFor::Unknown),
        (summed("ASSAY1 seq=3 ts=- ev=exec plan=- "), RefusedFor::Malformed),
        (summed("ASSAY1 seq=3 ts=- ev=exec after=0000000000005eed "), RefusedFor::Malformed),
        (
            summed("ASSAY1 seq=3 ts=- ev=hold after=0000000000005eed memory_mib=1 timer_ms=600001 "),
            RefusedFor::Malformed,
        ),
        (
            summed("ASSAY1 seq=3 ts=- ev=hold after=0000000000005eed memory_mib=1 timer_ms=1 x=1 "),
            RefusedFor::Malformed,
        ),
        (summed("ASSAY1 seq=3 ts=- ev=check after=0000000000005eed spoil=disk "), RefusedFor::Malformed),
        (with_plan("a%zz"), RefusedFor::Malformed),
        (with_plan("a b"), RefusedFor::Malformed),
        (with_plan("-"), RefusedFor::Plan),
        (with_plan("ASSAY-PLAN2%0A"), RefusedFor::Plan),
    ] {
        assert_eq!(refused(line.clone()), reason, "{}", String::from_utf8_lossy(&line));
    }
    let with_control = String::from_utf8_lossy(PLAN).replace("kind=none", "kind=panic");
    assert_eq!(refused(exec(PLACE, with_control.as_bytes())), RefusedFor::Plan);
}

/// What a collector makes of bytes: each line, and `None` for one that is too long.
fn collected(bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut collector = std::boxed::Box::new(Collector::EMPTY);
    let mut all = Vec::new();
    for &byte in bytes {
        match collector.push(byte) {
            Some(Collected::Line) => all.push(Some(collector.line().to_vec())),
            Some(Collected::TooLong) => all.push(None),
            None => {}
        }
    }
    all
}

#[test]
fn collects_lines_and_drops_what_is_too_long() {
    let line = |text: &[u8]| Some(text.to_vec());
    assert_eq!(collected(b"one\r\n\r\n\ntwo\nthr"), [line(b"one"), line(b"two")]);
    let long = [b'x'; MAX_BYTES];
    assert_eq!(collected(&[&long[..], b"\nab\n"].concat()), [line(&long), line(b"ab")]);
    // Its rest, however long, is no line, and no second refusal.
    assert_eq!(collected(&[&long[..], &long, &long, b"\nab\n"].concat()), [None, line(b"ab")]);
}

#[test]
fn a_line_that_is_given_up_is_dropped_up_to_its_end() {
    let mut collector = std::boxed::Box::new(Collector::EMPTY);
    assert!(b"half".iter().all(|&byte| collector.push(byte).is_none()) && collector.is_within_line());
    collector.give_up();
    assert!(!collector.is_within_line());
    assert!(b" a line\nab".iter().all(|&byte| collector.push(byte).is_none()));
    assert_eq!((collector.push(b'\n'), &*collector.line()), (Some(Collected::Line), &b"ab"[..]));
}

proptest! {
    #[test]
    fn any_bytes_are_lines_within_the_bound(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        for line in collected(&bytes).into_iter().flatten() {
            prop_assert!(!line.is_empty() && line.len() <= MAX_BYTES && !line.contains(&b'\n'));
        }
    }

    #[test]
    fn any_bytes_are_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&mut bytes, PLACE).is_err());
    }

    #[test]
    fn a_changed_byte_is_refused(at in any::<prop::sample::Index>(), flip in 1..=u8::MAX) {
        let mut line = exec(PLACE, PLAN);
        let at = at.index(line.len());
        line[at] ^= flip;
        prop_assert!(read(&mut line, PLACE).is_err(), "byte {}", at);
    }
}
