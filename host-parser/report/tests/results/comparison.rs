//! Systems side by side: their rows, their ratios, and the forms that these become.

use report::{Exporter, SummaryMarkdown, terminal};
use results::{Conclusion, Results, System, SystemComparison};

use super::rounds::whole;
use super::systems::{Side, compared, rounds, side};
use test_support::golden;

/// Four systems: in case 2 Linux loses 2 % against ours, natively 1 % less is lost.
fn four(cases: &[u16]) -> Results {
    let sides = [
        side(System::Assay),
        Side { slowness: 102, ..side(System::Linux) },
        Side { slowness: 101, ..side(System::LinuxMitigationsOff) },
        Side { slowness: 99, ..side(System::Native) },
    ];
    compared(rounds(7, cases, &sides))
}

fn comparison(results: &Results) -> &SystemComparison {
    results.comparison.as_ref().expect("several systems")
}

#[test]
fn ratios_are_paired_by_round() {
    let results = four(&[1, 2]);
    let comparison = comparison(&results);
    assert!(comparison.comparable, "{:?}", comparison.findings);
    let of = |system, against| &comparison.ratio(system, against, 2).expect("a row").ratio;
    let to_linux = of(System::Assay, System::Linux);
    // What slowed a round slowed both: nothing is left of it.
    assert!(to_linux.ratios.iter().all(|ratio| (ratio - 1.02).abs() < 1e-3), "{to_linux:?}");
    assert_eq!(to_linux.ratios.len(), 7);
    let interval = to_linux.interval.expect("seven rounds");
    assert!(interval.low <= to_linux.median && to_linux.median <= interval.high);
    assert!((of(System::Assay, System::Native).median - 0.99).abs() < 1e-3);
    assert!((of(System::LinuxMitigationsOff, System::Linux).median - 1.02 / 1.01).abs() < 1e-3);
    assert!(comparison.ratio(System::Linux, System::Linux, 2).is_none());
}

#[test]
fn the_claim_is_of_the_first_system() {
    let sides = [side(System::Assay), Side { slowness: 150, ..side(System::Linux) }];
    let results = compared(rounds(7, &[1, 2], &sides));
    assert_eq!(results.conclusion(), Conclusion::Holds, "Linux's speed-up is not ours");
    let alone = compared(rounds(7, &[1, 2], &sides[1..]));
    assert_eq!(alone.conclusion(), Conclusion::DoesNotHold);
    assert!(alone.comparison.is_none());
}

#[test]
fn times_to_the_result_are_held_against_linux() {
    let results = four(&[1, 2]);
    let row = |system, case| {
        results.costs.iter().find(|row| (row.system, row.case) == (system, case)).expect("a row")
    };
    let ratio = |system| {
        let worker = row(system, 1).first_worker_us.clone().expect("known");
        worker.to_linux.map(|ratio| ratio.median)
    };
    assert_eq!(ratio(System::Assay), Some(80_000.0 / 1_720_000.0));
    assert_eq!(ratio(System::Linux), None);
}

#[test]
fn a_round_is_gone_for_all_systems_where_the_host_disturbed_one() {
    let sides = [side(System::Assay), side(System::Linux)];
    let mut runs = rounds(7, &[1, 2], &sides);
    let disturbed = super::set_aside::disturbed_run(&runs[2]);
    runs[2] = disturbed;
    let results = compared(runs);
    let ratio = comparison(&results).ratio(System::Assay, System::Linux, 2).expect("a row");
    assert_eq!(ratio.ratio.ratios.len(), 6);
    assert!(results.cases.iter().all(|row| row.stats.cycles.n == 6));
}

#[test]
fn a_functional_only_case_is_shown_as_that() {
    let results = four(&[1, 2, 4]);
    let of = |case| comparison(&results).ratio(System::Assay, System::Linux, case).expect("a row");
    assert!(of(4).functional_only && !of(2).functional_only);
}

#[test]
fn every_form_of_a_comparison_is_as_it_was() {
    let results = four(&[1, 2, 4]);
    let at = |name| golden::path("tests/forms").join(name);
    let text = terminal(&results);
    golden::check(&at("compared.txt"), text.as_bytes());
    assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 80), "{text}");
    let mut summary = Vec::new();
    SummaryMarkdown.export(&results, &mut summary).expect("memory takes all");
    golden::check(&at("compared.md"), &summary);
    assert!(
        !String::from_utf8_lossy(&summary).contains("/somewhere"),
        "a published file has no paths of this host"
    );
    let comparison = serde_json::to_string_pretty(comparison(&results)).expect("JSON");
    golden::check(&at("comparison.json"), (comparison + "\n").as_bytes());
}

#[test]
fn one_system_alone_is_compared_with_nothing() {
    assert!(whole().comparison.is_none() && whole().costs.is_empty());
}
