//! The manifests of controls: what they must have, and that each control has one.

use std::path::Path;

use abi::control::ControlKind;
use evidence::gate::ReasonCode;

use super::{SHIPPED, changed, parse};
use crate::manifest::{Control, Manifest};

/// The shipped manifest in the control tier, with this table.
fn control(table: &str, program: &str) -> Result<Manifest, String> {
    let source = changed("\"scaling\"", "\"control\"").replace("\"primes\"", &format!("\"{program}\""));
    parse(&format!("{source}\n[control]\n{table}")).map_err(|error| error.to_string())
}

#[test]
fn a_control_has_a_tier_of_its_own_and_makes_no_claim() {
    let manifest = control("expect = \"authority-exceeded\"", "control-syscall").unwrap();
    assert!(!manifest.can_claim());
    let Control { expect, kernel } = manifest.control().unwrap();
    assert_eq!((expect, kernel.kind), (ReasonCode::AuthorityExceeded, ControlKind::None));
    let kernel = "expect = \"cpu-missing\"\nkernel = \"skip-ap\"\ntarget-cpu = 1";
    let Control { kernel, .. } = control(kernel, "primes").unwrap().control().unwrap();
    assert_eq!((kernel.kind, kernel.target), (ControlKind::SkipAp, 1));
    assert_eq!(parse(SHIPPED).unwrap().control(), None);
}

#[test]
fn refuses_controls_that_are_none() {
    let said = parse(&changed("\"scaling\"", "\"control\"")).unwrap_err().to_string();
    assert!(said.contains("control: expected a table [control]"), "{said}");
    let said = control("expect = \"authority-exceeded\"", "primes").unwrap_err();
    assert!(said.contains("workload.program: expected a worker program of this tier: control-"), "{said}");
    let said = control("expect = \"x\"", "control-syscall").unwrap_err();
    assert!(said.contains("control.expect: expected a reason code"), "{said}");
    let said = control("expect = \"timeout\"\nkernel = \"x\"", "primes").unwrap_err();
    assert!(said.contains("control.kernel: expected one of: lose-record, "), "{said}");
    let said = control("expect = \"timeout\"\ntarget-cpu = 1", "control-syscall").unwrap_err();
    assert!(said.contains("control.target-cpu: expected no target"), "{said}");
    let said = parse(&format!("{SHIPPED}\n[control]\nexpect = \"timeout\"")).unwrap_err().to_string();
    assert!(said.contains("control.expect: expected no control but in the tier"), "{said}");
}

#[test]
fn every_shipped_control_is_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests/controls");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let names: Vec<String> = paths
        .map(|path| {
            let manifest = Manifest::load(&path).unwrap();
            assert!(manifest.control().is_some(), "{}", path.display());
            assert_eq!(path.file_stem().unwrap().to_str(), Some(manifest.name().as_str()));
            manifest.name().to_string()
        })
        .collect();
    assert!(!names.is_empty());
}

#[test]
fn every_kernel_control_and_every_control_worker_is_shipped() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests/controls");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let manifests: Vec<_> = paths.map(|path| Manifest::load(&path).unwrap()).collect();
    for kind in ControlKind::ALL.iter().copied().filter(|&kind| kind != ControlKind::None) {
        let of_it =
            |manifest: &&Manifest| manifest.control().is_some_and(|control| control.kernel.kind == kind);
        let shipped: Vec<_> = manifests.iter().filter(of_it).collect();
        let mut names: Vec<_> = shipped.iter().map(|manifest| manifest.name().to_string()).collect();
        names.sort();
        assert_eq!(names.first(), Some(&format!("kernel-{kind}")));
        assert!(names.iter().all(|name| name.starts_with(&names[0])), "{names:?}");
    }
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../user-workers/programs/src/bin");
    for program in std::fs::read_dir(programs).unwrap().map(|entry| entry.unwrap().path()) {
        let name = program.file_stem().unwrap().to_str().unwrap().to_owned();
        // A control of another workload is run with that workload's manifest (`assay dev controls --workloads`).
        let of_primes = workloads::by_name(&name).is_some_and(|of| of.control_of() == Some("primes"));
        let expected = usize::from(of_primes);
        let of_it = |manifest: &&Manifest| name != "primes" && manifest.program() == name;
        assert_eq!(manifests.iter().filter(of_it).count(), expected, "{name}");
    }
}
