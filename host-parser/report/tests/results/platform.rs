//! The costs of the platform, on the terminal.

use std::path::Path;

use abi::series::Shortened;
use abi::wire::Record;
use evidence::gate::{Gate, HostEvidence, ReasonCode, RunExpectation};
use evidence::transcript::Transcript;
use foreign::{Figures, Tool};
use report::terminal;
use results::disclosure::Disclosure;
use results::{Completion, Conclusion, Environment, Results, RunRecord};
use test_support::guest::Guest;
use test_support::platform::{log_with, records};

use super::rounds::experiment;

/// The results of five boots, whose records are changed by `change`, given the boot.
fn results(change: impl Fn(u64, &mut Record)) -> Results {
    let mut gate = Gate::default();
    let runs = (0..5_u32).map(|boot| {
        let nonce = 30_000 + u64::from(boot);
        let mut records = records(Shortened::None);
        records.iter_mut().for_each(|record| change(boot.into(), record));
        // Other times in each boot: the same ones twice are a copy.
        let guest =
            Guest { nonce, whole: [2, 3_000, 0, 0], work_cycles: 50_000_000 + 91 * nonce, ..Guest::of(2) };
        let log = log_with(&guest, &records);
        let evidence = HostEvidence::default();
        let verdict = gate.judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
        RunRecord { case: Some(2), ..RunRecord::new(boot, boot, verdict) }
    });
    let experiment = results::Experiment { cases: vec![2], ..experiment(None) };
    Results::new(experiment, Environment::default(), runs.collect(), Completion::Complete)
}

#[test]
fn shows_each_row_over_its_boots_in_80_columns() {
    let results = results(|_, _| ());
    let text = terminal(&results);
    assert!(text.contains("PLATFORM, assay: medians over 5 boots; cv is over boots"), "{text}");
    let row = text.lines().find(|line| line.starts_with("exit_cpuid b")).unwrap_or_else(|| panic!("{text}"));
    // 1,000 to 90,000 cycles of 100 operations, the same in each boot.
    assert!(row.ends_with("0.0"), "{row}");
    assert!(text.contains("not-offered: ") && text.contains("THIS MACHINE"), "{text}");
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    assert_eq!(results.conclusion(), Conclusion::Measured);
}

#[test]
fn a_row_that_failed_in_one_boot_is_named_and_the_exit_says_so() {
    let results = results(|boot, record| {
        if let Record::SeriesOracle(oracle) = record
            && boot == 3
            && oracle.id == 0
        {
            oracle.done -= 1;
        }
    });
    let text = terminal(&results);
    assert!(text.contains("NO FIGURE: exit_cpuid on CPU 0, in 1 of 5 boots: verifier-mismatch"), "{text}");
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::VerifierMismatch));
}

#[test]
fn shows_foreign_figures_beside_ours_and_says_that_no_rule_judges_them() {
    let text = "cpuid 5\nvmcall (skipped)\nmov_from_cr8 7\nipi 9000\n";
    let path = Path::new("/tmp/vmexit.log");
    let figures = Figures::parse(Tool::KvmUnitTests, path, text).unwrap();
    let results = results(|_, _| ());
    let shown = report::foreign(&results, &figures);
    assert!(shown.contains("FOREIGN, kvm-unit-tests (/tmp/vmexit.log): not judged"), "{shown}");
    // 1,040 cycles of 100 operations, within the width of a bucket.
    let row: Vec<&str> =
        shown.lines().find(|line| line.starts_with("cpuid ")).unwrap().split_whitespace().collect();
    assert_eq!(row[..4], ["cpuid", "5", "exit_cpuid", "10"], "{shown}");
    assert!(row[4].starts_with("2.0") || row[4].starts_with("2.1"), "{shown}");
    for line in [
        "vmcall        skipped  exit_vmcall      -             -",
        "ipi              9000  ipi_rt           -",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    assert!(shown.lines().all(|line| line.len() <= 80), "{shown}");
    // The verdict is the same with any foreign figure.
    assert_eq!(results.conclusion(), Conclusion::Measured);
}

#[test]
fn a_performance_note_has_every_kind_of_evidence_and_names_what_is_missing() {
    let disclosure = Disclosure::parse(Path::new("d.toml"), "provider = \"gce\"\n").unwrap();
    let note = report::note(&results(|_, _| ()).with_disclosure(Some(disclosure)));
    for wanted in [
        "### Host\n\n- provider: `gce`\n- region: NOT STATED (`region` of the disclosure file)",
        "### Boot path",
        "- from power-on to the kernel: NOT STATED (`boot-path` of the disclosure file)",
        "### Sizes",
        "- program primes: ",
        "### Memory and CPU, before and after",
        "KiB usable at the start",
        "### Boot markers",
        "us after the kernel's first instruction",
        "### What this does not prove\n\n- One host, one session",
    ] {
        assert!(note.contains(wanted), "{wanted}\n{note}");
    }
    assert!(note.lines().all(|line| line.len() <= 80), "{note}");
}
