//! `assay snapshot`: our machine keeps what it holds while it is saved and loaded, its clones answer for themselves, and what is
//! spoilt on purpose is noticed.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::assay::{assay, run, workspace};

const DEADLINE: Duration = Duration::from_secs(300);

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn a_machine_keeps_what_it_holds_and_every_control_is_noticed() {
    let out = tempfile::tempdir().unwrap();
    let mut command =
        assay(["snapshot", "--accel", "tcg", "--systems", "assay", "--rounds", "1", "--label", "t"]);
    let said =
        run(command.arg("--out").arg(out.path()).arg(workspace().join("manifests/lifecycle.toml")), DEADLINE);
    said.expect_exit(0).expect_answer(&["PASSED", "restore-warm", "noticed"]);
    let session = out.path().join("snapshot/t");
    let results: Value = serde_json::from_slice(&fs::read(session.join("snapshot.json")).unwrap()).unwrap();
    let names = |list: &str, key: &str| -> Vec<String> {
        let each = results[list].as_array().unwrap().iter();
        each.map(|one| one[key].as_str().unwrap().to_owned()).collect()
    };
    for name in ["all-memory", "registers", "memory", "fpu", "apic", "timer", "tsc-offsets", "pause-noticed"]
    {
        assert!(names("checks", "name").contains(&name.to_owned()), "{name}: {results}");
    }
    for spoilt in ["memory", "fpu", "apic", "timer", "tsc", "no pause", "another boot"] {
        assert!(names("controls", "spoilt").contains(&spoilt.to_owned()), "{spoilt}: {results}");
    }
    assert!(results["sizes"][0]["block_bytes"].as_u64().unwrap() > 1 << 20, "{results}");
    // What is large is not kept.
    let left = |name: &str| fs::read_dir(session.join(name)).unwrap().flatten().map(|file| file.path());
    assert!(
        left("kept").all(|file| file.metadata().unwrap().len() < 1 << 20),
        "{:?}",
        left("kept").collect::<Vec<_>>()
    );
}
