//! A session that a signal ends: no measurement is lost, and no guest is left behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::assay::{assay, finish, manifest, pid, signal};
use crate::experiments::{one_cpu, results};

const DEADLINE: Duration = Duration::from_secs(60);
/// The longest time that a person should wait for an interrupted command.
const PROMPT: Duration = Duration::from_secs(5);

/// Starts an experiment of many runs.
fn start(out: &Path) -> Child {
    let mut command = assay(["run", "--label", "t", "--rounds", "200", "--cpus", &one_cpu(), "--out"]);
    command.arg(out).arg(manifest("small.toml"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for the end of a run that passed, and then for the guest of a later run.
fn wait_for_a_guest_after_a_run(assay: &mut Child) -> Pid {
    let lines = BufReader::new(assay.stderr.as_mut().unwrap()).lines();
    let passed = |line: &str| line.starts_with("run ") && line.contains("passed");
    assert!(lines.map_while(Result::ok).any(|line| passed(&line)));
    let asked = Instant::now();
    loop {
        // Nothing announces the start of a guest: poll for it.
        if let Some(guest) = guest_of(pid(assay)) {
            return guest;
        }
        assert!(asked.elapsed() < DEADLINE, "no guest");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The QEMU that is a child of `parent`.
pub fn guest_of(parent: Pid) -> Option<Pid> {
    let stats = fs::read_dir("/proc").unwrap().filter_map(|entry| stat(&entry.ok()?.path()));
    let qemu = stats.filter(|stat| stat.name.starts_with("qemu-system"));
    qemu.filter(|stat| stat.parent == parent.as_raw_nonzero().get()).find_map(|stat| Pid::from_raw(stat.pid))
}

struct Stat {
    pid: i32,
    name: String,
    state: char,
    parent: i32,
}

/// Reads a process's `stat` in /proc. The name is in parentheses, and may contain any character.
fn stat(folder: &Path) -> Option<Stat> {
    let text = fs::read_to_string(folder.join("stat")).ok()?;
    let (head, tail) = text.rsplit_once(") ")?;
    let (pid, name) = head.split_once(" (")?;
    let mut fields = tail.split(' ');
    let state = fields.next()?.chars().next()?;
    Some(Stat { pid: pid.parse().ok()?, name: name.to_owned(), state, parent: fields.next()?.parse().ok()? })
}

/// Waits until a process is gone or is a zombie.
#[track_caller]
fn wait_until_gone(process: Pid) {
    let folder = PathBuf::from(format!("/proc/{}", process.as_raw_nonzero()));
    let asked = Instant::now();
    while stat(&folder).is_some_and(|stat| !matches!(stat.state, 'Z' | 'X')) {
        assert!(asked.elapsed() < DEADLINE, "process {process:?} was left behind");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether a run passed, or was excluded because the host disturbed it.
fn is_well(run: &Value) -> bool {
    run["outcome"] == "passed" || run["set_aside"].is_string()
}

/// Checks the results of an interrupted session.
fn has_what_was_measured(results: &Value) {
    assert_eq!(results["complete"], false);
    let why = results["incomplete"].as_str().unwrap();
    assert!(why.ends_with(" runs were made: interrupted"), "{why}");
    let runs = results["runs"].as_array().unwrap();
    let (last, before) = runs.split_last().unwrap();
    assert!(!before.is_empty() && before.iter().all(is_well), "{before:?}");
    assert!(last["reason"] == "cancelled" || is_well(last), "{last}");
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn keeps_the_measurements_when_interrupted() {
    for by in [Signal::INT, Signal::TERM, Signal::HUP] {
        let out = tempfile::tempdir().unwrap();
        let mut assay = start(out.path());
        let guest = wait_for_a_guest_after_a_run(&mut assay);
        let asked = Instant::now();
        signal(pid(&assay), by);
        let said = finish(assay, DEADLINE);
        let took = asked.elapsed();
        said.expect_exit(130).expect_answer(&["INCOMPLETE", "interrupted"]);
        assert!(took < PROMPT, "{took:?}");
        wait_until_gone(guest);
        has_what_was_measured(&results(out.path(), "small", "t"));
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn leaves_no_guest_behind_when_killed() {
    let out = tempfile::tempdir().unwrap();
    let mut assay = start(out.path());
    let guest = wait_for_a_guest_after_a_run(&mut assay);
    signal(pid(&assay), Signal::KILL);
    assay.wait().unwrap();
    wait_until_gone(guest);
    let results = results(out.path(), "small", "t");
    assert_eq!(results["complete"], false);
    assert!(results["runs"].as_array().unwrap().iter().any(|run| run["outcome"] == "passed"));
}
