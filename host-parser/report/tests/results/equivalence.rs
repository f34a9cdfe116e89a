//! Every reason for which a comparison is refused, tripped by one thing that differs, and by that alone.

use std::collections::BTreeSet;

use abi::syscall::Authority;
use abi::wire::record::SystemName;
use abi::wire::{Record, Text};
use evidence::gate::ReasonCode;
use results::{Conclusion, NotComparable, Results, System};

use super::rounds::said;
use super::systems::{Side, compared, rounds, side};
use test_support::guest::KHZ;

/// Changes what each record of a kind says.
macro_rules! saying {
    ($kind:ident, $change:expr) => {{
        let edit: fn(&mut Record) = |record| {
            if let Record::$kind(message) = record {
                let change: fn(&mut abi::wire::record::$kind) = $change;
                change(message);
            }
        };
        Side { edit, ..side(System::Linux) }
    }};
}

/// A Linux guest whose command has `new` in the place of `old`.
macro_rules! commanded {
    ($old:literal, $new:literal) => {{
        let command: fn(&mut Vec<String>) = |words| {
            for word in words.iter_mut().filter(|word| word.contains($old)) {
                *word = word.replace($old, $new);
            }
        };
        Side { command, ..side(System::Linux) }
    }};
}

/// Each reason, a Linux guest that trips it, and what the refusal names: both values.
fn controls() -> Vec<(NotComparable, Side, [&'static str; 2])> {
    let linux = || side(System::Linux);
    vec![
        (
            NotComparable::System,
            saying!(System, |system| system.name = SystemName::Native),
            ["of linux (run 2)", "says native"],
        ),
        // Its log has no `tuning` record.
        (
            NotComparable::System,
            side(System::LinuxTuned),
            ["of linux-tuned (run 2)", "says linux, not tuned"],
        ),
        (
            NotComparable::Blob,
            saying!(Blob, |blob| blob.sha256 = abi::Digest::of(b"another")),
            ["fc2aa5ee551b", "ae448ac86c4e"],
        ),
        (
            NotComparable::Parameters,
            Side { whole: [2, 299_999, 0, 0], ..linux() },
            ["primes 2 300000 0 0", "primes 2 299999 0 0"],
        ),
        (
            NotComparable::Authority,
            saying!(Experiment, |experiment| experiment.authority = Authority::NONE),
            ["assay (run 0) has exit", "linux (run 2) has none"],
        ),
        (
            NotComparable::Plan,
            saying!(Challenge, |challenge| challenge.work = abi::Digest::of(b"another")),
            ["assay", "ae448ac8"],
        ),
        (
            NotComparable::Iterations,
            Side { iterations: 2, ..linux() },
            ["assay (run 0) has 1", "linux (run 2) has 2"],
        ),
        (
            NotComparable::Clock,
            // All sources of the TSC's frequency agree on another.
            Side { khz: KHZ * 11 / 10, ..linux() },
            ["assay (run 0) has 2100000 kHz", "linux (run 2) has 2310000 kHz"],
        ),
        (NotComparable::HostCpus, Side { host_cpus: Some("0"), ..linux() }, ["has 0-1", "has 0"]),
        (NotComparable::Accelerator, commanded!("tcg", "kvm"), ["has tcg", "has kvm"]),
        (NotComparable::CpuModel, commanded!("max", "qemu64"), ["has max", "has qemu64"]),
        // The command is the same, and the guest saw another CPU all the same.
        (
            NotComparable::CpuModel,
            saying!(Brand, |brand| brand.name = Text::new("Another CPU")),
            ["has \"QEMU Virtual CPU", "has \"Another CPU\""],
        ),
        (NotComparable::Vcpus, commanded!("cores=", "threads="), ["has 1,cores=1", "has 1,threads=1"]),
        (NotComparable::Memory, commanded!("128M", "256M"), ["has 128M", "has 256M"]),
        (NotComparable::Qemu, commanded!("q35", "pc"), ["has -machine q35", "has -machine pc"]),
    ]
}

fn refused(side_of_linux: Side) -> Results {
    compared(rounds(1, &[1, 2], &[side(System::Assay), side_of_linux]))
}

#[test]
fn every_difference_is_refused_by_its_own_reason() {
    for (reason, linux, named) in controls() {
        let results = refused(linux);
        let passed = results.runs.iter().all(|run| run.verdict.outcome.measurement().is_some());
        assert!(passed, "{reason}: the gate has nothing against the runs by themselves");
        let comparison = results.comparison.as_ref().expect("two systems");
        let found: BTreeSet<NotComparable> = comparison.findings.iter().map(|f| f.reason).collect();
        assert_eq!(found, BTreeSet::from([reason]), "{:#?}", comparison.findings);
        let detail = &comparison.refusal().expect("refused").detail;
        assert!(named.iter().all(|value| detail.contains(value)), "{reason}: {detail}");
        assert!(comparison.ratios.is_empty() && !comparison.comparable, "{reason}");
        assert!(
            results
                .costs
                .iter()
                .all(|row| row.first_worker_us.as_ref().is_some_and(|f| f.to_linux.is_none()))
        );
        assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::NotComparable));
        let text = said(&results);
        assert!(text.contains("NOT COMPARABLE") && text.contains(reason.code()), "{text}");
    }
}

#[test]
fn every_reason_has_a_control() {
    let controlled: BTreeSet<NotComparable> = controls().into_iter().map(|(reason, ..)| reason).collect();
    assert_eq!(controlled, BTreeSet::from(NotComparable::ALL));
}

#[test]
fn what_is_not_known_is_not_the_same() {
    let unknown = refused(Side { host_cpus: None, ..side(System::Linux) });
    let refusal = unknown.comparison.as_ref().and_then(|c| c.refusal()).expect("refused");
    assert_eq!(refusal.reason, NotComparable::HostCpus);
    assert!(refusal.detail.contains("of linux (run 2) is not known"), "{}", refusal.detail);
    let forgot: fn(&mut Vec<String>) = Vec::clear;
    let unknown = refused(Side { command: forgot, ..side(System::Linux) });
    let refusal = unknown.comparison.as_ref().and_then(|c| c.refusal()).expect("refused");
    assert_eq!(refusal.reason, NotComparable::Accelerator);
}

#[test]
fn what_is_booted_may_differ_and_is_listed() {
    let results = refused(side(System::Linux));
    let comparison = results.comparison.as_ref().expect("two systems");
    assert!(comparison.comparable, "{:?}", comparison.findings);
    let options: Vec<&str> = comparison.differences.iter().map(|d| d.option.as_str()).collect();
    assert_eq!(options, ["-append", "-initrd", "-kernel"]);
    assert!(comparison.same.iter().any(|same| same.what == "CPU model" && same.value.starts_with("max ")));
}

#[test]
fn a_native_row_has_no_machine_to_be_the_same() {
    let results = compared(rounds(1, &[1, 2], &[side(System::Assay), side(System::Native)]));
    let comparison = results.comparison.expect("two systems");
    assert!(comparison.comparable && comparison.differences.is_empty(), "{:?}", comparison.findings);
}

#[test]
fn a_run_of_the_same_system_must_be_the_same_too() {
    let mut runs = rounds(2, &[1, 2], &[side(System::Assay), side(System::Linux)]);
    runs[4].making().host_cpus = Some("1".to_owned());
    let results = compared(runs);
    let refusal = results.comparison.as_ref().and_then(|c| c.refusal()).expect("refused");
    assert!(refusal.detail.contains("assay (run 4) has 1"), "{}", refusal.detail);
}
