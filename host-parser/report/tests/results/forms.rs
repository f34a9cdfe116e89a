//! The files and the table that results become.

use std::collections::BTreeMap;

use evidence::gate::{Exclusion, Gate, HostEvidence, ReasonCode, Scope};
use evidence::ledger::{FailedProbe, Probe, Probes};
use report::{Exporter, ResultsJson, SamplesCsv, SummaryMarkdown, terminal, write_all};
use results::{Completion, Results, RunRecord};

use super::rounds::{QUIET, RULE, environment, experiment, judge, refused, results, runs, whole};
use test_support::golden;
use test_support::guest::Guest;

fn exported(exporter: &dyn Exporter, results: &Results) -> Vec<u8> {
    let mut out = Vec::new();
    exporter.export(results, &mut out).expect("memory takes all");
    out
}

#[test]
fn every_form_is_as_it_was() {
    let mut results = whole();
    // Not a golden file's business.
    results.tool.version = "0.0.0".to_owned();
    let at = |name| golden::path("tests/forms").join(name);
    golden::check(&at("terminal.txt"), terminal(&results).as_bytes());
    golden::check(&at("summary.md"), &exported(&SummaryMarkdown, &results));
    let mut few = results.clone();
    few.runs.truncate(3);
    few.runs.push(RunRecord { round_number: 4, ..refused() });
    golden::check(&at("results.json"), &exported(&ResultsJson, &few));
    golden::check(&at("samples.csv"), &exported(&SamplesCsv, &few));
}

#[test]
fn the_terminal_gets_ascii_of_eighty_columns() {
    let mut runs = runs(7, &[(1, QUIET), (2, QUIET), (4, QUIET)], 2);
    runs.push(refused());
    let text = terminal(&Results::new(experiment(Some(RULE)), environment(), runs, Completion::Complete));
    assert!(text.is_ascii(), "{text}");
    for line in text.lines() {
        assert!(line.len() <= 80, "{line}");
    }
}

#[test]
fn columns_stay_in_line_with_big_numbers() {
    let guest = |case| Guest { work_cycles: 1 << 50, ..Guest::of(case) };
    let mut gate = Gate::default();
    let mut runs = Vec::new();
    for (run, case) in [(0, 1), (1, 2)] {
        let verdict = judge(&mut gate, &guest(case), &HostEvidence::default());
        runs.push(RunRecord::new(run, 0, verdict));
    }
    let text = terminal(&results(runs));
    let rows: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("workers")).take(5).collect();
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{text}");
    assert!(text.contains("536,142,812.8"), "{text}");
}

#[test]
fn rows_of_csv_have_as_many_fields_as_the_header() {
    let mut runs = runs(2, &[(1, QUIET), (2, QUIET)], 2);
    runs.push(refused());
    let csv = String::from_utf8(exported(&SamplesCsv, &results(runs))).expect("ASCII");
    let widths: Vec<usize> = csv.lines().map(|line| line.split(',').count()).collect();
    assert_eq!(widths, [26; 8], "{csv}");
    assert!(csv.lines().last().expect("rows").starts_with("99,4,assay,0,failed,timeout,0,2,"), "{csv}");
}

#[test]
fn rounds_and_attempts_count_from_1_and_in_older_forms_from_0() {
    let mut runs = runs(7, &[(1, QUIET), (2, QUIET)], 2);
    (runs[3].attempt, runs[5].attempt) = (1, 2);
    let excluded = Exclusion {
        reason: ReasonCode::Steal,
        scope: Scope::Round { round: 4, run: None },
        detail: "of another row".to_owned(),
    };
    let mut probes = Probes::default();
    probes.made.extend([0, 7].map(|before_round| Probe::new(before_round, 0, 200, 100)));
    probes.failed.push(FailedProbe { before_round: 3, why: "no time".to_owned() });
    let (of_4, complete) = (BTreeMap::from([(4, excluded)]), Completion::Complete);
    let newest = Results::of_rounds(experiment(Some(RULE)), environment(), probes, runs, complete, of_4);
    for (form, first) in [(4, 1), (3, 0), (2, 0)] {
        let results = newest.clone().in_form(form);
        let json: serde_json::Value =
            serde_json::from_slice(&exported(&ResultsJson, &results)).expect("JSON");
        assert_eq!(json["schema"], form);
        let numbers = |key: &str| {
            json["runs"].as_array().unwrap().iter().map(|run| run[key].as_u64()).collect::<Vec<_>>()
        };
        let rounds: Vec<_> = (0..7).flat_map(|round| [Some(round + first); 2]).collect();
        assert_eq!(numbers("round"), rounds);
        let attempts: Vec<_> = (0..14)
            .map(|run| [(3, 1), (5, 2)].iter().find(|&&(of, _)| of == run).map(|(_, again)| again + first))
            .collect();
        assert_eq!(numbers("attempt"), attempts);
        let excluded: Vec<_> = json["rounds_set_aside"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(excluded, [(4 + first).to_string()]);
        assert_eq!(json["probes"]["made"][1]["before_round"], 7 + first);
        assert_eq!(json["probes"]["failed"][0]["before_round"], 3 + first);
        let csv = String::from_utf8(exported(&SamplesCsv, &results)).expect("ASCII");
        let last = csv.lines().last().expect("rows").split(',').nth(1).expect("a round").to_owned();
        assert_eq!(last, (6 + first).to_string());
    }
}

#[test]
fn files_are_written_whole_and_replaced() {
    let dir = tempfile::tempdir().expect("a directory");
    let written = write_all(dir.path(), &whole()).expect("written");
    assert_eq!(written.len(), 3);
    write_all(dir.path(), &whole()).expect("replaced");
    assert_eq!(std::fs::read_dir(dir.path()).expect("a directory").count(), 3);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&written[0]).expect("there")).expect("JSON");
    assert_eq!((json["schema"].as_u64(), json["claim"]["verdict"].as_str()), (Some(4), Some("holds")));
    let first = &json["runs"][0];
    assert_eq!(first["outcome"], "passed");
    assert_eq!(first["measurement"]["samples"][0]["workers"][0]["worker"], 0);
}

#[test]
fn a_file_that_cannot_be_written_does_not_cost_the_others() {
    let dir = tempfile::tempdir().expect("a directory");
    // A directory in the file's place, which no file can replace.
    std::fs::create_dir(dir.path().join("results.json")).expect("made");
    let error = write_all(dir.path(), &whole()).expect_err("in the way");
    assert!(error.to_string().contains("results.json: cannot write: "), "{error}");
    assert!(dir.path().join("samples.csv").is_file() && dir.path().join("summary.md").is_file());
}
