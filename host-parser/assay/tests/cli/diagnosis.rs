//! The diagnosis of a guest that died: when a second guest runs for it, and the report if that guest shows nothing.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::assay::{finish, pid, signal, workspace};
use crate::stage::{DEADLINE, Stage};

/// QEMU's part for a guest that resets itself.
const RESET: &str =
    r#"echo '{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}' >&0; exit 0"#;
/// QEMU's part for a guest that reports success.
const GOOD: &str = "exit 33";

/// The address at which the guest died, by the trace.
const ADDRESS: &str = "0xffffffff802131e1";

/// A stage on which every guest is reset. A traced guest leaves the trace of a triple fault and then runs `traced`.
fn stage(traced: &str) -> Stage {
    let trace = workspace().join("qemu/tests/traces/triple-fault.trace");
    let part = format!(
        r#"echo >> "$0.starts"
        while [ $# -gt 0 ] && [ "$1" != -D ]; do shift; done
        echo '{{"QMP": {{"version": {{"qemu": {{"major": 9, "minor": 8, "micro": 7}}}}}}}}' >&0; read -r capabilities
        echo '{{"return": {{}}, "id": 1}}' >&0; read -r cpus
        echo "{{\"return\": [{{\"cpu-index\": 0, \"thread-id\": $$}}], \"id\": 2}}" >&0; read -r cont
        echo '{{"return": {{}}, "id": 3}}' >&0
        [ $# -eq 0 ] || {{ cat '{}' > "$2"; {traced}; }}
        {RESET}"#,
        trace.display()
    );
    Stage::with_qemu(&part)
}

fn runs(stage: &Stage) -> Vec<Value> {
    let results = fs::read_to_string(stage.session().join("results.json")).unwrap();
    let results: Value = serde_json::from_str(&results).unwrap();
    results["runs"].as_array().unwrap().clone()
}

/// How many times QEMU was started.
fn starts(stage: &Stage) -> usize {
    fs::read_to_string(stage.path("qemu.starts")).unwrap().lines().count()
}

fn files(stage: &Stage, part: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(stage.session().join("runs")) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(part)).collect()
}

#[test]
fn runs_a_second_guest_for_the_first_death_only() {
    let stage = stage(RESET);
    let symbols = stage.path("no-such-kernel");
    let said = stage.run(&["--symbols", symbols.to_str().unwrap()]);
    said.expect_exit(4).expect_message(&["the guest died; running it once more under TCG, traced"]);
    said.expect_answer(&["why the guest of run 0 died", "triple fault: #BP by an instruction", ADDRESS]);
    let runs = runs(&stage);
    assert_eq!((runs.len(), starts(&stage)), (3, 4));
    let diagnosis = &runs[0]["diagnosis"];
    assert_eq!(
        (&diagnosis["recurrence"], &diagnosis["exceptions"][0]["rip"]),
        (&"same".into(), &ADDRESS.into())
    );
    assert_eq!((&runs[1]["diagnosis"], &runs[2]["diagnosis"]), (&Value::Null, &Value::Null));
    assert_eq!(runs[0]["reason"], "guest-reset");
    let why = diagnosis["without_symbols"].as_str().unwrap();
    assert!(why.contains("no-such-kernel: No such file") && why.contains("--symbols"), "{why}");
    assert_eq!(files(&stage, ".diagnosis.").len(), 3);
    let text = files(&stage, ".diagnosis.txt").pop().unwrap();
    let text = fs::read_to_string(stage.session().join("runs").join(text)).unwrap();
    assert!(text.contains("addresses have no names: ") && text.contains(" -d int,cpu_reset"), "{text}");
    let summary = fs::read_to_string(stage.session().join("summary.md")).unwrap();
    assert!(summary.contains("## Why a guest died\n") && summary.contains(ADDRESS), "{summary}");
}

#[test]
fn makes_no_diagnosis_with_no_diagnosis() {
    let stage = stage(RESET);
    let said = stage.run(&["--no-diagnosis"]);
    said.expect_exit(4);
    assert!(!said.out.contains("why the guest") && !said.err.contains("once more"), "{}", said.err);
    assert_eq!((starts(&stage), runs(&stage)[0]["diagnosis"].clone()), (3, Value::Null));
    assert_eq!(files(&stage, ".diagnosis."), Vec::<String>::new());
}

#[test]
fn does_not_use_the_symbols_of_another_kernel() {
    let stage = stage(RESET);
    let mut other = fs::read(stage.path("kernel")).unwrap();
    let last = other.len() - 1;
    other[last] ^= 0xff;
    fs::write(stage.path("other"), other).unwrap();
    stage.run(&["--symbols", stage.path("other").to_str().unwrap()]).expect_answer(&[ADDRESS]);
    let why = runs(&stage)[0]["diagnosis"]["without_symbols"].as_str().unwrap().to_owned();
    let ids = "its build ID begins with 01020304050607f7, that of the kernel that ran with 0102030405060708";
    assert!(why.contains(ids), "{why}");
}

#[test]
fn reports_that_a_stripped_kernel_has_no_symbols() {
    let stage = stage(RESET);
    stage.run(&["--symbols", stage.path("kernel").to_str().unwrap()]).expect_answer(&[ADDRESS]);
    let why = runs(&stage)[0]["diagnosis"]["without_symbols"].as_str().unwrap().to_owned();
    assert!(why.contains("expected the kernel as it was before it was stripped"), "{why}");
}

#[test]
fn reports_that_the_death_did_not_recur() {
    let stage = stage(GOOD);
    let said = stage.run(&[]);
    // The second guest is no evidence about the first: the run stays refused.
    said.expect_exit(4).expect_answer(&["did not happen again under TCG", "guest-reset"]);
    assert_eq!(runs(&stage)[0]["diagnosis"]["recurrence"], "none");
}

#[test]
fn a_second_guest_that_cannot_run_costs_only_the_diagnosis() {
    let stage = stage("echo rubbish >&0; sleep 1000");
    let said = stage.run(&[]);
    said.expect_exit(4).expect_message(&["no diagnosis: qmp: "]);
    assert_eq!((starts(&stage), runs(&stage)[0]["diagnosis"].clone()), (4, Value::Null));
}

#[test]
fn an_interrupt_ends_the_second_guest_too() {
    let stage = stage("sleep 1000");
    let mut command = stage.command(&[]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    // Once its log exists, the second guest is running.
    while !files(&stage, ".diagnosis.serial.log").iter().any(|_| starts(&stage) == 2) {
        assert!(begun.elapsed() < DEADLINE, "no second guest");
        thread::sleep(Duration::from_millis(10));
    }
    signal(pid(&child), Signal::INT);
    finish(child, DEADLINE).expect_exit(130);
    assert_eq!((starts(&stage), runs(&stage)[0]["diagnosis"].clone()), (2, Value::Null));
    // A FIFO left behind would block every reader.
    let trace = files(&stage, ".diagnosis.trace.txt").pop().unwrap();
    assert!(stage.session().join("runs").join(trace).metadata().unwrap().is_file());
}
