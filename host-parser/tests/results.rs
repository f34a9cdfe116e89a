//! From passed and refused runs to statistics, claims and files.

#[path = "support/mod.rs"]
mod support;

use host_parser::gate::{
    Cycles, Ended, Gate, HostEvidence, Measurement, Nanos, ReasonCode, RunExpectation, VcpuDelay, Verdict,
};
use host_parser::results::{
    Accelerator, Artifact, Completion, Conclusion, Environment, Experiment, Exporter, Host, Pinning, Program,
    Results, ResultsJson, RunRecord, SamplesCsv, SummaryMarkdown, terminal, write_all,
};
use host_parser::stats::{Claim, ClaimRule, Pairing, Series};
use host_parser::transcript::Transcript;
use support::golden;
use support::guest::Guest;

const RULE: ClaimRule = ClaimRule { from: 1, to: 2, min_speedup: 1.6 };

/// How much longer than planned the work takes in each round, in percent.
type Slowness = [u64; 7];

const QUIET: Slowness = [100, 103, 101, 100, 107, 102, 100];

fn judge(gate: &mut Gate, guest: &Guest, evidence: &HostEvidence) -> Verdict<Measurement> {
    let log = guest.log();
    gate.judge(&Transcript::read(&log), &RunExpectation::default(), evidence)
}

/// Rounds of the cases, of which each round is slowed as a whole, and each case as its own list says.
fn runs(rounds: usize, cases: &[(u16, Slowness)], host_cpus: u16) -> Vec<RunRecord> {
    let mut gate = Gate::default();
    let mut runs: Vec<RunRecord> = Vec::new();
    for round in 0..rounds {
        for &(case, slowness) in cases {
            let run = u32::try_from(runs.len()).expect("few");
            let evidence = HostEvidence {
                ended: Ended::DebugExit { value: 0x10 },
                vcpus: Some(case),
                host_cpus: Some(host_cpus),
                watched: false,
                delays: Vec::new(),
            };
            let work_cycles = 17_180_000 * QUIET[round] * slowness[round] / 100;
            let guest = Guest { nonce: 1000 + u64::from(run), work_cycles, ..Guest::of(case) };
            let verdict = judge(&mut gate, &guest, &evidence);
            let mut record =
                RunRecord::new(run, u32::try_from(round).expect("few"), verdict).with_evidence(evidence);
            record.case = Some(case);
            runs.push(record);
        }
    }
    runs
}

fn experiment(claim: Option<ClaimRule>) -> Experiment {
    Experiment {
        name: "smp-process-scale".to_owned(),
        label: Some("test".to_owned()),
        manifest: Some("manifests/smp-process-scale.toml".to_owned()),
        manifest_sha256: None,
        pairing: Pairing::Runs,
        rounds: Some(7),
        set_aside_limit: 7,
        cases: vec![1, 2, 4],
        order_seed: Some(42),
        claim,
    }
}

fn results(runs: Vec<RunRecord>) -> Results {
    Results::new(experiment(Some(RULE)), Environment::default(), runs, Completion::Complete)
}

fn environment() -> Environment {
    Environment {
        accelerator: Some(Accelerator {
            name: "tcg".to_owned(),
            emulated: true,
            why: "no vmx or svm in /proc/cpuinfo".to_owned(),
        }),
        qemu: Some(Program {
            path: "/usr/bin/qemu-system-x86_64".to_owned(),
            version: "QEMU emulator version 7.2.22".to_owned(),
        }),
        machine: Some("q35".to_owned()),
        cpu_model: Some("max".to_owned()),
        firmware: Some("bios".to_owned()),
        memory_mib: Some(128),
        host: Some(Host {
            system: "Linux 6.1.0".to_owned(),
            cpu: "Some CPU".to_owned(),
            cpus_online: 2,
            load: Some(0.25),
        }),
        pinning: Some(Pinning { host_cpus: "0-1".to_owned(), asked_by: "--cpus".to_owned() }),
        artifacts: vec![Artifact { name: "image".to_owned(), sha256: "ab".repeat(32), bytes: 1_048_576 }],
    }
}

/// Quiet rounds of three cases on two host CPUs, with one run that was stopped.
fn whole() -> Results {
    let mut runs = runs(7, &[(1, QUIET), (2, QUIET), (4, QUIET)], 2);
    runs[0].command = ["qemu-system-x86_64", "-smp", "1"].map(str::to_owned).to_vec();
    Results::new(experiment(Some(RULE)), environment(), runs, Completion::Complete)
}

fn refused() -> RunRecord {
    let evidence = HostEvidence { ended: Ended::Deadline, ..HostEvidence::default() };
    let verdict = Gate::default().judge(&Transcript::read(b""), &RunExpectation::default(), &evidence);
    let mut record = RunRecord::new(99, 3, verdict).with_evidence(evidence);
    record.case = Some(2);
    record
}

#[test]
fn a_clear_speedup_holds() {
    let results = results(runs(7, &[(1, QUIET), (2, QUIET)], 2));
    assert_eq!(results.conclusion(), Conclusion::Holds);
    let Some(Claim::Holds(evidence)) = results.claim.map(|report| report.claim) else { panic!("holds") };
    assert!((evidence.median - 1.9417).abs() < 1e-3, "{evidence:?}");
    assert_eq!((evidence.rounds, evidence.rounds_reaching), (7, 7));
    assert!((evidence.sign_confidence - (1.0 - 1.0 / 128.0)).abs() < 1e-12);
}

#[test]
fn rounds_are_paired_so_that_a_slow_round_costs_nothing() {
    let results = results(runs(7, &[(1, QUIET), (2, QUIET)], 2));
    let speedup = results.cases[1].speedup.as_ref().expect("paired");
    let spread =
        speedup.ratios.iter().fold(0.0_f64, |spread, ratio| spread.max((ratio - speedup.median).abs()));
    assert!(spread < 1e-3 && results.cases[1].cycles.cv.expect("seven") > 0.02, "{spread}");
    assert_eq!(results.cases[0].speedup.as_ref().map(|speedup| speedup.median), Some(1.0));
    assert!((speedup.efficiency - speedup.median / 2.0).abs() < 1e-12);
}

#[test]
fn a_poor_speedup_does_not_hold_and_a_mixed_one_is_inconclusive() {
    let poor = runs(7, &[(1, QUIET), (2, [130; 7])], 2);
    assert_eq!(results(poor).conclusion(), Conclusion::DoesNotHold);
    let mixed = runs(7, &[(1, QUIET), (2, [100, 100, 100, 100, 100, 130, 130])], 2);
    assert_eq!(results(mixed).conclusion(), Conclusion::Inconclusive);
}

#[test]
fn four_rounds_are_too_few() {
    let results = results(runs(4, &[(1, QUIET), (2, QUIET)], 2));
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::TooFewRounds));
    assert_eq!(results.cases[1].speedup.as_ref().expect("paired").interval, None);
}

/// The same runs, of which the host disturbed case 2 in so many rounds.
fn disturbed(mut runs: Vec<RunRecord>, rounds: u32) -> Vec<RunRecord> {
    for run in runs.iter_mut().filter(|run| run.round < rounds && run.case == Some(2)) {
        let delay = VcpuDelay {
            case: 2,
            iteration: 0,
            vcpu: 0,
            wall_ns: 200_000_000,
            run_ns: 100_000_000,
            delay_ns: 100_000_000,
            involuntary_switches: 9,
        };
        let evidence = HostEvidence { delays: vec![delay], ..run.evidence.clone() };
        let guest = Guest { nonce: 5000 + u64::from(run.run), ..Guest::of(2) };
        run.verdict = judge(&mut Gate::default(), &guest, &evidence);
    }
    runs
}

#[test]
fn a_round_that_the_host_disturbed_counts_for_nothing_and_condemns_nothing() {
    let results = results(disturbed(runs(7, &[(1, QUIET), (2, QUIET)], 2), 2));
    assert_eq!(results.conclusion(), Conclusion::Holds);
    assert_eq!(
        (results.cases[0].cycles.n, results.cases[1].cycles.n),
        (5, 5),
        "case 1 of the round goes too"
    );
    let set_aside = results.runs.iter().filter(|run| run.set_aside.is_some());
    assert_eq!(set_aside.map(|run| run.round).collect::<Vec<_>>(), [0, 0, 1, 1]);
    assert!(terminal(&results).contains("2 rounds set aside (at most 7 may be):"));
}

#[test]
fn too_many_disturbed_rounds_condemn_the_experiment() {
    let runs = disturbed(runs(7, &[(1, QUIET), (2, QUIET)], 2), 2);
    let experiment = Experiment { set_aside_limit: 1, ..experiment(Some(RULE)) };
    let results = Results::new(experiment, Environment::default(), runs, Completion::Complete);
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::HostContended));
}

#[test]
fn nothing_is_claimed_of_a_functional_only_case() {
    let results = results(runs(7, &[(1, QUIET), (2, QUIET)], 1));
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::Oversubscribed));
    assert!(results.cases[0].functional_only.is_none() && results.cases[1].functional_only.is_some());
}

#[test]
fn a_functional_only_case_outside_the_claim_does_not_touch_it() {
    assert_eq!(whole().conclusion(), Conclusion::Holds);
}

#[test]
fn nothing_is_claimed_where_a_run_did_not_pass() {
    let mut runs = runs(7, &[(1, QUIET), (2, QUIET)], 2);
    runs.push(refused());
    let results = results(runs);
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::Timeout));
    assert_eq!(results.cases[1].cycles.n, 7, "what was measured is kept");
}

#[test]
fn nothing_is_claimed_of_half_an_experiment() {
    let completion = Completion::Partial { why: "14 of 21 runs were made: interrupted".to_owned() };
    let runs = runs(7, &[(1, QUIET), (2, QUIET)], 2);
    let results = Results::new(experiment(Some(RULE)), Environment::default(), runs, completion);
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::Incomplete));
    assert!(!results.complete && terminal(&results).contains("INCOMPLETE: 14 of 21 runs"));
}

#[test]
fn iterations_of_one_boot_are_rounds_where_it_has_all_cases() {
    let sweep = Guest { cases: vec![1, 2, 4], iterations: 5, ..Guest::of(4) };
    let verdict = judge(&mut Gate::default(), &sweep, &HostEvidence::default());
    let measurement = verdict.outcome.measurement().expect("passed");
    let series = Series::new(Pairing::Iterations, [(0, measurement)]);
    assert_eq!((series.rounds(1), series.rounds(4)), (5, 5));
    let series = Series::new(Pairing::Runs, [(0, measurement)]);
    assert_eq!(series.rounds(1), 1, "iterations that share a boot share its luck");
}

#[test]
fn runs_of_different_programs_are_not_compared() {
    let mut gate = Gate::default();
    let good = judge(&mut gate, &Guest::of(1), &HostEvidence::default());
    assert!(good.outcome.measurement().is_some());
    let other = support::script::Script::of(&Guest::of(2).log()).edit(|record| match record {
        abi::wire::Record::Blob(blob) => blob.sha256 = abi::Digest::of(b"another"),
        abi::wire::Record::Start(start) => start.build.0 += 1,
        _ => {}
    });
    let log = other.log();
    let verdict = gate.judge(&Transcript::read(&log), &RunExpectation::default(), &HostEvidence::default());
    let found: Vec<_> = verdict.findings.iter().map(|finding| finding.reason).collect();
    assert_eq!(found, [ReasonCode::KernelMismatch, ReasonCode::BlobMismatch]);
}

#[test]
fn cycles_become_nanoseconds_without_overflow() {
    assert_eq!(Cycles(2_100_000_000).nanos(2_100_000), Some(Nanos(1_000_000_000)));
    assert_eq!(Cycles(u64::MAX).nanos(1), None);
    assert_eq!(Cycles(1).nanos(0), None);
}

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
    few.runs.push(refused());
    golden::check(&at("results.json"), &exported(&ResultsJson, &few));
    golden::check(&at("samples.csv"), &exported(&SamplesCsv, &few));
}

#[test]
fn the_terminal_gets_ascii_of_a_hundred_columns() {
    let mut runs = runs(7, &[(1, QUIET), (2, QUIET), (4, QUIET)], 2);
    runs.push(refused());
    let text = terminal(&Results::new(experiment(Some(RULE)), environment(), runs, Completion::Complete));
    assert!(text.is_ascii(), "{text}");
    for line in text.lines() {
        assert!(line.len() <= 100, "{line}");
    }
}

#[test]
fn columns_stay_in_line_with_big_numbers() {
    let guest = |case, nonce| Guest { nonce, work_cycles: 1 << 56, ..Guest::of(case) };
    let mut gate = Gate::default();
    let mut runs = Vec::new();
    for (run, case) in [(0, 1), (1, 2)] {
        let verdict = judge(&mut gate, &guest(case, u64::from(run)), &HostEvidence::default());
        runs.push(RunRecord::new(run, 0, verdict));
    }
    let text = terminal(&results(runs));
    let rows: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("workers")).take(3).collect();
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{text}");
    assert!(text.contains("68,719,476,736.0"), "{text}");
}

#[test]
fn rows_of_csv_have_as_many_fields_as_the_header() {
    let mut runs = runs(2, &[(1, QUIET), (2, QUIET)], 2);
    runs.push(refused());
    let csv = String::from_utf8(exported(&SamplesCsv, &results(runs))).expect("ASCII");
    let widths: Vec<usize> = csv.lines().map(|line| line.split(',').count()).collect();
    assert_eq!(widths, [21; 8], "{csv}");
    assert!(csv.lines().last().expect("rows").starts_with("99,3,0,failed,timeout,0,2,"), "{csv}");
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
    assert_eq!((json["schema"].as_u64(), json["claim"]["verdict"].as_str()), (Some(1), Some("holds")));
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
