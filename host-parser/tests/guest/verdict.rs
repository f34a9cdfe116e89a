//! `assay bench-verdict` and `assay compare` on guests.

use std::time::Duration;

use crate::assay::{assay, manifest, run};

const DEADLINE: Duration = Duration::from_secs(240);

#[test]
#[ignore = "needs QEMU, a built kernel and built workers: make test-guest"]
fn records_sides_that_can_be_compared() {
    let out = tempfile::tempdir().unwrap();
    let mut command = assay(["bench-verdict", "--rounds", "5", "--trials", "100", "--label", "t", "--out"]);
    let said = run(command.arg(out.path()).arg(manifest("small.toml")), DEADLINE);
    let side = |name: &str| out.path().join("bench-verdict/t").join(name);
    let sides = [side("a1"), side("primes-slowed-10")];
    let compare = |options: &[&str]| run(assay(["compare"]).args(options).args(&sides), DEADLINE);
    if said.code == Some(5) {
        // A host that is too busy for this says so, and its rounds are not compared.
        said.expect_message(&["host-contended: 6 rounds"]);
        compare(&[]).expect_exit(5).expect_message(&["a1: incomplete: ", "host-contended"]);
        return;
    }
    // Five rounds are too few for the goals, and five pairs cannot tell.
    said.expect_exit(1).expect_answer(&["case 1: 5 rounds side by side", "not tried at worst"]);
    compare(&[]).expect_exit(5).expect_answer(&["program: A "]);
    compare(&["--across-blobs", "--paired"]).expect_exit(3).expect_answer(&["INCONCLUSIVE", "    5    5 "]);
}
