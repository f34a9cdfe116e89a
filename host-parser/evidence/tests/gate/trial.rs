//! A trial: a log, what the gate knows besides it, and what it must say.

use std::fmt::Write as _;

use abi::Digest;
use evidence::gate::{Gate, HostEvidence, Measurement, ReasonCode, RunExpectation, Verdict};
use evidence::transcript::Transcript;

/// A log, what the gate knows besides it, and the reason that the gate must give.
pub struct Trial {
    pub name: &'static str,
    pub reason: Option<ReasonCode>,
    pub log: Vec<u8>,
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

    /// The gate's verdict on it.
    pub fn judge(&self) -> Verdict<Measurement> {
        let mut gate = Gate::default();
        if let Some(log) = &self.before {
            gate.judge(&Transcript::read(log), &RunExpectation::default(), &HostEvidence::default());
        }
        gate.judge(&Transcript::read(&self.log), &self.expectation, &self.evidence)
    }
}

/// A trial's entry in `verdicts.txt`: the log's digest, the outcome, the findings or samples, and what the gate knew.
pub fn describe(trial: &Trial, verdict: &Verdict<Measurement>) -> String {
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
    let RunExpectation {
        plan,
        challenge,
        work,
        plan_or_work,
        cases,
        cpus,
        blob,
        blob_bytes,
        build,
        platform,
        mechanisms,
    } = &trial.expectation;
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
        ("platform", platform.map(|asked| format!("{asked:?}"))),
        ("mechanisms", mechanisms.map(|asked| format!("{asked:?}"))),
    ] {
        if let Some(given) = given {
            let _ = write!(text, "\nexpected {name} {given}");
        }
    }
    text + "\n"
}
