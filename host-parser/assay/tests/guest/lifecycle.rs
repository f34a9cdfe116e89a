//! `assay lifecycle`: real machines live and are deleted, and each oracle notices what is not so.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::assay::{Said, assay, manifest, pid, run, signal};
use crate::lab::undisturbed;

const DEADLINE: Duration = Duration::from_secs(300);
const MACHINE: &str = "q35-direct-1-128";

/// Lives of the test's machines.
fn live(out: &Path, label: &str, options: &[&str]) -> Said {
    let mut command = assay(["lifecycle", "--accel", "tcg", "--label", label, "--out"]);
    run(command.arg(out).args(options).arg(manifest("lifecycle.toml")), DEADLINE)
}

fn verify(session: &Path) -> Said {
    run(assay(["verify"]).arg(session), DEADLINE)
}

fn json(session: &Path) -> Value {
    serde_json::from_slice(&fs::read(session.join("lifecycle.json")).unwrap()).unwrap()
}

/// Writes a changed file of a session, checks that the session does not verify for that reason, and undoes it.
fn notices(session: &Path, file: &str, change: impl Fn(&str) -> String, said: &str) {
    let path = session.join(file);
    let text = fs::read_to_string(&path).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text, "{file}");
    fs::write(&path, changed).unwrap();
    let found = verify(session);
    fs::write(&path, text).unwrap();
    let all = format!("{}{}", found.out, found.err);
    assert!(found.code == Some(12) && all.contains(said), "{file}: expected {said:?}\n{all}");
}

#[test]
#[ignore = "needs QEMU, a Linux kernel and what `make build` builds: make test-guest"]
fn machines_live_beside_linux_and_a_session_verifies_only_as_it_was() {
    let out = tempfile::tempdir().unwrap();
    // Two rounds are too few for a gate, but the longest of few is at most the longest of all. A host that is busy enough
    // keeps a guest from reading its real-time clock, which the gate refuses.
    let (session, results) = undisturbed(|nth| {
        let said = live(out.path(), &format!("t{nth}"), &[]);
        let session = out.path().join(format!("lifecycle/t{nth}"));
        let results = json(&session);
        let failures = results["failures"].as_array().unwrap();
        if !failures.is_empty() && failures.iter().all(|failure| failure["reason"] == "evidence-missing") {
            return None;
        }
        said.expect_exit(13).expect_answer(&["GATE EXCEEDED: cycle max <= 1 ms on microvm-direct-2-128"]);
        Some((session, results))
    });
    // Per round: three on one machine, two on the other, which Linux cannot use under TCG, and a burst of two.
    assert_eq!((&results["cycles"], &results["failures"]), (&14.into(), &Value::Array(Vec::new())));
    for (subject, row) in
        [("assay", "ready"), ("linux", "ready"), ("empty", "provision"), ("assay", "delete")]
    {
        let is_of =
            |one: &&Value| one["machine"] == MACHINE && one["subject"] == subject && one["row"] == row;
        let found = results["rows"].as_array().unwrap().iter().find(is_of).unwrap();
        assert!(found["cycles"] == 2 && found["min_us"].as_u64().unwrap() > 0, "{found}");
    }
    verify(&session).expect_exit(0).expect_answer(&["VERIFIED", "14 machines"]);
    run(assay(["show"]).arg(&session), DEADLINE).expect_exit(0).expect_answer(&[MACHINE, "provision"]);
    notices(
        &session,
        "lifecycle.json",
        |text| text.replace("\"rounds\": 2", "\"rounds\": 3"),
        "does not follow",
    );
    notices(
        &session,
        "lifecycle.jsonl",
        |text| text.replacen("\"gone_us\":", "\"gone_us\":1", 1),
        "a line was changed",
    );
    // An empty machine prints nothing.
    let mut logs = (0..14).map(|cycle| format!("cycles/{cycle:05}/serial.log"));
    let log = logs.find(|log| session.join(log).metadata().unwrap().len() > 0).unwrap();
    notices(&session, &log, |text| text.replacen("ev=", "ev=x", 1), "sealed is");
    notices(
        &session,
        "manifest.toml",
        |text| text.replace("at-most-ms = 1", "at-most-ms = 9999"),
        "committed itself to",
    );
    fs::create_dir(session.join("cycles/00099")).unwrap();
    verify(&session).expect_exit(12).expect_answer(&["a cycle was left out"]);
}

/// A QEMU that starts something of its own before it becomes QEMU.
fn wrapper(folder: &Path, first: &str) -> PathBuf {
    let path = folder.join("qemu");
    fs::write(
        &path,
        format!(
            "#!/bin/sh\ncase \"$*\" in *--version*) ;; *) {first} ;; esac\nexec qemu-system-x86_64 \"$@\"\n"
        ),
    )
    .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn what_a_machine_leaves_behind_fails_its_cycle() {
    for (first, left) in [
        ("sleep 1000 </dev/null >/dev/null 2>&1 &", "left behind: process "),
        // In the folder of the cycle, whose log is named on the command line of the guests that have one only; so by the
        // folder of the process that started it.
        (
            "for f in $(ls -d \"$LIFE_OUT\"/lifecycle/*/cycles/*); do : > \"$f/left\"; done",
            "left behind: file ",
        ),
    ] {
        let out = tempfile::tempdir().unwrap();
        let qemu = wrapper(out.path(), first);
        let mut command = assay([
            "lifecycle",
            "--accel",
            "tcg",
            "--systems",
            "assay",
            "--machine",
            MACHINE,
            "--rounds",
            "1",
        ]);
        command.args(["--label", "t", "--out"]).arg(out.path()).arg("--qemu").arg(qemu);
        let said = run(command.env("LIFE_OUT", out.path()).arg(manifest("lifecycle.toml")), DEADLINE);
        said.expect_exit(4).expect_answer(&["FAILED", left]);
        // What failed is in the ledger, and verifies as what it is.
        verify(&out.path().join("lifecycle/t")).expect_exit(0);
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn a_killed_assay_leaves_no_machine_behind() {
    let out = tempfile::tempdir().unwrap();
    let mut command =
        assay(["lifecycle", "--accel", "tcg", "--systems", "assay", "--rounds", "100", "--out"]);
    command.arg(out.path()).arg(manifest("lifecycle.toml")).env(MARK, out.path());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.as_mut().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.starts_with("round 1 of 100")));
    signal(pid(&child), Signal::KILL);
    child.wait().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while is_anything_of(out.path()) {
        assert!(Instant::now() < until, "a machine was left behind");
        std::thread::sleep(Duration::from_millis(10));
    }
    let label = fs::read_dir(out.path().join("lifecycle")).unwrap().flatten().map(|of| of.path());
    let session = label.into_iter().find(|path| path.join("lifecycle.jsonl").exists()).unwrap();
    verify(&session).expect_exit(5).expect_answer(&["INCOMPLETE", "VERIFIED"]);
}

/// A variable that every process of a session inherits.
const MARK: &str = "ASSAY_TEST_SESSION";

/// Whether a process is of the session in `folder`. The command line of an empty machine names no file.
fn is_anything_of(folder: &Path) -> bool {
    let mark = format!("{MARK}={}", folder.display());
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("environ")).ok())
        .any(|variables| variables.split(|&byte| byte == 0).any(|variable| variable == mark.as_bytes()))
}
