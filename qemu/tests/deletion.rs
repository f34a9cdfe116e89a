//! A machine that is deleted from outside: when it is asked to end, what can be seen of it, and when it is gone.

mod common;

use std::time::Duration;

use common::{AMPLE, Guest, has_ended};
use host::CancelToken;
use qemu::{BootMedium, Deletion, GuestEvent, GuestRun, MachineSpec, Outcome, QemuError};

/// What was seen of a deletion.
#[derive(Debug, Default)]
struct Seen {
    deleting: Option<u32>,
    exited: Option<u32>,
    /// Whether a process besides the VMM was in its group when it had exited.
    left_in_group: bool,
}

/// Runs a guest, which is deleted after the line `last`.
fn delete(guest: &mut Guest, patience: Duration) -> (Result<GuestRun, QemuError>, Seen) {
    guest.spec.delete_after = Some(Deletion { is_last: |line| line == b"last", lines: 1, patience });
    let mut seen = Seen::default();
    let run = guest.run_with(&CancelToken::new().expect("a token"), &mut |event| match event {
        GuestEvent::Deleting { pid, .. } => seen.deleting = Some(pid),
        GuestEvent::Exited { pid } => {
            seen.exited = Some(pid);
            seen.left_in_group = has_others_in_group(pid);
        }
        _ => {}
    });
    (run, seen)
}

/// Whether a process that lives is in the group of `leader`: the fifth field of its `stat`, proc_pid_stat(5).
fn has_others_in_group(leader: u32) -> bool {
    let stats = std::fs::read_dir("/proc").expect("a /proc").flatten().filter_map(|entry| {
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let (pid, rest) =
            (stat.split(' ').next()?.parse::<u32>().ok()?, stat.rsplit_once(") ")?.1.to_owned());
        let group = rest.split(' ').nth(2)?.parse::<u32>().ok()?;
        Some(pid != leader && group == leader && !rest.starts_with('Z'))
    });
    stats.into_iter().any(|is_left| is_left)
}

#[test]
fn a_machine_is_deleted_after_its_last_line_while_its_guest_runs() {
    let mut guest = Guest::of_sector(&common::print_then(b"last\n", common::HANG));
    let (run, seen) = delete(&mut guest, AMPLE);
    let run = run.unwrap();
    assert_eq!(run.outcome, Outcome::Deleted { by_itself: true }, "{}", run.stderr);
    let pid = seen.deleting.unwrap();
    assert_eq!(seen.exited, Some(pid));
    assert!(has_ended(pid) && !seen.left_in_group);
    let times = run.timeline;
    let order = [times.running_us, times.asked_us, Some(times.exit_us)];
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{times:?}");
    assert!(times.cont_us <= times.running_us);
    assert_eq!(guest.serial(), b"last\n");
}

#[test]
fn a_guest_that_ends_before_its_last_line_is_not_deleted() {
    let mut guest = Guest::of_sector(&common::print_then(b"first\n", common::DEBUG_EXIT));
    let (run, seen) = delete(&mut guest, AMPLE);
    let run = run.unwrap();
    assert_eq!(run.outcome, Outcome::DebugExit { value: 0x10 });
    assert_eq!((seen.deleting, run.timeline.asked_us), (None, None));
}

#[test]
fn an_empty_machine_is_built_and_deleted_and_never_runs() {
    for machine_type in ["q35", "microvm"] {
        let mut guest = Guest::of_sector(common::FLOOD);
        guest.spec.boot = BootMedium::Nothing;
        guest.spec.machine = MachineSpec { machine_type: machine_type.to_owned(), ..MachineSpec::q35(2, 64) };
        let (run, seen) = delete(&mut guest, AMPLE);
        let run = run.unwrap();
        assert_eq!(run.outcome, Outcome::Deleted { by_itself: true }, "{machine_type}: {}", run.stderr);
        assert!(seen.exited.is_some() && run.vcpus.len() == 2);
        assert_eq!((run.serial_bytes, run.timeline.cont_us), (0, None));
        assert!(run.timeline.running_us.is_some() && run.timeline.running_us <= run.timeline.asked_us);
    }
}

/// A QEMU that is played by a script up to `quit`, which is followed by `then`.
fn played(then: &str) -> String {
    let greeting = r#"echo '{"QMP": {"version": {"qemu": {"major": 9, "minor": 8, "micro": 7}}}}' >&0; read -r capabilities"#;
    format!(
        "{greeting}\necho '{{\"return\": {{}}, \"id\": 1}}' >&0; read -r cpus\n\
         echo \"{{\\\"return\\\": [{{\\\"cpu-index\\\": 0, \\\"thread-id\\\": $$}}], \\\"id\\\": 2}}\" >&0; read -r cont\n\
         echo '{{\"return\": {{}}, \"id\": 3}}' >&0; echo last; read -r quit\n{then}"
    )
}

#[test]
fn a_vmm_that_does_not_end_is_killed_and_reported() {
    let mut guest = Guest::of_script(&played("sleep 1000"));
    let (run, seen) = delete(&mut guest, Duration::from_millis(300));
    let run = run.unwrap();
    assert_eq!(run.outcome, Outcome::Deleted { by_itself: false }, "{}", run.stderr);
    assert_eq!(seen.exited, None);
    assert!(has_ended(seen.deleting.unwrap()));
    assert!(run.timeline.exit_us - run.timeline.asked_us.unwrap() >= 300_000);
}

#[test]
fn a_process_that_a_vmm_leaves_behind_can_be_seen_and_is_then_killed() {
    let mut guest = Guest::of_script(&played("sleep 1000 </dev/null >/dev/null 2>&1 & exit 0"));
    let (run, seen) = delete(&mut guest, AMPLE);
    assert_eq!(run.unwrap().outcome, Outcome::Deleted { by_itself: true });
    assert!(seen.left_in_group);
    let until = std::time::Instant::now() + AMPLE;
    while has_others_in_group(seen.exited.unwrap()) {
        assert!(std::time::Instant::now() < until, "it lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}
