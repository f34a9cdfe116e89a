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

mod content;
mod contradictions;
mod experienced;
mod host_evidence;
mod missing;
mod stream;
mod sweep;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use abi::Digest;
use abi::wire::Record;
use abi::wire::record::Moment;
use evidence::gate::{
    Ended, Gate, HostEvidence, Measurement, ReasonCode, RunExpectation, VcpuDelay, Verdict,
};
use evidence::transcript::Transcript;
use test_support::golden;
use test_support::guest::{Guest, KHZ, PER_MICRO};
use test_support::script::Script;

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

/// A log, what the gate knows besides it, and the reason that the gate must give.
pub struct Trial {
    name: &'static str,
    reason: Option<ReasonCode>,
    log: Vec<u8>,
    expectation: RunExpectation,
    evidence: HostEvidence,
    /// A log that the same gate judged before this one.
    before: Option<Vec<u8>>,
}

impl Trial {
    /// A log and the reason that it trips. The gate knows nothing else.
    pub fn new(name: &'static str, reason: ReasonCode, log: Vec<u8>) -> Self {
        Self { reason: Some(reason), ..Self::passing(name, log) }
    }

    /// A log that passes. The gate knows nothing else.
    pub fn passing(name: &'static str, log: Vec<u8>) -> Self {
        let (expectation, evidence) = (RunExpectation::default(), HostEvidence::default());
        Self { name, reason: None, log, expectation, evidence, before: None }
    }

    /// The same trial with an expectation of the run.
    pub fn expecting(self, expectation: RunExpectation) -> Self {
        Self { expectation, ..self }
    }

    /// The same trial with evidence from the host.
    pub fn seen(self, evidence: HostEvidence) -> Self {
        Self { evidence, ..self }
    }

    /// The same trial, judged after this log.
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

/// The log of a guest that did everything right, as records.
pub fn good(guest: &Guest) -> Script {
    Script::of(&guest.log())
}

/// The good log of a guest with this many CPUs, which runs one case on all of them.
pub fn script(cpus: u16) -> Script {
    good(&Guest::of(cpus))
}

/// The good log of a guest with two CPUs, which runs cases 1 and 2.
pub fn two_cases() -> Script {
    good(&Guest { cases: vec![1, 2], ..Guest::of(2) })
}

/// The good log of a guest with four CPUs, which runs cases 1, 2 and 4 five times each.
pub fn three_cases() -> Script {
    good(&Guest { cases: vec![1, 2, 4], iterations: 5, ..Guest::of(4) })
}

/// Whether a record is `end`.
pub fn is_end(record: &Record) -> bool {
    matches!(record, Record::End(_))
}

/// Whether a record is a `case-begin`.
pub fn is_begin(record: &Record) -> bool {
    matches!(record, Record::CaseBegin(_))
}

/// Whether a record is about an iteration of this case.
pub fn is_of_case(record: &Record, case: u16) -> bool {
    let of = match record {
        Record::CaseReady(ready) => ready.case,
        Record::CaseBegin(begin) => begin.case,
        Record::Worker(worker) => worker.case,
        Record::Answer(answer) => answer.case,
        Record::WorkerEnd(end) => end.case,
        Record::CaseEnd(end) => end.case,
        Record::Gap(gap) => gap.case,
        Record::Region(region) => region.case,
        Record::Mark(mark) => mark.case,
        _ => return false,
    };
    of == case
}

/// The same log with the makespan corrected after a change of its workers. It must have one case.
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

/// The same log with its iterations' ends this many cycles later, by every clock. It must have one iteration.
pub fn longer(script: Script, cycles: u64) -> Script {
    let micros = cycles * 1_000 / KHZ;
    script.later(micros.try_into().expect("not for ever"), is_begin).edit(|record| match record {
        Record::Mark(mark) if mark.moment == Moment::Done => {
            mark.tsc += cycles;
            mark.count += micros * PER_MICRO;
        }
        _ => {}
    })
}

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
    trials.extend(content::trials());
    trials.extend(contradictions::trials());
    trials.extend(host_evidence::trials());
    trials.extend(missing::trials());
    trials.extend(sweep::trials());
    trials
}

/// A trial's entry in `verdicts.txt`: the log's digest, the outcome, the findings or samples, and what the gate knew.
fn describe(trial: &Trial, verdict: &Verdict<Measurement>) -> String {
    let (bytes, digest) = (trial.log.len(), Digest::of(&trial.log));
    let mut text = format!("== {}\nlog of {bytes} bytes, sha256 {digest}\n", trial.name);
    text += verdict.outcome.word();
    if let Some((reason, detail)) = verdict.outcome.refusal() {
        let _ = write!(text, " {reason}: {detail}");
    }
    for finding in &verdict.findings {
        let _ = write!(text, "\nfinding {finding}");
    }
    for sample in verdict.outcome.measurement().map_or(&[][..], Measurement::samples) {
        let (case, iteration, basis) = (sample.case, sample.iteration, sample.basis.word());
        let smt = if sample.smt { ", shared cores" } else { "" };
        let excluded = if sample.excluded.is_some() { ", excluded" } else { "" };
        let _ = write!(
            text,
            "\ncase {case} iteration {iteration}: {} cycles, {basis}{smt}{excluded}",
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
    let RunExpectation { plan, challenge, work, plan_or_work, cases, cpus, blob, blob_bytes, build } =
        &trial.expectation;
    for (name, given) in [
        ("plan", plan.map(|plan| plan.to_string())),
        ("challenge", challenge.map(|challenge| format!("{challenge:016x}"))),
        ("work", work.map(|work| work.to_string())),
        ("plan or work", plan_or_work.map(|digest| digest.to_string())),
        ("cases", cases.as_ref().map(|cases| format!("{cases:?}"))),
        ("cpus", cpus.map(|cpus| cpus.to_string())),
        ("blob", blob.map(|blob| blob.to_string())),
        ("blob bytes", blob_bytes.map(|bytes| bytes.to_string())),
        ("build", build.map(|build| format!("{build:016x}"))),
    ] {
        if let Some(given) = given {
            let _ = write!(text, "\nexpected {name} {given}");
        }
    }
    text + "\n"
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
