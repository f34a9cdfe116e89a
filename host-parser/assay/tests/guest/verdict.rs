//! `assay dev bench-verdict`, `assay ab` and `assay compare` with real guests.

use std::fs;
use std::time::Duration;

use crate::assay::{assay, manifest, run};
use crate::lab::worker;

const DEADLINE: Duration = Duration::from_secs(240);

#[test]
#[ignore = "needs QEMU, a built kernel and built workers: make test-guest"]
fn records_rows_that_can_be_compared() {
    let out = tempfile::tempdir().unwrap();
    // With three rows, a busy host disturbs fewer rounds than with five.
    let options = ["--percent", "10", "--rounds", "5", "--trials", "100", "--label", "t", "--out"];
    let mut command = assay(["dev", "bench-verdict", "--simulated", "0"]);
    command.args(options);
    let said = run(command.arg(out.path()).arg(manifest("small.toml")), DEADLINE);
    let side = |name: &str| out.path().join("bench-verdict/t").join(name);
    let sides = [side("a1"), side("primes-slowed-10")];
    let compare = |options: &[&str]| run(assay(["compare"]).args(options).args(&sides), DEADLINE);
    if said.code == Some(75) {
        // On a host that is too busy, the rounds are not compared.
        said.expect_message(&["host-contended: "]);
        compare(&[]).expect_exit(5).expect_message(&["a1: incomplete: ", "host-contended"]);
        return;
    }
    // Five rounds are too few for the goals, and five pairs are inconclusive.
    said.expect_exit(3).expect_answer(&[
        "case 1: 5 rounds side by side",
        "NOT DECIDED",
        "not tried at worst",
    ]);
    compare(&[]).expect_exit(5).expect_answer(&["program: A "]);
    compare(&["--across-blobs", "--paired"])
        .expect_exit(3)
        .expect_answer(&["INCONCLUSIVE", "5 rounds of A, 5 of B"]);
}

#[test]
#[ignore = "needs QEMU, a built kernel and built workers: make test-guest"]
fn runs_two_builds_of_a_worker_side_by_side_and_compares_them() {
    let out = tempfile::tempdir().unwrap();
    let other = out.path().join("workers");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("primes"), worker("primes-slowed-10").bytes()).unwrap();
    let mut command = assay(["ab", "--cases", "1", "--rounds", "6", "--label", "t", "--b-workers"]);
    let said = run(command.arg(&other).arg("--out").arg(out.path()).arg(manifest("small.toml")), DEADLINE);
    if said.code == Some(75) {
        // The host is too busy.
        said.expect_message(&["host-contended: "]);
        return;
    }
    said.expect_answer(&["differs: program: A ", "6 rounds of A, 6 of B", "paired by round"]);
    assert!(matches!(said.code, Some(0 | 1 | 3)), "{:?}\n{}", said.code, said.err);
    // Both are ordinary sessions: `compare` gives the same verdict.
    let sides = ["a", "b"].map(|side| out.path().join("ab/t").join(side));
    let by_hand = run(assay(["compare", "--paired", "--across-blobs"]).args(&sides), DEADLINE);
    assert_eq!((by_hand.code, by_hand.out), (said.code, said.out));
}

#[test]
#[ignore = "needs QEMU, a built kernel and built workers: make test-guest"]
fn names_the_row_whose_worker_gives_a_wrong_answer() {
    let out = tempfile::tempdir().unwrap();
    let other = out.path().join("workers");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("primes"), worker("control-wrong-answer").bytes()).unwrap();
    let mut command = assay(["ab", "--no-probe", "--rounds", "5", "--label", "t", "--b-workers"]);
    let said = run(command.arg(&other).arg("--out").arg(out.path()).arg(manifest("small.toml")), DEADLINE);
    said.expect_exit(4).expect_message(&["assay: b, ", "verifier-mismatch: "]);
}
