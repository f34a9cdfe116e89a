//! `assay parse` on logs that are good, foreign, truncated or unreadable.

use std::fs;
use std::process::Stdio;

use crate::assay::{Said, assay, manifest, run};
use crate::stage::{DEADLINE, good_log};

/// Runs `assay parse` on a file with this content.
#[track_caller]
fn parse(content: &[u8]) -> Said {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), content).unwrap();
    run(assay(["parse"]).arg(file.path()), DEADLINE)
}

#[test]
fn shows_a_good_log() {
    let said = parse(&fs::read(good_log()).unwrap());
    said.expect_exit(0).expect_answer(&["primes", "speed-up"]);
    assert_eq!(said.err, "");
}

#[test]
fn reads_standard_input() {
    let mut command = assay(["parse", "-"]);
    command.stdin(Stdio::from(fs::File::open(good_log()).unwrap()));
    run(&mut command, DEADLINE).expect_exit(0);
}

#[test]
fn reports_an_empty_a_binary_and_a_foreign_log() {
    parse(b"").expect_exit(5).expect_answer(&["not-assay", "empty"]);
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    parse(&bytes).expect_exit(5).expect_answer(&["not-assay"]);
    parse(b"[    0.000000] Linux version 6.1.0\n").expect_exit(5).expect_answer(&["not-assay"]);
}

#[test]
fn reports_a_truncated_log() {
    let log = fs::read(good_log()).unwrap();
    parse(&log[..log.len() / 2]).expect_exit(5).expect_answer(&["missing-end"]);
}

#[test]
fn names_a_log_that_cannot_be_read() {
    for path in ["/nonexistent", "/tmp"] {
        run(&mut assay(["parse", path]), DEADLINE).expect_exit(7).expect_message(&[path]);
    }
}

#[test]
fn does_not_judge_a_claim_by_the_log_of_another_experiment() {
    let mut command = assay(["parse", "--manifest"]);
    let said = run(command.arg(manifest("small.toml")).arg(good_log()), DEADLINE);
    said.expect_exit(7).expect_message(&["good-1.log: is a log of ", "small.toml"]);
}

#[test]
fn writes_the_same_results_as_it_prints() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = assay(["parse", "--json", "--out"]);
    let said = run(command.arg(folder.path().join("new/folder")).arg(good_log()), DEADLINE);
    said.expect_exit(0);
    let written = fs::read_to_string(folder.path().join("new/folder/results.json")).unwrap();
    assert_eq!(said.out, written);
}
