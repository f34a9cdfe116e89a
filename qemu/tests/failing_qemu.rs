//! A QEMU that misbehaves, played by a shell script whose standard input is its end of the control socket.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{Guest, has_ended, script};
use host::CancelToken;
use qemu::{FirstRecord, GuestEvent, Outcome, Phase, Qemu, QemuError};

const GREETING: &str = r#"echo '{"QMP": {"version": {"qemu": {"major": 9, "minor": 8, "micro": 7}}}}' >&0; read -r capabilities"#;

/// A conversation up to the guest's start; `$$` is a thread whose affinity can be read.
fn up_to_cont(then: &str) -> String {
    format!(
        "{GREETING}\necho '{{\"return\": {{}}, \"id\": 1}}' >&0; read -r cpus\n\
         echo \"{{\\\"return\\\": [{{\\\"cpu-index\\\": 0, \\\"thread-id\\\": $$}}], \\\"id\\\": 2}}\" >&0; read -r cont\n\
         echo '{{\"return\": {{}}, \"id\": 3}}' >&0\n{then}"
    )
}

#[test]
fn reports_a_death_at_the_start_with_the_last_messages() {
    let run = Guest::of_script("echo 'cannot map memory' >&2; exit 127").run().unwrap();
    let Outcome::QemuDied { status, stderr_tail, phase } = run.outcome else { panic!("{:?}", run.outcome) };
    assert_eq!(
        (status.as_str(), stderr_tail.as_str(), phase),
        ("exit status: 127", "cannot map memory", Phase::Start)
    );
    assert_eq!((run.host_cpus_in_force, run.timeline.cont_us), (None, None));
}

#[test]
fn reports_a_death_by_a_signal() {
    let run = Guest::of_script(&up_to_cont("kill -SEGV $$")).run().unwrap();
    let Outcome::QemuDied { status, phase, .. } = run.outcome else { panic!("{:?}", run.outcome) };
    assert!(status.starts_with("signal: 11"), "{status}");
    assert_eq!(phase, Phase::Guest);
    assert_eq!(run.vmm_version.to_string(), "9.8.7");
}

#[test]
fn gives_up_on_one_that_hangs_before_it_greets() {
    let mut guest = Guest::of_script("sleep 1000");
    guest.spec.deadline = Duration::from_secs(1);
    let mut pid = 0;
    let progress = &mut |progress: GuestEvent<'_>| {
        if let GuestEvent::Started { pid: started } = progress {
            pid = started;
        }
    };
    let run = guest.run_with(&CancelToken::new().unwrap(), progress).unwrap();
    assert_eq!(run.outcome, Outcome::DeadlineExceeded { phase: Phase::Start });
    assert!(has_ended(pid));
}

#[test]
fn gives_up_on_one_that_hangs_up_and_stays() {
    let mut guest = Guest::of_script("exec </dev/null >/dev/null 2>/dev/null; sleep 1000");
    guest.spec.deadline = Duration::from_secs(1);
    assert_eq!(guest.run().unwrap().outcome, Outcome::DeadlineExceeded { phase: Phase::Start });
}

fn is_mark(line: &[u8]) -> bool {
    line.starts_with(b"@alive")
}

#[test]
fn gives_up_on_a_guest_that_shows_no_sign_of_life() {
    let within = |then: &str, ms| {
        let mut guest = Guest::of_script(&up_to_cont(then));
        guest.spec.first_record =
            Some(FirstRecord { deadline: Duration::from_millis(ms), is_record: is_mark });
        guest.run().unwrap()
    };
    let silent = within("echo 'SeaBIOS @alive'; sleep 1000", 1000);
    assert_eq!(silent.outcome, Outcome::DeadlineExceeded { phase: Phase::Guest });
    assert!((1_000_000..30_000_000).contains(&silent.timeline.exit_us), "{:?}", silent.timeline);
    // After the first record only the run's deadline counts.
    let alive = within("echo '@alive 1'; sleep 6; exit 33", 5000);
    assert_eq!(alive.outcome, Outcome::DebugExit { value: 0x10 });
}

#[test]
fn is_not_started_once_cancelled() {
    let cancel = CancelToken::new().unwrap();
    cancel.cancel();
    let run = Guest::of_script("sleep 1000").run_with(&cancel, &mut |_| {}).unwrap();
    assert_eq!(run.outcome, Outcome::Cancelled);
}

#[test]
fn shows_output_that_is_not_qmp() {
    let error = Guest::of_script("echo 'login:' >&0; sleep 1000").run().unwrap_err();
    assert!(matches!(error, QemuError::Qmp { .. }));
    assert!(error.to_string().ends_with(r#"got "login:""#), "{error}");
}

#[test]
fn survives_binary_rubbish_without_a_line_end() {
    let error = Guest::of_script("head -c 3000000 /dev/zero >&0; sleep 1000").run().unwrap_err();
    assert!(matches!(error, QemuError::Qmp { .. }), "{error}");
}

#[test]
fn names_a_command_that_is_refused() {
    let refusing =
        format!(r#"{GREETING}; echo '{{"id": 1, "error": {{"desc": "not today"}}}}' >&0; sleep 1000"#);
    let error = Guest::of_script(&refusing).run().unwrap_err();
    assert_eq!(error.to_string(), "qmp: qmp_capabilities: not today");
}

#[test]
fn reports_an_internal_error_of_the_virtual_machine() {
    let stops = r#"echo '{"event": "STOP"}' >&0; read -r query
        echo '{"return": {"running": false, "status": "internal-error"}, "id": 4}' >&0; sleep 1000"#;
    let run = Guest::of_script(&up_to_cont(stops)).run().unwrap();
    assert_eq!(run.outcome, Outcome::InternalError { status: "internal-error".to_owned() });
    assert_eq!(run.events, [r#"{"event": "STOP"}"#]);
}

#[test]
fn waits_for_a_guest_that_another_monitor_pauses() {
    let pauses = r#"echo '{"event": "STOP"}' >&0; read -r query
        echo '{"return": {"running": false, "status": "paused"}, "id": 4}' >&0
        sleep 0.2; echo '{"event": "RESUME"}' >&0; exit 33"#;
    let run = Guest::of_script(&up_to_cont(pauses)).run().unwrap();
    assert_eq!(run.outcome, Outcome::DebugExit { value: 16 });
}

#[test]
fn bounds_the_wait_for_registers() {
    let mut guest = Guest::of_script(&up_to_cont("sleep 1000"));
    guest.spec.deadline = Duration::from_secs(1);
    let run = guest.run().unwrap();
    assert_eq!(run.outcome, Outcome::DeadlineExceeded { phase: Phase::Guest });
    assert_eq!(run.last_registers, []);
    assert!(run.timeline.exit_us < 30_000_000, "{:?}", run.timeline);
}

#[test]
fn ignores_registers_that_it_did_not_ask_for() {
    for (answer, cpus) in [
        (r#"{"return": "CPU#0\nRIP=10 RFL=2 CPL=3\n", "id": 5}"#, 1),
        (r#"{"return": {"RIP": 16}, "id": 5}"#, 0),
        (r#"{"error": {"desc": "no such command"}, "id": 5}"#, 0),
        (r#"{"return": "CPU#0\nRIP=10 RFL=2\n", "id": 4}"#, 0),
        ("rubbish", 0),
    ] {
        let then = format!("read -r stop; read -r registers; printf '%s\n' '{answer}' >&0; sleep 1000");
        let mut guest = Guest::of_script(&up_to_cont(&then));
        guest.spec.deadline = Duration::from_secs(1);
        let run = guest.run().unwrap();
        assert_eq!(run.outcome, Outcome::DeadlineExceeded { phase: Phase::Guest });
        assert_eq!(run.last_registers.len(), cpus, "{answer}");
    }
}

#[test]
fn reads_the_reason_of_a_shutdown_that_comes_with_the_end() {
    let resets = r#"echo '{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}' >&0"#;
    assert_eq!(Guest::of_script(&up_to_cont(resets)).run().unwrap().outcome, Outcome::GuestReset);
}

#[test]
fn keeps_output_that_comes_with_the_end() {
    let guest = Guest::of_script(&up_to_cont("head -c 60000 /dev/zero; exit 33"));
    let run = guest.run().unwrap();
    assert_eq!((run.outcome, run.serial_bytes), (Outcome::DebugExit { value: 0x10 }, 60_000));
    assert_eq!(guest.serial(), vec![0; 60_000]);
}

#[test]
fn keeps_the_end_of_its_messages() {
    let run = Guest::of_script("head -c 200000 /dev/zero >&2; echo end >&2; exit 1").run().unwrap();
    assert_eq!(run.stderr.len(), 64 << 10);
    assert!(run.stderr.ends_with("end\n"));
}

fn find(body: &str) -> Result<Qemu, QemuError> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    Qemu::find(Some(&script(directory.path(), body)))
}

#[test]
fn finds_one_that_is_new_enough() {
    let qemu = find("echo 'QEMU emulator version 8.1.2 (Some 8.1)'; echo Copyright").unwrap();
    assert_eq!(
        (qemu.version.to_string().as_str(), qemu.banner.as_str()),
        ("8.1.2", "QEMU emulator version 8.1.2 (Some 8.1)")
    );
}

#[test]
fn refuses_one_that_is_too_old_or_something_else() {
    let error = find("echo 'QEMU emulator version 6.2.0'").unwrap_err().to_string();
    assert!(error.ends_with("version 6.2.0 is too old, expected 7.0.0 or later"), "{error}");
    let error = find("echo 'libfdt.so.1: not found' >&2; exit 127").unwrap_err();
    assert!(matches!(&error, QemuError::NotQemu { printed, .. } if printed.contains("libfdt")), "{error}");
    let error = find("yes").unwrap_err();
    assert!(matches!(error, QemuError::NotQemu { .. }), "{error}");
    let error = Qemu::find(Some(Path::new("/no/such/qemu"))).unwrap_err();
    assert!(matches!(error, QemuError::Missing { .. }), "{error}");
}
