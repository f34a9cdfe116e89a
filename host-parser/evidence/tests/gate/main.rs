//! Transcripts: for each reason of the gate, a log that trips this reason and no other; and logs that pass.
//!
//! Each is a [`Trial`]: a name, a log, what the gate knows besides the log, and the reason that it must give. The test
//! makes the logs: it takes the log of a guest that did everything right and changes one thing.
//!
//! `tests/transcripts/verdicts.txt` has the gate's verdict on each trial and the digest of its log. A dozen logs are kept
//! as files ([`GOLDEN`]), as examples and for other tests. `ASSAY_BLESS=1` rewrites both.

/// Changes each record of a kind.
macro_rules! edit {
    ($script:expr, $kind:ident, $change:expr) => {
        $script.edit(|record| {
            if let Record::$kind(message) = record {
                let change: fn(&mut abi::wire::record::$kind) = $change;
                change(message);
            }
        })
    };
}

mod conditions;
mod content;
mod contradictions;
mod experienced;
mod host_evidence;
mod iterations;
mod logs;
mod missing;
mod planned;
mod stream;
mod sweep;
mod trial;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use evidence::gate::{Ended, Gate, HostEvidence, ReasonCode, RunExpectation, VcpuDelay};
use evidence::transcript::Transcript;
use test_support::golden;
use test_support::guest::Guest;
use test_support::script::Script;

use logs::{
    good, is_begin, is_end, is_of_case, longer, script, three_cases, two_cases, warped, with_makespan,
};
use trial::{Trial, describe};

/// The trials whose logs are kept as files: the good guests that the other trials start from, and an example of each common
/// failure.
const GOLDEN: [&str; 12] = [
    "good-1",
    "good-2",
    "good-4",
    "good-sweep",
    "good-sweep-on-two",
    "good-sweep-odd",
    "good-sweep-smt",
    "corrupt-record-broken-into",
    "guest-error",
    "kernel-panic",
    "missing-end",
    "worker-fault",
];

/// All trials, made once for all tests.
static TRIALS: LazyLock<Vec<Trial>> = LazyLock::new(trials);

fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::passing("good-1", script(1).log()),
        Trial::passing("good-2", script(2).log()),
        Trial::passing("good-4", script(4).log()),
        Trial::passing("good-sweep", three_cases().log()),
    ];
    trials.extend(stream::trials());
    trials.extend(conditions::trials());
    trials.extend(content::trials());
    trials.extend(contradictions::trials());
    trials.extend(host_evidence::trials());
    trials.extend(missing::trials());
    trials.extend(sweep::trials());
    trials
}

#[test]
fn every_trial_has_the_verdict_on_file() {
    let mut trials: Vec<&Trial> = TRIALS.iter().collect();
    trials.sort_by_key(|trial| trial.name);
    let twice = trials.windows(2).find(|pair| pair[0].name == pair[1].name);
    assert!(twice.is_none(), "two trials are called {}", twice.map_or("", |pair| pair[0].name));
    let verdicts: Vec<String> = trials.iter().map(|trial| describe(trial, &trial.judge())).collect();
    golden::check(&golden::path("tests/transcripts/verdicts.txt"), verdicts.join("\n").as_bytes());
}

#[test]
fn every_log_on_file_is_what_its_trial_makes() {
    for name in GOLDEN {
        let trial = TRIALS.iter().find(|trial| trial.name == name);
        let trial = trial.unwrap_or_else(|| panic!("no trial is called {name}"));
        golden::check(&golden::path(&format!("tests/transcripts/{name}.log")), &trial.log);
    }
}

#[test]
fn no_other_file_is_there() {
    let entries = std::fs::read_dir(golden::path("tests/transcripts")).expect("the directory is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let kept: BTreeSet<String> = names.filter(|name| !name.starts_with('.')).collect();
    let golden = GOLDEN.iter().map(|name| format!("{name}.log"));
    assert_eq!(kept, golden.chain(["verdicts.txt".to_owned()]).collect());
}

#[test]
fn every_trial_trips_its_reason_and_no_other() {
    for trial in TRIALS.iter() {
        let verdict = trial.judge();
        let found: BTreeSet<ReasonCode> = verdict.findings.iter().map(|finding| finding.reason).collect();
        assert_eq!(found, trial.reason.into_iter().collect(), "{}: {:#?}", trial.name, verdict.findings);
        assert_eq!(verdict.outcome.refusal().map(|(reason, _)| reason), trial.reason, "{}", trial.name);
    }
}

#[test]
fn every_reason_has_a_trial() {
    // No single run trips these reasons: they are about rounds and experiments. The tests of the results cover them.
    let of_claims = [
        ReasonCode::CpuSlowed,
        ReasonCode::ProbeSlow,
        ReasonCode::HostContended,
        ReasonCode::Selection,
        ReasonCode::Oversubscribed,
        ReasonCode::SharedCores,
        ReasonCode::TooFewRounds,
        ReasonCode::NotComparable,
        ReasonCode::Incomplete,
    ];
    let tripped: BTreeSet<ReasonCode> = TRIALS.iter().filter_map(|trial| trial.reason).collect();
    let missing: Vec<_> =
        ReasonCode::ALL.iter().filter(|code| !tripped.contains(code) && !of_claims.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_reset_is_reported_at_the_start_of_the_next_boot() {
    let boot = |nonce| Guest { nonce, ..Guest::of(1) }.log();
    let cut = Script::of(&boot(2)).until(is_begin).log();
    let log = [boot(1), cut, boot(3)].concat();
    let read = Transcript::read(&log);
    let verdicts = Gate::default().judge_log(&read, &RunExpectation::default());
    let reset: Vec<_> = verdicts.iter().flat_map(|verdict| &verdict.findings).collect();
    assert_eq!(verdicts.len(), 3);
    assert_eq!(reset.len(), 1, "{reset:#?}");
    assert_eq!(reset[0].reason, ReasonCode::GuestReset);
    assert_eq!(reset[0].line, Some(read.boots[2].records[0].line));
}

#[test]
fn the_timeout_of_a_starved_guest_comes_with_its_vcpus_delay() {
    let log = script(2).until(is_begin).log();
    let delays = vec![VcpuDelay {
        case: 2,
        iteration: 0,
        vcpu: 0,
        wall_ns: 9_000_000_000,
        run_ns: 1_000_000_000,
        delay_ns: 8_000_000_000,
        involuntary_switches: 800,
    }];
    let evidence = HostEvidence { ended: Ended::Deadline, watched: true, delays, ..HostEvidence::default() };
    let verdict = Gate::default().judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
    let found: Vec<ReasonCode> = verdict.findings.iter().map(|finding| finding.reason).collect();
    assert_eq!(found, [ReasonCode::Timeout, ReasonCode::VcpuPreempted]);
}
