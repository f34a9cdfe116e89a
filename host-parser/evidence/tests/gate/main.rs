//! Golden transcripts: for each reason a log that trips it and nothing else, and logs that pass.
//!
//! `tests/transcripts/NAME.log` is the log and `NAME.verdict` what the gate says of it. The logs `good-*` are the
//! starting point: guests that did everything right. All the others are made from them here. `ASSAY_BLESS=1` makes
//! them anew, and leaves the `good-*` that are there alone: they may be captures of real runs.

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

mod content;
mod contradictions;
mod host_evidence;
mod stream;
mod sweep;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use abi::wire::Record;
use evidence::gate::{
    Ended, Gate, HostEvidence, Measurement, ReasonCode, RunExpectation, VcpuDelay, Verdict,
};
use evidence::transcript::Transcript;
use test_support::golden;
use test_support::guest::Guest;
use test_support::script::Script;

/// A log, what is known beside it, and what the gate should say.
pub struct Trial {
    name: &'static str,
    reason: Option<ReasonCode>,
    log: Vec<u8>,
    expectation: RunExpectation,
    evidence: HostEvidence,
    /// A log that the same gate has judged before.
    before: Option<Vec<u8>>,
}

impl Trial {
    /// A log of which nothing else is known, and the reason it trips.
    pub fn new(name: &'static str, reason: ReasonCode, log: Vec<u8>) -> Self {
        Self { reason: Some(reason), ..Self::passing(name, log) }
    }

    /// A log that passes.
    pub fn passing(name: &'static str, log: Vec<u8>) -> Self {
        let (expectation, evidence) = (RunExpectation::default(), HostEvidence::default());
        Self { name, reason: None, log, expectation, evidence, before: None }
    }

    /// The same with this expected of it.
    pub fn expecting(self, expectation: RunExpectation) -> Self {
        Self { expectation, ..self }
    }

    /// The same with this seen by the host.
    pub fn seen(self, evidence: HostEvidence) -> Self {
        Self { evidence, ..self }
    }

    /// The same after this log.
    pub fn after(self, log: Vec<u8>) -> Self {
        Self { before: Some(log), ..self }
    }

    fn judge(&self) -> Verdict<Measurement> {
        let mut gate = Gate::default();
        if let Some(log) = &self.before {
            gate.judge(&Transcript::read(log), &RunExpectation::default(), &HostEvidence::default());
        }
        gate.judge(&Transcript::read(&self.log), &self.expectation, &self.evidence)
    }
}

/// A good log: the one that is kept, or where there is none yet, one that is made up.
pub fn good(name: &str, guest: &Guest) -> Vec<u8> {
    let path = golden::path(&format!("tests/transcripts/{name}.log"));
    std::fs::read(path).unwrap_or_else(|_| guest.log())
}

/// The good log of a guest with so many CPUs, taken apart.
pub fn script(cpus: u16) -> Script {
    let name = format!("good-{cpus}");
    Script::of(&good(&name, &Guest::of(cpus)))
}

/// A log of two CPUs that run cases 1 and 2, taken apart.
pub fn two_cases() -> Script {
    Script::of(&Guest { cases: vec![1, 2], ..Guest::of(2) }.log())
}

/// The same with the makespan that its one case now has.
pub fn with_makespan(script: Script) -> Script {
    let timings: Vec<(u64, u64)> = script
        .records
        .iter()
        .filter_map(|envelope| match envelope.record {
            Record::Worker(worker) => Some((worker.skew, worker.skew + worker.cycles)),
            _ => None,
        })
        .collect();
    let first = timings.iter().map(|&(start, _)| start).min().expect("a worker");
    let last = timings.iter().map(|&(_, end)| end).max().expect("a worker");
    script.edit(|record| {
        if let Record::CaseEnd(end) = record {
            end.makespan = last - first;
        }
    })
}

fn trials() -> Vec<Trial> {
    let sweep = Guest { cases: vec![1, 2, 4], iterations: 5, ..Guest::of(4) };
    let mut trials = vec![
        Trial::passing("good-1", good("good-1", &Guest::of(1))),
        Trial::passing("good-2", good("good-2", &Guest::of(2))),
        Trial::passing("good-4", good("good-4", &Guest::of(4))),
        Trial::passing("good-sweep", good("good-sweep", &sweep)),
    ];
    trials.extend(stream::trials());
    trials.extend(content::trials());
    trials.extend(contradictions::trials());
    trials.extend(host_evidence::trials());
    trials.extend(sweep::trials());
    trials
}

/// A verdict as it is kept: the outcome, the samples or the findings, and what was known beside the log.
fn describe(trial: &Trial, verdict: &Verdict<Measurement>) -> String {
    let mut text = verdict.outcome.word().to_owned();
    if let Some((reason, detail)) = verdict.outcome.refusal() {
        let _ = write!(text, " {reason}: {detail}");
    }
    for finding in &verdict.findings {
        let _ = write!(text, "\nfinding {finding}");
    }
    for sample in verdict.outcome.measurement().map_or(&[][..], Measurement::samples) {
        let (case, iteration, basis) = (sample.case, sample.iteration, sample.basis.word());
        let smt = if sample.smt { ", shared cores" } else { "" };
        let aside = if sample.excluded.is_some() { ", set aside" } else { "" };
        let _ = write!(
            text,
            "\ncase {case} iteration {iteration}: {} cycles, {basis}{smt}{aside}",
            sample.cycles
        );
    }
    if verdict.outcome.measurement().is_some_and(|measurement| measurement.functional_only().is_some()) {
        text += "\nfunctional only";
    }
    if trial.evidence != HostEvidence::default() {
        let _ = write!(text, "\ngiven {:?}", trial.evidence);
    }
    if trial.before.is_some() {
        text += "\ngiven a run before it";
    }
    let RunExpectation { plan, cases, cpus, blob, build } = &trial.expectation;
    for (name, given) in [
        ("plan", plan.map(|plan| plan.to_string())),
        ("cases", cases.as_ref().map(|cases| format!("{cases:?}"))),
        ("cpus", cpus.map(|cpus| cpus.to_string())),
        ("blob", blob.map(|blob| blob.to_string())),
        ("build", build.map(|build| format!("{build:016x}"))),
    ] {
        if let Some(given) = given {
            let _ = write!(text, "\nexpected {name} {given}");
        }
    }
    text + "\n"
}

#[test]
fn every_transcript_has_the_verdict_beside_it() {
    for trial in trials() {
        let verdict = trial.judge();
        let at = |extension| golden::path(&format!("tests/transcripts/{}.{extension}", trial.name));
        golden::check(&at("log"), &trial.log);
        golden::check(&at("verdict"), describe(&trial, &verdict).as_bytes());
    }
}

#[test]
fn every_transcript_trips_its_reason_and_no_other() {
    for trial in trials() {
        let verdict = trial.judge();
        let found: BTreeSet<ReasonCode> = verdict.findings.iter().map(|finding| finding.reason).collect();
        assert_eq!(found, trial.reason.into_iter().collect(), "{}: {:#?}", trial.name, verdict.findings);
        assert_eq!(verdict.outcome.refusal().map(|(reason, _)| reason), trial.reason, "{}", trial.name);
    }
}

#[test]
fn every_reason_has_a_transcript() {
    // What a run cannot trip: these are about rounds and experiments, and tested with the results.
    let of_claims = [
        ReasonCode::CpuSlowed,
        ReasonCode::ProbeSlow,
        ReasonCode::HostContended,
        ReasonCode::Oversubscribed,
        ReasonCode::SharedCores,
        ReasonCode::TooFewRounds,
        ReasonCode::NotComparable,
        ReasonCode::Incomplete,
    ];
    let tripped: BTreeSet<ReasonCode> = trials().iter().filter_map(|trial| trial.reason).collect();
    let missing: Vec<_> =
        ReasonCode::ALL.iter().filter(|code| !tripped.contains(code) && !of_claims.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_golden_file_belongs_to_a_trial() {
    let names: BTreeSet<&str> = trials().iter().map(|trial| trial.name).collect();
    for entry in std::fs::read_dir(golden::path("tests/transcripts")).expect("the directory is there") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        assert!(name.starts_with('.') || names.contains(name), "{} is of no trial", path.display());
    }
}

#[test]
fn a_reset_is_where_the_boot_after_it_begins() {
    let boot = |nonce| Guest { nonce, ..Guest::of(1) }.log();
    let cut = Script::of(&boot(2)).until(|record| matches!(record, Record::CaseBegin(_))).log();
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
fn a_starved_guests_timeout_carries_what_the_host_did() {
    let log = script(2).until(|record| matches!(record, Record::CaseBegin(_))).log();
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
