//! `assay exact` and `assay run --exact`: what they refuse before a guest runs.

use std::fs;
use std::time::Duration;

use crate::assay::{assay, run};

const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn refuses_what_cannot_be_counted_and_says_why() {
    let several = ["run", "manifests/smp-process-scale.toml", "--exact"];
    run(&mut assay(several), DEADLINE)
        .expect_exit(6)
        .expect_message(&["cases.workers has 2", "workers = [1]"]);
    let sweep = ["run", "manifests/smp-process-sweep.toml", "--exact"];
    run(&mut assay(sweep), DEADLINE).expect_exit(6).expect_message(&["a sweep runs on several CPUs"]);
    let exact = ["run", "manifests/exact.toml", "--exact"];
    for (options, why) in [
        (["--accel", "kvm"], "only QEMU's translator counts instructions"),
        (["--systems", "native"], "--systems is assay, or assay,linux"),
        (["--qemu-arg", "-s"], "may let the host in"),
    ] {
        run(assay(exact).args(options), DEADLINE).expect_exit(6).expect_message(&[why]);
    }
}

#[test]
fn a_workload_that_is_warmed_up_by_the_clock_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warm.toml");
    let text = fs::read_to_string(crate::assay::workspace().join("manifests/exact.toml")).unwrap();
    fs::write(&path, text.replace("warm-up-ms = 0", "warm-up-ms = 20")).unwrap();
    let said = run(assay(["run", "--exact"]).arg(&path), DEADLINE);
    said.expect_exit(6).expect_message(&["warm-up-ms = 20", "ends by the clock"]);
}

#[test]
fn a_lock_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock.toml");
    let check = || run(assay(["exact", "check", "--lock"]).arg(&path), DEADLINE);
    check().expect_exit(7).expect_message(&["no such file", "assay exact record"]);
    fs::write(&path, "schema = 9\n").unwrap();
    check().expect_exit(7).expect_message(&["schema = 9"]);
    fs::write(&path, "schema = 1\n").unwrap();
    check().expect_exit(7).expect_message(&["no subject \"assay\""]);
}

#[test]
fn a_row_needs_its_form() {
    let said = run(&mut assay(["exact", "record", "--kernel", "x", "--row", "boot"]), DEADLINE);
    said.expect_exit(2).expect_message(&["NAME=FROM..TO"]);
}
