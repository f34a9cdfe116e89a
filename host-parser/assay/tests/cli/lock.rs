//! Two measurements at once in one folder of results.

use std::fs;
use std::process::Stdio;
use std::time::Instant;

use rustix::process::Signal;

use crate::assay::{finish, pid, signal};
use crate::stage::{DEADLINE, Stage};

#[test]
fn a_second_run_is_refused_names_the_first_and_leaves_it_alone() {
    let stage = Stage::with_qemu("exec sleep 50");
    let mut first = stage.command(&["--label", "first", "--no-probe"]);
    let first = first.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (lock, begin) = (stage.path("out/measuring.lock"), Instant::now());
    while fs::read_to_string(&lock).unwrap_or_default().is_empty() {
        assert!(begin.elapsed() < DEADLINE, "the first run takes no lock");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let second = stage.run(&["--label", "second", "--no-probe"]);
    let holder = format!("(process {}, since 20", pid(&first).as_raw_nonzero());
    second.expect_exit(75).expect_message(&["assay run ", &holder, "next: "]);
    assert!(!stage.path("out/smp-process-scale/second").exists());
    // A dry run measures nothing.
    stage.run(&["--label", "third", "--dry-run"]).expect_exit(0);

    signal(pid(&first), Signal::TERM);
    let said = finish(first, DEADLINE);
    assert!(stage.path("out/smp-process-scale/first").exists(), "{}", said.err);
    stage.script("qemu", "exit 1");
    let said = stage.run(&["--label", "fourth"]);
    assert!(said.code != Some(75), "the lock is free again: {}", said.err);
}
