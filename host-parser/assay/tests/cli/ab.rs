//! `assay ab` without a guest that ends well.

use std::fs;

use crate::assay::run;
use crate::stage::{DEADLINE, DIES, Stage};

#[test]
fn names_what_b_lacks() {
    let stage = Stage::with_qemu(DIES);
    for (option, what) in [
        ("--b-kernel", "none: cannot be read; `make build` builds it"),
        ("--b-workers", "none/primes"),
        ("--b-qemu", "none"),
    ] {
        let none = stage.path("none").display().to_string();
        let said = run(&mut stage.command_of("ab", &[option, &none]), DEADLINE);
        said.expect_exit(8).expect_message(&[what]);
    }
    assert!(!stage.path("out").exists());
}

#[test]
fn refuses_sweeps_and_cases_that_the_manifest_lacks() {
    let stage = Stage::with_qemu(DIES);
    let said = run(&mut stage.command_of("ab", &["--cases", "1,3"]), DEADLINE);
    said.expect_exit(2).expect_message(&["--cases: ", "x.toml has no case 3"]);
    stage.manifest("workers = [1, 2, 4]", "sweep = \"powers-of-two\"");
    let manifest = fs::read_to_string(stage.path("x.toml")).unwrap();
    assert!(manifest.contains("sweep = "), "{manifest}");
    let claimed = manifest.find("[gate]").unwrap()..manifest.find("[oracle]").unwrap();
    fs::write(stage.path("x.toml"), manifest.replace(&manifest[claimed], "")).unwrap();
    let said = run(&mut stage.command_of("ab", &[]), DEADLINE);
    said.expect_exit(2).expect_message(&["x.toml: a sweep has all of its cases in one boot"]);
}

#[test]
fn says_which_side_failed_and_keeps_what_was_measured() {
    let stage = Stage::with_qemu(DIES);
    let said = run(&mut stage.command_of("ab", &["--no-probe", "--cases", "1", "--seed", "1"]), DEADLINE);
    said.expect_message(&[
        "A and B are the same",
        "1 CPU: qemu-failed: ",
        "cannot set up guest memory",
        "what was measured until then",
    ]);
    said.expect_exit(5);
    let sessions = ["a", "b"].map(|side| stage.path("out/ab/t").join(side).join("results.json"));
    let results = sessions.map(|path| fs::read_to_string(path).unwrap());
    assert!(results.iter().all(|results| results.contains("\"complete\": false")));
}
