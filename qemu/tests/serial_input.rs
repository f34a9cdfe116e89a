//! What a guest is sent on its serial port, and when.

mod common;

use common::{AMPLE, Guest};
use host::CancelToken;
use qemu::{Deletion, GuestEvent, GuestRun, Outcome};

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
