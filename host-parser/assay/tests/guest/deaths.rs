//! Kernels that die: the diagnosis names the cause and the place in the source.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::assay::{assay, run, workspace};
use crate::experiments::results;

/// Each guest runs twice, and one hangs until its deadline.
const DEADLINE: Duration = Duration::from_secs(240);

/// The controls' kernels, with the cause of death and the function in which they die.
const DEATHS: [(&str, &str, &str); 4] = [
    ("kernel-panic", "panic on CPU 0", "in on_case at kernel/src/control.rs:"),
    (
        "kernel-reset",
        "the guest was reset and took no exception; CPU 0 was",
        // It waits there for the effect.
        "in reset at kernel/src/power.rs:",
    ),
    (
        "kernel-triple-fault",
        "triple fault: #BP by an instruction, then #GP",
        "in triple_fault at kernel/src/power.rs:",
    ),
    ("kernel-hang", "CPU 0 had halted for good, interrupts off,", "in park at kernel/src/cpu/idle.rs:"),
];

fn manifest(name: &str) -> PathBuf {
    workspace().join("manifests/controls").join(name).with_extension("toml")
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn names_the_cause_of_every_death_and_its_function() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (name, ..) in DEATHS {
        let copy = folder.path().join(name).with_extension("toml");
        fs::copy(manifest(name), copy).unwrap();
    }
    let mut command = assay(["dev", "controls", "--diagnose", "--out"]);
    let said = run(command.arg(out.path()).arg(folder.path()), DEADLINE);
    said.expect_exit(0).expect_answer(&["4 of 4 controls ended as expected"]);
    for (name, what, place) in DEATHS {
        let line = said.out.lines().skip_while(|line| !line.starts_with(name)).nth(1).unwrap_or_default();
        assert!(line.contains(what) && line.contains(place), "{name}: {line}");
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn writes_the_diagnosis_into_the_results_and_beside_the_log() {
    let out = tempfile::tempdir().unwrap();
    let mut command = assay(["run", "--label", "t", "--out"]);
    let said = run(command.arg(out.path()).arg(manifest("kernel-triple-fault")), DEADLINE);
    said.expect_exit(4).expect_answer(&["guest-reset", "why the guest of run 0 died", "triple fault: "]);

    let run = results(out.path(), "kernel-triple-fault", "t")["runs"][0].clone();
    let diagnosis = &run["diagnosis"];
    assert_eq!((&run["reason"], &diagnosis["recurrence"]), (&"guest-reset".into(), &"same".into()));
    assert_eq!(diagnosis["without_symbols"], serde_json::Value::Null);
    let vectors: Vec<_> = diagnosis["exceptions"].as_array().unwrap().iter().map(|e| &e["vector"]).collect();
    assert_eq!(vectors, [3, 13, 8]);
    for exception in diagnosis["exceptions"].as_array().unwrap() {
        assert_eq!(
            (&exception["cpu"], &exception["place"][0]["function"]),
            (&0.into(), &"triple_fault".into())
        );
    }
    assert_eq!(diagnosis["cpus"][1]["state"], "waiting");
    for file in diagnosis["files"].as_array().unwrap() {
        let path = Path::new(file.as_str().unwrap());
        assert!(path.is_file() && path.starts_with(out.path()), "{file}");
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn a_fault_of_a_worker_is_not_diagnosed_as_a_death() {
    let out = tempfile::tempdir().unwrap();
    let mut command = assay(["run", "--label", "t", "--out"]);
    let said = run(command.arg(out.path()).arg(manifest("worker-page-fault")), DEADLINE);
    said.expect_exit(4);
    assert!(!said.err.contains("died"), "{}", said.err);
    let run = results(out.path(), "worker-page-fault", "t")["runs"][0].clone();
    assert_eq!(run["diagnosis"], serde_json::Value::Null);
}
