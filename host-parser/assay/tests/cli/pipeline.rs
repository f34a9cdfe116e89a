//! `--junit`, `--ktap` and `--github`: every ending is a test that a pipeline can read.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::assay::{Said, assay, run};
use crate::compare::sessions::{Played, Sessions, probed, slower};
use crate::stage::{DEADLINE, DIES, Stage};

/// What a pipeline got.
struct Got {
    said: Said,
    junit: String,
    ktap: String,
    summary: String,
}

/// Runs a command with all three options.
#[track_caller]
fn pipeline(command: &mut Command) -> Got {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("summary.md"), "of the step before\n").unwrap();
    command.arg("--junit").arg(path("j.xml")).arg("--ktap").arg(path("k.tap")).arg("--github");
    command.env("GITHUB_STEP_SUMMARY", path("summary.md"));
    let said = run(command, DEADLINE);
    let read =
        |name: &str| fs::read_to_string(path(name)).unwrap_or_else(|_| panic!("no {name}: {}", said.err));
    let (junit, ktap, summary) = (read("j.xml"), read("k.tap"), read("summary.md"));
    assert!(junit.starts_with("<?xml") && ktap.starts_with("KTAP version 1\n"), "{junit}{ktap}");
    let summary = summary.strip_prefix("of the step before\n").expect("the summary is added to").to_owned();
    Got { said, junit, ktap, summary }
}

fn compare(a: &Path, b: &Path) -> Got {
    pipeline(assay(["compare"]).args([a, b]))
}

#[test]
fn a_comparison_is_a_test_for_each_case() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &probed());
    let b = sessions.play("b", &Played { cycles: slower, later_ms: 500, ..probed() });
    let got = compare(&a, &b);
    got.said
        .expect_exit(1)
        .expect_message(&["::error title=primes.compare%3A compare.case-1::slower: B/A 1.0"]);
    assert!(got.junit.contains("tests=\"2\" failures=\"2\" errors=\"0\""), "{}", got.junit);
    assert!(got.ktap.contains("not ok 1 compare.case-1 # slower\n"), "{}", got.ktap);
    let row = "| compare.case-2 | **failed** | slower: B/A 1.0";
    assert!(got.summary.contains(row) && got.summary.contains("SLOWER: B takes longer"), "{}", got.summary);

    let other = sessions.play("c", &Played { cases: vec![1], ..probed() });
    let got = compare(&a, &other);
    got.said.expect_exit(5);
    assert!(got.ktap.contains("not ok 1 compare # not-comparable"), "{}", got.ktap);
    assert!(got.junit.contains("<error type=\"not-comparable\" message=\"cases: A "), "{}", got.junit);
}

#[test]
fn a_session_is_a_test_and_so_is_what_came_before_it() {
    let stage = Stage::with_qemu(DIES);
    let got = pipeline(&mut stage.command(&[]));
    got.said.expect_exit(5).expect_message(&["::error title=smp-process-scale%3A "]);
    assert!(got.ktap.contains(" # qemu-failed"), "{}", got.ktap);
    assert!(got.summary.contains("next: "), "{}", got.summary);

    let got = pipeline(&mut stage.command(&["--label", "u", "--kernel", "/nonexistent"]));
    assert_ne!(got.said.code, Some(0));
    assert!(got.junit.contains("errors=\"1\""), "{}", got.junit);

    let got = pipeline(&mut assay(["exact", "check", "--lock", "/nonexistent"]));
    got.said
        .expect_exit(7)
        .expect_message(&["::error title=assay exact check%3A ended::bad-input: /nonexistent"]);
    assert!(
        got.junit.contains("<error type=\"bad-input\" message=\"/nonexistent: no such file"),
        "{}",
        got.junit
    );
    assert!(got.ktap.ends_with("1..1\nnot ok 1 ended # bad-input\n"), "{}", got.ktap);
}

#[test]
fn a_host_that_was_busy_is_skipped_and_not_failed() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let b = sessions.play("b", &Played { disturbed: Some(3), limit: Some(0), ..Played::default() });
    let got = compare(&a, &b);
    got.said.expect_exit(75).expect_message(&["::warning title=assay compare%3A ended::host-contended: "]);
    assert!(got.ktap.contains("ok 1 ended # SKIP host-contended\n"), "{}", got.ktap);
    assert!(got.junit.contains("<skipped>host-contended: "), "{}", got.junit);
}

#[test]
fn a_file_that_cannot_be_written_is_no_success() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &probed());
    let b = sessions.play("b", &Played { later_ms: 500, ..probed() });
    let said = run(assay(["compare"]).args([&a, &b]).args(["--junit", "/nonexistent/j.xml"]), DEADLINE);
    said.expect_exit(9).expect_message(&["/nonexistent/j.xml"]);
}
