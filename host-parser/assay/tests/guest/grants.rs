//! What workers are granted: in pages of both sizes, and more than there is.

use std::fs;
use std::time::Duration;

use crate::assay::{assay, run, workspace};
use crate::experiments::{one_cpu, results};

const DEADLINE: Duration = Duration::from_secs(120);

/// The manifest of `gups` for two workers and one iteration, changed. Two workers on one host CPU are functional-only, so
/// this passes on a busy host too.
fn gups(change: impl Fn(String) -> String) -> String {
    let source = fs::read_to_string(workspace().join("manifests/workloads/gups.toml")).unwrap();
    let two =
        source.replace("workers = [1, 2, 4]", "workers = [2]").replace("iterations = 5", "iterations = 1");
    change(two)
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn memory_is_granted_in_pages_of_both_sizes_and_refused_if_there_is_too_little() {
    let out = tempfile::tempdir().unwrap();
    let large = "memory-mib = 17\npages = \"2m\"";
    for (name, from, to, exit) in [
        ("small-pages", "memory-mib = 17", "memory-mib = 17", 0),
        ("large-pages", "memory-mib = 17", large, 0),
        // The guest has 256 MiB.
        ("too-much", "memory-mib = 17", "memory-mib = 512", 6),
    ] {
        let path = out.path().join(name).with_extension("toml");
        fs::write(&path, gups(|source| source.replacen(from, to, 1))).unwrap();
        let mut command =
            assay(["run", "--label", name, "--rounds", "1", "--no-probe", "--cpus", &one_cpu()]);
        let said = run(command.arg("--out").arg(out.path()).arg(&path), DEADLINE);
        said.expect_exit(exit);
        let runs = &results(out.path(), "gups", name)["runs"];
        let passed = runs.as_array().unwrap().iter().find(|run| run["outcome"] == "passed");
        match passed {
            Some(run) => {
                let grant = &run["measurement"]["identity"]["grant"];
                assert_eq!((&grant["memory_mib"], &grant["prepare"]), (&17.into(), &true.into()), "{grant}");
                assert_eq!(grant["pages"], if name == "large-pages" { "2m" } else { "4k" }, "{grant}");
            }
            None => {
                assert_eq!(name, "too-much");
                said.expect_answer(&["case-skipped", "memory"]);
            }
        }
    }
}
