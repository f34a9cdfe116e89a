//! What follows from a ledger, by cycles that are made up.

use std::path::Path;

use abi::Digest;
use evidence::gate::{HostEvidence, ReasonCode};

use super::*;
use crate::ledger::{Target, Times};

/// The shipped manifest with its gates replaced.
fn manifest(gates: &str) -> Manifest {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../manifests/lifecycle.toml"));
    let (head, rest) = text.split_once("# A gate that every host meets").unwrap();
    let (_, tail) = rest.split_once("# Enough for an answer").unwrap();
    Manifest::parse(Path::new("x.toml"), format!("{head}{gates}\n#{tail}").as_bytes()).unwrap()
}

fn commitment() -> Commitment {
    let target = |subject| Target { machine: "q35-direct-1-128".to_owned(), cpus: 1, subject };
    Commitment {
        form: 1,
        session: "0".repeat(32),
        started_unix_ms: 0,
        tool: Tool::default(),
        executable_sha256: None,
        manifest: "x.toml".to_owned(),
        manifest_sha256: Digest([0; 32]),
        rounds: 30,
        seed: 1,
        targets: vec![target(Subject::Assay), target(Subject::Linux), target(Subject::Empty)],
        bursts: vec![2],
        left_out: Vec::new(),
        exec: true,
        environment: Environment::default(),
    }
}

/// A cycle that is ready after `ready_us`.
fn cycle(number: u32, round: u32, target: usize, ready_us: u64) -> CycleEntry {
    let is_empty = target == 2;
    let of = |us: u64| Some(us).filter(|_| !is_empty);
    CycleEntry {
        cycle: number,
        turn: number,
        round,
        at_once: None,
        target,
        log_sha256: None,
        challenge: None,
        command: Vec::new(),
        started_unix_ms: 0,
        times: Times {
            begun_us: 0,
            running_us: Some(40_000),
            first_record_us: of(ready_us - 10),
            ready_us: of(ready_us),
            end_us: of(ready_us + 10),
            sent_us: of(ready_us + 11),
            answered_us: of(ready_us + 15),
            answer_end_us: of(ready_us + 19),
            asked_us: Some(ready_us + 20),
            gone_us: ready_us + 5_020,
        },
        ended_otherwise: None,
        left: Vec::new(),
        rss_kib: Some(1),
        expected: None,
        evidence: HostEvidence::default(),
        exec: None,
    }
}

/// `rounds` rounds of ours (100 ms and a microsecond more in each), Linux (1 s) and the empty machine.
fn rounds(rounds: u32) -> Vec<CycleEntry> {
    let of_round = |round: u32| {
        let ours = cycle(3 * round, round, 0, 100_000 + u64::from(round));
        [ours, cycle(3 * round + 1, round, 1, 1_000_000), cycle(3 * round + 2, round, 2, 50_000)]
    };
    (0..rounds).flat_map(of_round).collect()
}

fn results(gates: &str, cycles: &[CycleEntry], refusals: &[Option<Refusal>]) -> LifeResults {
    LifeResults::of(&commitment(), &manifest(gates), cycles, refusals, None)
}

fn gate(row: &str, more: &str) -> String {
    format!("[[lifecycle.gates]]\nrow = \"{row}\"\n{more}\n")
}

#[test]
fn every_step_is_a_row_and_ours_stands_beside_the_others_of_its_round() {
    let cycles = rounds(30);
    let found = results("", &cycles, &vec![None; cycles.len()]);
    assert_eq!(found.conclusion, Conclusion::Passed);
    let row = |subject, row| {
        found.rows.iter().find(|one| one.key.subject == subject && one.key.row == row).unwrap().figures
    };
    assert_eq!(row(Subject::Assay, LifeRow::Ready).max_us, 100_029);
    assert_eq!(row(Subject::Linux, LifeRow::Delete).median_us, 5_000);
    assert_eq!(row(Subject::Empty, LifeRow::Provision).cycles, 30);
    let none =
        found.rows.iter().find(|one| one.key.subject == Subject::Empty && one.key.row == LifeRow::Ready);
    assert_eq!(none, None, "nothing is ready on an empty machine");
    let ready = found.compared.iter().find(|of| of.row == LifeRow::Ready).unwrap();
    assert_eq!(ready.over_empty_us.unwrap().median, 60_014.5);
    assert!((ready.of_linux.unwrap().median - 0.1).abs() < 0.001);
}

#[test]
fn a_gate_holds_or_is_exceeded_by_name_from_thirty_cycles_on() {
    let (cycles, few) = (rounds(30), rounds(29));
    for (gates, cycles, verdict, conclusion) in [
        (gate("ready", "at-most-ms = 101"), &cycles, GateVerdict::Holds, Conclusion::Passed),
        (gate("ready", "at-most-ms = 100"), &cycles, GateVerdict::Exceeded, Conclusion::GateExceeded),
        (gate("delete", "at-most-ms = 5\nof = \"max\""), &cycles, GateVerdict::Holds, Conclusion::Passed),
        (gate("ready", "at-most-ms = 101"), &few, GateVerdict::Undecided, Conclusion::Undecided),
        (gate("ready", "at-most-ms = 1"), &few, GateVerdict::Undecided, Conclusion::Undecided),
        (
            gate("ready", "at-most-ms = 1\nof = \"max\""),
            &few,
            GateVerdict::Exceeded,
            Conclusion::GateExceeded,
        ),
    ] {
        let found = results(&gates, cycles, &vec![None; cycles.len()]);
        // The gate is on every machine of ours, of which this session has one.
        assert_eq!(found.gates.len(), 1, "{gates}");
        assert_eq!((found.gates[0].verdict, found.conclusion), (verdict, conclusion), "{gates}");
    }
    let exceeded = results(&gate("ready", "at-most-ms = 100"), &cycles, &vec![None; cycles.len()]);
    let page = crate::text::page(&exceeded);
    assert!(page.starts_with("GATE EXCEEDED: ready p95 <= 100 ms on q35-direct-1-128\n"), "{page}");
}

#[test]
fn a_cycle_that_does_not_count_is_named_and_enters_no_figure() {
    let cycles = rounds(30);
    let mut refusals = vec![None; cycles.len()];
    let detail = "left behind: process 7".to_owned();
    refusals[0] = Some(Refusal { reason: None, detail: detail.clone() });
    refusals[3] = Some(Refusal { reason: Some(ReasonCode::MissingEnd), detail: "no end".to_owned() });
    let found = results("", &cycles, &refusals);
    assert_eq!(found.conclusion, Conclusion::Failed);
    assert_eq!(found.failures.iter().map(|failure| failure.cycle).collect::<Vec<_>>(), [0, 3]);
    assert_eq!(
        (found.failures[0].detail.as_str(), found.failures[0].reason.as_deref()),
        (detail.as_str(), None)
    );
    let ready = found.rows.iter().find(|row| row.key.row == LifeRow::Ready).unwrap();
    assert_eq!((ready.figures.cycles, ready.figures.min_us), (28, 100_002));
}

#[test]
fn a_burst_counts_if_all_of_its_machines_do() {
    let burst = |turn: u32, begun_us: [u64; 2]| {
        begun_us.map(|begun_us| {
            let mut one = cycle(turn * 2, turn, 0, 100_000);
            (one.turn, one.at_once, one.times.begun_us) = (turn, Some(2), begun_us);
            one
        })
    };
    let cycles: Vec<CycleEntry> = [burst(0, [0, 100_000]), burst(1, [0, 0])].into_iter().flatten().collect();
    let found = results("", &cycles, &vec![None; 4]);
    let [row] = &found.bursts[..] else { panic!("{:?}", found.bursts) };
    assert_eq!((row.at_once, row.all_ready.min_us, row.all_ready.max_us), (2, 100_000, 200_000));
    assert_eq!((row.ready.cycles, row.per_second), (4, 20.0));
    assert!(found.rows.is_empty(), "a machine of a burst does not live alone");
    let refused = Some(Refusal { reason: None, detail: String::new() });
    let found = results("", &cycles, &[refused, None, None, None]);
    assert_eq!((found.bursts[0].all_ready.cycles, found.bursts[0].ready.cycles), (1, 2));
}

#[test]
fn the_page_is_at_most_80_columns_wide_and_the_results_are_read_back() {
    let cycles = rounds(30);
    let mut refusals = vec![None; cycles.len()];
    refusals[0] = Some(Refusal { reason: Some(ReasonCode::MissingEnd), detail: "no end".to_owned() });
    let found = results(&gate("ready", "at-most-ms = 101"), &cycles, &refusals);
    for line in crate::text::page(&found).lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_eq!(LifeResults::parse(found.json().as_bytes()).unwrap(), found);
    let html = crate::document("t", &found, "00", &["a < b".to_owned()]);
    assert!(html.contains("a &lt; b") && html.contains("Not verified") && !html.contains("http"));
}
