//! Invalid manifests: the message names file, line and key.

use crate::stage::{DIES, Stage, shipped};

/// The number of the manifest's line that has `text`.
fn line_of(manifest: &str, text: &str) -> usize {
    manifest[..manifest.find(text).unwrap()].lines().count()
}

#[test]
fn names_file_line_and_key_of_an_error() {
    let cases = [
        ("rounds = 7", "\nrounds = 0", "rounds", "at least 1"),
        ("rounds = 7", "\nrounds = \"7\"", "rounds", "whole number"),
        ("rounds = 7", "\nrounds = 7\nruonds = 7", "ruonds", "unknown field"),
        ("workers = [1, 2, 4]", "\nworkers = [1, 2, 256]", "cases.workers", "255"),
        ("program = \"primes\"", "\nprogram = \"prime\"", "workload.program", "primes"),
        ("boot = \"direct\"", "\nboot = \"floppy\"", "machine.boot", "unknown variant"),
        ("answer = 216_816", "\nanswer = 216_817", "oracle.answer", "216816"),
    ];
    for (from, to, key, what) in cases {
        let stage = Stage::with_qemu(DIES);
        stage.manifest(from, to);
        let changed = to.lines().last().unwrap();
        let line = line_of(&shipped(from, to), changed);
        let place = format!("{}:{}:", stage.path("x.toml").display(), line + 1);
        let said = stage.run(&[]);
        said.expect_exit(7).expect_message(&[&place, &format!(" {key}: "), what]);
        assert!(!stage.path("out").exists(), "a refused manifest must leave no output");
    }
}

#[test]
fn names_a_missing_manifest_with_the_reason_once() {
    let stage = Stage::with_qemu(DIES);
    std::fs::remove_file(stage.path("x.toml")).unwrap();
    let said = stage.run(&[]);
    said.expect_exit(7).expect_message(&["x.toml: No such file"]);
    assert_eq!(said.err.matches("No such file").count(), 1, "{}", said.err);
}
