//! A workload from outside this tree: the folder to begin with, and what is wrong with a manifest or an oracle.

use std::fs;
use std::path::Path;

use crate::assay::{assay, run, workspace};
use crate::stage::{DEADLINE, DIES, Stage, shipped};

/// An oracle of two items.
const ORACLE: &str = "ASSAY-ORACLE1\nanswer ones\nwork steps\nparameter first-candidate 2\nparameter end-candidate 4\n\
                      item 3 4 0000000000000001\nitem 5 6 0000000000000002\n";

/// A manifest for it, beside it.
fn manifest(sha256: &str) -> String {
    let file = format!("file = \"answers.txt\"\nsha256 = \"{sha256}\"\nanswer = 8");
    let program = shipped("program = \"primes\"", "program = \"./mine\"");
    let small = program.replace("3_000_000", "4").replace("161_131_521", "10");
    small.replace("answer = 216_816", &file)
}

fn sha256() -> String {
    abi::Digest::of(ORACLE.as_bytes()).to_string()
}

/// A stage with the manifest, the program and the oracle.
fn stage() -> Stage {
    let stage = Stage::with_qemu(DIES);
    fs::write(stage.path("answers.txt"), ORACLE).unwrap();
    fs::write(stage.path("mine"), b"\x7fELF: only these four bytes are checked").unwrap();
    fs::write(stage.path("x.toml"), manifest(&sha256())).unwrap();
    stage
}

#[test]
fn a_manifest_may_name_a_program_and_its_oracle_by_their_files() {
    stage().run(&["--dry-run"]).expect_exit(0);
}

#[test]
fn names_file_line_and_key_of_what_is_wrong() {
    let digest = sha256();
    let other = "0".repeat(64);
    for (from, to, key, what) in [
        ("\"./mine\"", "\"./gups\"", "workload.program", "another name"),
        ("\"./mine\"", "\"mine/\\u00e9\"", "workload.program", "a name of 1 to 32"),
        ("file = \"answers.txt\"", "", "oracle.file", "found nothing"),
        ("answers.txt", "no.txt", "oracle.file", "no.txt: No such file"),
        (digest.as_str(), other.as_str(), "oracle.sha256", digest.as_str()),
        ("answer = 8", "answer = 9", "oracle.answer", "8, which the reference gives"),
        ("end-candidate = 4", "end-candidate = 5", "workload.parameters.end-candidate", "at most 4"),
        ("end-candidate", "end", "workload.parameters.end", "first-candidate, end-candidate"),
        ("[\"exit\"]", "[\"exit\"]\ncalls = [\"print\"]", "workload.calls", "prepare, verify"),
        ("[\"exit\"]", "[\"exit\"]\ncalls = [\"verify\", \"verify\"]", "workload.calls", "each call once"),
    ] {
        let stage = stage();
        let good = manifest(&digest);
        assert!(good.contains(from), "{from}");
        fs::write(stage.path("x.toml"), good.replacen(from, to, 1)).unwrap();
        stage.run(&[]).expect_exit(7).expect_message(&["x.toml:", &format!(" {key}: "), what]);
        assert!(!stage.path("out").exists(), "a refused manifest must leave no output");
    }
}

#[test]
fn names_the_line_of_an_oracle_that_is_wrong() {
    let stage = stage();
    fs::write(stage.path("answers.txt"), ORACLE.replace("item 5 6", "item 5 0")).unwrap();
    let place = format!("oracle.file: {}:7: expected item 3", stage.path("answers.txt").display());
    stage.run(&[]).expect_exit(7).expect_message(&[&place, "work above 0"]);
}

#[test]
fn names_a_program_that_is_missing_or_no_elf() {
    let stage = stage();
    fs::write(stage.path("mine"), b"#!/bin/sh").unwrap();
    stage.run(&[]).expect_exit(8).expect_message(&["mine: not an ELF file"]);
    fs::remove_file(stage.path("mine")).unwrap();
    stage.run(&[]).expect_exit(8).expect_message(&["mine: No such file", "build it first"]);
}

#[test]
fn the_keys_of_an_own_program_are_refused_for_one_of_ours() {
    let stage = Stage::with_qemu(DIES);
    stage.manifest("authority = [\"exit\"]", "authority = [\"exit\"]\ncalls = [\"prepare\"]");
    stage.run(&[]).expect_exit(7).expect_message(&["workload.calls: expected none without a path"]);
    stage.manifest("answer = 216_816", "answer = 216_816\nfile = \"a\"");
    stage.run(&[]).expect_exit(7).expect_message(&["oracle.file: expected none without a path"]);
}

/// `assay new workload` in `folder`.
fn new(folder: &Path, name: &str) -> crate::assay::Said {
    run(assay(["new", "workload", name]).current_dir(folder), DEADLINE)
}

#[test]
fn a_new_workload_prints_the_commands_that_the_page_shows() {
    let folder = tempfile::tempdir().unwrap();
    let said = new(folder.path(), "collatz");
    let (_, steps) = said.expect_exit(0).out.split_once("\n\n").unwrap();
    let page = fs::read_to_string(workspace().join("docs/WORKLOADS.md")).unwrap();
    assert!(page.contains(&format!("assay new workload collatz\n{steps}```")), "{steps}");
    let readme = fs::read_to_string(folder.path().join("collatz/README.md")).unwrap();
    assert!(readme.contains(steps), "{readme}");
    for file in ["collatz.rs", "worker.rs", "oracle.rs", "collatz.toml"] {
        let text = fs::read_to_string(folder.path().join("collatz").join(file)).unwrap();
        assert!(!text.contains("NAME"), "{file}");
    }
    new(folder.path(), "collatz").expect_exit(2).expect_message(&["collatz: is there already"]);
}

#[test]
fn a_new_workload_has_a_name_that_files_and_records_can_have() {
    let folder = tempfile::tempdir().unwrap();
    for (name, what) in [
        ("Upper", "begins with a letter"),
        ("1st", "begins with a letter"),
        ("a.b", "begins with a letter"),
        ("worker", "is not `worker`"),
        ("primes", "Assay has a workload of this name"),
        (&"x".repeat(33), "1 to 32"),
    ] {
        new(folder.path(), name).expect_exit(2).expect_message(&[what]);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    // In a folder elsewhere, whose name a shell would read as two words.
    let said = new(folder.path(), "a b/mine");
    said.expect_exit(0).expect_answer(&["'a b/mine/mine.rs'", "assay run 'a b/mine/mine.toml'"]);
}
