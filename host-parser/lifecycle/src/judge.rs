//! Whether a cycle counts: its log passes the gate, its steps are in order, and nothing of it is left.

use abi::wire::{Hex64, Record};
use evidence::gate::{ExpectedCase, Gate, HostEvidence, Measurement, ReasonCode, RunExpectation};
use evidence::transcript::{Boot, Transcript};
use experiment::manifest::{LifeRow, Manifest};

use crate::exec;
use crate::ledger::{Commitment, CycleEntry, Target};
use crate::subject::Subject;

/// The gates of a session: one for each machine and what lives on it, since each remembers what its runs have in common.
pub(crate) struct Judges<'a> {
    commitment: &'a Commitment,
    manifest: &'a Manifest,
    gates: Vec<Gate>,
    /// Those of the answers to commands.
    answers: Vec<Gate>,
}

/// Why a cycle does not count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    /// The gate's reason, if it has refused the log.
    pub reason: Option<ReasonCode>,
    /// What happened.
    pub detail: String,
}

impl<'a> Judges<'a> {
    /// Those of a session with this commitment, whose manifest this is.
    pub fn new(commitment: &'a Commitment, manifest: &'a Manifest) -> Self {
        let gates = || commitment.targets.iter().map(|_| Gate::of(manifest.workload())).collect();
        Self { commitment, manifest, gates: gates(), answers: gates() }
    }

    /// Judges a cycle; `log` is `None` if it has none. A finding about the worker's own time refuses
    /// nothing ([`is_of_time`]).
    ///
    /// # Errors
    /// Why the cycle does not count.
    pub fn judge(&mut self, cycle: &CycleEntry, log: Option<&[u8]>) -> Result<(), Refusal> {
        let plain = |detail: String| Err(Refusal { reason: None, detail });
        let Some(target) = self.commitment.targets.get(cycle.target) else {
            return plain(format!("has target {}, which is not committed to", cycle.target));
        };
        if let Some(otherwise) = &cycle.ended_otherwise {
            return plain(otherwise.clone());
        }
        if target.subject != Subject::Empty {
            let (Some(log), Some(expected)) = (log, &cycle.expected) else {
                return plain("has no log".to_owned());
            };
            let streams = exec::streams(log);
            let boot = Transcript::read(if self.commitment.exec { streams[0] } else { log });
            let is_answer = false;
            self.judge_stream(cycle.target, &boot, expected, &cycle.evidence, is_answer)?;
            if self.commitment.exec {
                self.judge_answer(cycle, &boot, &streams)?;
            }
        }
        let is_due = |row: LifeRow| match target.subject {
            Subject::Empty => matches!(row, LifeRow::Provision | LifeRow::Delete),
            _ => row != LifeRow::Exec || self.commitment.exec,
        };
        let due = LifeRow::ALL.iter().filter(|&&row| is_due(row));
        if let Some(missing) = due.copied().find(|&row| cycle.times.of(row).is_none()) {
            return plain(format!("its step `{missing}` was not seen"));
        }
        if !cycle.times.are_in_order() {
            return plain(format!("its steps are out of order: {:?}", cycle.times));
        }
        if !cycle.left.is_empty() {
            return plain(format!("left behind: {}", cycle.left.join("; ")));
        }
        Ok(())
    }

    /// Judges the answer to the command of a cycle, whose log has these streams, `boot` the first of them.
    fn judge_answer(
        &mut self,
        cycle: &CycleEntry,
        boot: &Transcript,
        streams: &[&[u8]],
    ) -> Result<(), Refusal> {
        let of_answer = |detail: String| Refusal { reason: None, detail: format!("exec: {detail}") };
        let (Some(&answer), Some(sent)) = (streams.get(1), &cycle.exec) else {
            return Err(of_answer("the command was not sent, or not answered".to_owned()));
        };
        let answer = Transcript::read(answer);
        exec::check_answer(&answer, boot).map_err(of_answer)?;
        let ended = boot.boots.first().and_then(Boot::end).map(|end| end.digest);
        let due = cycle
            .challenge
            .zip(ended)
            .map(|(Hex64(booted), ended)| exec::challenge(booted, ended, cycle.cycle));
        if due != Some(sent.challenge.0) || due != sent.expected.challenge {
            let (found, due) = (sent.challenge, Hex64(due.unwrap_or(0)));
            return Err(of_answer(format!(
                "has challenge {found}, due is {due}: it was not the boot's command"
            )));
        }
        let judged = self.judge_stream(cycle.target, &answer, &sent.expected, &sent.evidence, true);
        judged.map_err(|Refusal { reason, detail }| Refusal { reason, ..of_answer(detail) })
    }

    /// Has the gate judge the log of a boot, or of the answer to a command.
    fn judge_stream(
        &mut self,
        target: usize,
        log: &Transcript,
        expected: &RunExpectation,
        evidence: &HostEvidence,
        is_answer: bool,
    ) -> Result<(), Refusal> {
        let Target { cpus, subject, .. } = self.commitment.targets[target];
        self.check_expected(cpus, expected)?;
        check_named(subject, self.manifest, log)?;
        let gates = if is_answer { &mut self.answers } else { &mut self.gates };
        let verdict = gates[target].judge(log, expected, evidence);
        let of_answer = verdict.findings.iter().find(|finding| !is_of_time(finding.reason));
        if let Some(finding) = of_answer {
            let (reason, detail) = (Some(finding.reason), finding.to_string());
            let detail = detail.split_once(": ").map_or(detail.clone(), |(_, detail)| detail.to_owned());
            return Err(Refusal { reason, detail });
        }
        verdict.outcome.measurement().map_or(Ok(()), |measured| self.check_whole(measured))
    }

    /// Checks that the gate was given the manifest's case to expect, and the CPUs of the machine.
    fn check_expected(&self, cpus: u16, expected: &RunExpectation) -> Result<(), Refusal> {
        let due = vec![ExpectedCase { case: cpus, iterations: self.manifest.iterations() }];
        if expected.cases.as_ref() == Some(&due) && expected.cpus == Some(cpus) {
            return Ok(());
        }
        let detail = format!("was to be one of {cpus} CPUs, but {:?} was expected", expected.cases);
        Err(Refusal { reason: None, detail })
    }

    /// Checks that a log is of the manifest's parameters.
    fn check_whole(&self, measured: &Measurement) -> Result<(), Refusal> {
        let (of, due) = (measured.identity().whole, self.manifest.params());
        if of == due {
            return Ok(());
        }
        Err(Refusal { reason: None, detail: format!("is of {of:?}, but the manifest describes {due:?}") })
    }
}

/// Checks that a log is of the manifest's experiment and program, and of the system for which it counts.
fn check_named(subject: Subject, manifest: &Manifest, log: &Transcript) -> Result<(), Refusal> {
    let records = || log.boots.iter().flat_map(|boot| &boot.records).map(|located| located.envelope.record);
    let system = records().find_map(|record| match record {
        Record::System(system) => Some(system.name),
        _ => None,
    });
    let experiment = records().find_map(|record| match record {
        Record::Experiment(experiment) => Some((experiment.name, experiment.workload)),
        _ => None,
    });
    // What a log lacks is the gate's to say.
    if let Some(system) = system.filter(|&system| !subject.is_named(system)) {
        let detail = format!("counts as one of {subject}, but its log is of {}", system.word());
        return Err(Refusal { reason: None, detail });
    }
    match experiment {
        Some((name, program)) if name != manifest.name() || program.as_str() != manifest.program() => {
            let detail = format!("is of {name} ({program}), but the manifest is {}", manifest.name());
            Err(Refusal { reason: None, detail })
        }
        _ => Ok(()),
    }
}

/// Whether a finding is about the time of the worker's work alone. That time is no row here; what the answer is, and when its
/// line arrived, is as true without it.
pub(crate) const fn is_of_time(reason: ReasonCode) -> bool {
    reason.is_a_disturbance()
        || matches!(
            reason,
            ReasonCode::TimeMissing
                | ReasonCode::CpuSlowed
                | ReasonCode::TscUnsynchronised
                | ReasonCode::TscDisagree
                | ReasonCode::CpusDiffer
                | ReasonCode::Superlinear
        )
}
