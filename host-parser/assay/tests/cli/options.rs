//! Options, and the environment variables that they override.

use crate::assay::{Said, assay, run};
use crate::stage::{DEADLINE, DIES, Stage};

const OURS: &str = "ASSAY_QEMU_CPUS";
const HARNESS: &str = "CAPOS_SMP_SCALE_QEMU_TASKSET_CPUS";

#[test]
fn names_the_option_or_variable_with_unusable_host_cpus() {
    let stage = Stage::with_qemu(DIES);
    for (list, what) in [
        ("zz", "expected a list like 0,1"),
        ("", "expected a list"),
        ("1023", "not available"),
        ("0,0", "CPU 0 twice"),
    ] {
        let said = stage.run(&["--cpus", list]);
        said.expect_exit(2).expect_message(&["--cpus: ", what]);
    }
    for variable in [OURS, HARNESS] {
        let said = run(stage.command(&[]).env(variable, "0,,1"), DEADLINE);
        said.expect_exit(2).expect_message(&[variable]);
    }
    assert!(!stage.path("out").exists());
}

#[test]
fn the_option_overrides_our_variable_and_that_the_harness_variable() {
    let stage = Stage::with_qemu(DIES);
    let cpu = host::CpuSet::allowed().unwrap().iter().next().unwrap().to_string();
    let pinned_by = |name: &str| format!("pinned to host CPUs {cpu} by {name}\n");
    // A value that is overridden is not read: it may be anything.
    dry_run(&stage, &["--cpus", &cpu], "?", "?").expect_exit(0).expect_answer(&[&pinned_by("--cpus")]);
    dry_run(&stage, &[], &cpu, "?").expect_exit(0).expect_answer(&[&pinned_by(OURS)]);
    dry_run(&stage, &[], "", &cpu).expect_exit(0).expect_answer(&[&pinned_by(HARNESS)]);
    dry_run(&stage, &[], "", "").expect_exit(0).expect_answer(&["not pinned\n"]);
}

/// A dry run with this option, and these values of our variable and of the harness's.
fn dry_run(stage: &Stage, option: &[&str], ours: &str, harness: &str) -> Said {
    let mut command = stage.command(&[&["--dry-run"], option].concat());
    run(command.env(OURS, ours).env(HARNESS, harness), DEADLINE)
}

#[test]
fn refuses_invalid_options() {
    let stage = Stage::with_qemu(DIES);
    for (options, what) in [
        (["--rounds", "0"], "--rounds"),
        (["--rounds", "many"], "--rounds"),
        (["--accel", "hvf"], "--accel"),
        (["--seed", "one"], "--seed"),
    ] {
        stage.run(&options).expect_exit(2).expect_message(&[what]);
    }
    for nothing in [vec![], vec!["rum"], vec!["run"], vec!["parse"]] {
        run(&mut assay(&nothing), DEADLINE).expect_exit(2).expect_message(&["Usage: assay"]);
    }
}

#[test]
fn a_label_names_one_new_folder() {
    let stage = Stage::with_qemu(DIES);
    for label in ["a/b", "..", "images"] {
        stage.run(&["--label", label]).expect_exit(2).expect_message(&["--label", label, "expected letters"]);
    }
    stage.run(&[]).expect_exit(5);
    let results = stage.session().join("results.json");
    let before = std::fs::read(&results).unwrap();
    let said = stage.run(&[]);
    said.expect_exit(2).expect_message(&["--label t", "is there already, and is not overwritten"]);
    assert_eq!(std::fs::read(&results).unwrap(), before);
}
