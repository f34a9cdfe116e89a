//! What a guest is sent on its serial port, and when; and a machine that is saved and loaded.

mod common;

use common::{AMPLE, Guest};
use host::CancelToken;
use qemu::{Deletion, GuestEvent, GuestRun, Loading, Outcome};

/// A guest that prints `ready` and then what it is sent: `answer`, when it is ready. It is deleted after `lines` lines.
fn echo(answer: &'static [u8], lines: u32, input: bool) -> (GuestRun, Vec<u8>) {
    let mut guest = Guest::of_sector(&common::print_then(b"ready\n", common::ECHO));
    guest.spec.machine.serial_input = input;
    guest.spec.delete_after = Some(Deletion { is_last: |_| true, lines, patience: AMPLE });
    let run = guest.run_with(&CancelToken::new().expect("a token"), &mut |event| {
        if let GuestEvent::SerialLine { line: b"ready", input, .. } = event {
            input.send(answer);
        }
    });
    (run.expect("a run"), guest.serial())
}

#[test]
fn what_is_sent_after_a_line_reaches_the_guest_and_its_answer_counts() {
    let (run, serial) = echo(b"one\ntwo\n", 3, true);
    assert_eq!(run.outcome, Outcome::Deleted { by_itself: true }, "{}", run.stderr);
    assert_eq!(serial, b"ready\none\ntwo\n");
    let times = run.timeline;
    assert!(times.sent_us.is_some() && times.sent_us <= times.asked_us, "{times:?}");
    // A person has the port on the terminal.
    let by_hand = run.command.by_hand().to_string();
    assert!(by_hand.contains("stdio,id=serial0") && !by_hand.contains("fd=1"), "{by_hand}");
}

#[test]
fn more_than_a_uart_holds_is_kept_for_the_guest() {
    const LONG: &[u8] = &{
        let mut line = [b'x'; 5_000];
        line[4_000] = b'\n';
        line[4_999] = b'\n';
        line
    };
    let (run, serial) = echo(LONG, 3, true);
    assert_eq!(run.outcome, Outcome::Deleted { by_itself: true }, "{}", run.stderr);
    assert_eq!(serial, [b"ready\n", LONG].concat());
}

#[test]
fn a_guest_without_input_is_sent_nothing() {
    let (run, serial) = echo(b"one\n", 1, false);
    assert_eq!((&serial[..], run.timeline.sent_us), (&b"ready\n"[..], None));
}

#[test]
fn a_machine_that_was_saved_goes_on_where_it_was_and_so_does_each_clone() {
    let mut guest = Guest::of_sector(&common::print_then(b"ready\n", common::ECHO));
    let file = |name: &str| guest.directory.path().join(name);
    let (saved, dumps) = (file("it's saved"), [file("saved.memory"), file("loaded.memory")]);
    guest.spec.machine.serial_input = true;
    guest.spec.delete_after = Some(Deletion { is_last: |_| true, lines: 1, patience: AMPLE });
    guest.spec.machine.save_to = Some(saved.clone());
    guest.spec.machine.memory_dump = Some(dumps[0].clone());
    let run = guest.run().expect("a run");
    assert_eq!(run.outcome, Outcome::Deleted { by_itself: true }, "{}", run.stderr);
    let times = run.timeline;
    let order = [times.running_us, times.saving_us, times.saved_us, times.asked_us];
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{times:?}");
    let state = run.stopped_state;
    assert!(state.contains("RIP") || state.contains("EIP"), "{state}");
    guest.spec.machine.save_to = None;
    guest.spec.machine.memory_dump = Some(dumps[1].clone());
    for answer in [&b"one\n"[..], b"two\n"] {
        guest.spec.machine.load = Some(Loading { from: saved.clone(), then_send: answer.to_vec() });
        let run = guest.run().expect("a run");
        assert_eq!(run.outcome, Outcome::Deleted { by_itself: true }, "{}", run.stderr);
        // What it had printed before it was saved is not printed again.
        assert_eq!(guest.serial(), answer);
        assert_eq!(run.stopped_state, state);
        let [one, other] = dumps.each_ref().map(|dump| std::fs::read(dump).expect("a dump"));
        assert!(one.len() == 32 << 20 && one == other);
        let times = run.timeline;
        let order = [times.loaded_us, times.cont_us, times.sent_us, times.asked_us];
        assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{times:?}");
    }
}

#[test]
fn a_file_that_holds_no_machine_is_an_error_or_an_outcome_with_its_reason() {
    let mut guest = Guest::of_sector(common::HANG);
    let from = guest.directory.path().join("not a machine");
    std::fs::write(&from, b"not a machine").expect("a file");
    guest.spec.machine.load = Some(Loading { from, then_send: Vec::new() });
    match guest.run() {
        Ok(run) => assert!(matches!(run.outcome, Outcome::QemuDied { .. }), "{:?}", run.outcome),
        Err(error) => assert!(error.to_string().contains("load"), "{error}"),
    }
}
