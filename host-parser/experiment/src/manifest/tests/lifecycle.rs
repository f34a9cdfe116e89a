//! The life of machines: what the shipped manifest asks for, and what is refused.

use super::*;

const LIFECYCLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../manifests/lifecycle.toml"));

/// What is said about the manifest with one piece of text replaced.
fn complaint(from: &str, to: &str) -> String {
    assert!(LIFECYCLE.contains(from), "{from}");
    parse(&LIFECYCLE.replacen(from, to, 1)).expect_err("a bad manifest").to_string()
}

#[test]
fn the_shipped_manifest_has_each_machine_once_and_makes_no_claim() {
    let manifest = parse(LIFECYCLE).unwrap();
    let lifecycle = manifest.lifecycle().unwrap();
    let names: Vec<String> = lifecycle.machines.iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "q35-direct-1-128",
            "q35-direct-2-128",
            "q35-direct-4-128",
            "microvm-direct-1-128",
            "q35-direct-1-1024",
            "q35-bios-1-128",
            "q35-uefi-1-256",
        ]
    );
    assert!(!manifest.can_claim() && usize::from(manifest.rounds()) >= MIN_GATED_CYCLES);
    assert_eq!(lifecycle.bursts, [1, 2, 4]);
    let gates: Vec<String> = lifecycle.gates.iter().map(LifeGate::name).collect();
    assert_eq!(gates, ["ready p95 <= 60000 ms", "delete p95 <= 10000 ms"]);
}

#[test]
fn an_experiment_on_one_machine_has_its_cpus_as_its_only_case() {
    let manifest = parse(LIFECYCLE).unwrap();
    let machine = manifest.lifecycle().unwrap().machines[3];
    let of_one = manifest.on(machine);
    assert_eq!((of_one.cases(), of_one.machine()), (&[1][..], machine.profile));
    assert_eq!((of_one.name(), of_one.oracle()), (manifest.name(), manifest.oracle()));
}

#[test]
fn refuses_a_lifecycle_in_another_tier_and_a_tier_without_one() {
    let said = complaint("tier = \"lifecycle\"", "tier = \"scaling\"");
    assert!(said.contains("expected the tier \"lifecycle\" beside a table [lifecycle]"), "{said}");
    let without = changed("tier = \"scaling\"", "tier = \"lifecycle\"");
    let said = parse(&without).expect_err("no table").to_string();
    assert!(said.contains("expected a table [lifecycle]"), "{said}");
}

#[test]
fn refuses_what_no_machine_has() {
    for (from, to, expected) in [
        (
            "type = \"microvm\"\nboot = \"direct\"",
            "type = \"microvm\"\nboot = \"bios\"",
            "expected \"direct\" for a microvm",
        ),
        ("bursts = [1, 2, 4]", "bursts = [1, 1]", "expected each number of machines once"),
        ("bursts = [1, 2, 4]", "bursts = [65]", "at most 64"),
        (
            "row = \"ready\"",
            "row = \"redy\"",
            "expected one of provision, first-record, ready, exec, delete, cycle",
        ),
        ("at-most-ms = 60_000", "at-most-ms = 0", "at least 1"),
        ("at-most-ms = 60_000", "machine = \"q35\"\nat-most-ms = 1", "expected one of q35-direct-1-128, "),
        ("memory-mib = 1024", "memory-mib = 128", "expected each machine once"),
    ] {
        let said = complaint(from, to);
        assert!(said.contains(expected), "{to}: {said}");
    }
}
