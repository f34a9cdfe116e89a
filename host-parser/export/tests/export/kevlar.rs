//! Kevlar's lines, by the reader of Kevlar's consoles.

use std::path::Path;

use abi::series::Shortened;
use evidence::gate::{Gate, HostEvidence, RunExpectation};
use evidence::transcript::Transcript;
use export::{Better, Form, FormError, Subject};
use foreign::{Figures, Tool};
use results::{Completion, Environment, Results, RunRecord};
use test_support::guest::Guest;
use test_support::{mechanisms, platform};

use super::forms::{session, write};
use super::rounds::experiment;

fn read(text: &str) -> Figures {
    Figures::parse(Tool::Kevlar, Path::new("k.log"), text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn a_case_is_the_mean_of_its_iterations() {
    let text = write(&session(), Form::KevlarBench, Better::Bigger);
    let figures = read(&text).all;
    // Two systems, two cases that show speed; six rounds each.
    assert_eq!(figures.len(), 4, "{text}");
    assert!(figures.iter().all(|figure| figure.note == "mean of 6"), "{figures:?}");
    let wanted =
        (818_176_648 + 842_665_003 + 826_302_414 + 818_154_917 + 875_374_812 + 834_495_442_u64) as f64;
    assert_eq!(figures[0].value, Some(wanted / 6.0));
}

#[test]
fn a_row_counts_the_operations_of_all_boots_and_gaps_have_no_line() {
    let (records, boots) = (platform::records(Shortened::None), 3);
    let results = rows(&records, boots);
    let text = write(&results, Form::KevlarBench, Better::Bigger);
    let figures = read(&text).all;
    let of = |row: &str| {
        let name = format!("smp-process-scale/assay/{row}/cpu0");
        figures.iter().find(|figure| figure.name == name).unwrap_or_else(|| panic!("no {name} in {text}"))
    };
    let cpuid = of("exit_cpuid");
    let operations = u64::from(boots) * platform::N * platform::SAMPLES.len() as u64;
    assert_eq!(cpuid.note, format!("mean of {operations}"));
    let series = results.runs[0].verdict.outcome.measurement().and_then(|of| of.platform()).expect("rows");
    let mean = series
        .series
        .iter()
        .find(|series| series.place.row.word() == "exit_cpuid")
        .and_then(|series| series.figures())
        .expect("a figure")
        .costs
        .mean;
    assert!((cpuid.value.expect("a figure") - mean).abs() < 0.01, "{cpuid:?}, mean {mean}");
    assert!(!text.contains("gap"), "{text}");
}

#[test]
fn a_row_of_the_mechanisms_is_one_too() {
    let text = write(&rows(&mechanisms::records(Shortened::None), 1), Form::KevlarBench, Better::Bigger);
    assert!(read(&text).all.iter().any(|figure| figure.name.contains("/null_enter/")), "{text}");
}

#[test]
fn a_file_has_one_session() {
    let results = session();
    let subject = Subject { name: "x", results: &results };
    let written = Form::KevlarBench.write(&[subject, subject], Better::Bigger);
    assert_eq!(written, Err(FormError::OneSession));
}

/// Boots of one case with these rows besides.
fn rows(records: &[abi::wire::Record], boots: u32) -> Results {
    let mut gate = Gate::default();
    let runs = (0..boots).map(|boot| {
        let nonce = 50_000 + u64::from(boot);
        let guest =
            Guest { nonce, whole: [2, 3_000, 0, 0], work_cycles: 50_000_000 + 91 * nonce, ..Guest::of(2) };
        let log = platform::log_with(&guest, records);
        let verdict =
            gate.judge(&Transcript::read(&log), &RunExpectation::default(), &HostEvidence::default());
        RunRecord { case: Some(2), ..RunRecord::new(boot, boot, verdict) }
    });
    let experiment = results::Experiment { cases: vec![2], ..experiment(None) };
    Results::new(experiment, Environment::default(), runs.collect(), Completion::Complete)
}
