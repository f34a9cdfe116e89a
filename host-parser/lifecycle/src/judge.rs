//! Whether a cycle counts: its log passes the gate, its steps are in order, and nothing of it is left.

use abi::wire::Record;
use evidence::gate::{ExpectedCase, Gate, Measurement, ReasonCode, RunExpectation};
use evidence::transcript::Transcript;
use experiment::manifest::{LifeRow, Manifest};

use crate::ledger::{Commitment, CycleEntry};
use crate::subject::Subject;

/// The gates of a session: one for each machine and what lives on it, since each remembers what its runs have in common.
pub(crate) struct Judges<'a> {
    commitment: &'a Commitment,
    manifest: &'a Manifest,
    gates: Vec<Gate>,
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
        let gates = commitment.targets.iter().map(|_| Gate::of(manifest.workload())).collect();
        Self { commitment, manifest, gates }
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
            let transcript = Transcript::read(log);
            self.check_expected(target.cpus, expected)?;
            check_named(target.subject, self.manifest, &transcript)?;
            let verdict = self.gates[cycle.target].judge(&transcript, expected, &cycle.evidence);
            let of_answer = verdict.findings.iter().find(|finding| !is_of_time(finding.reason));
            if let Some(finding) = of_answer {
                let (reason, detail) = (Some(finding.reason), finding.to_string());
                let detail = detail.split_once(": ").map_or(detail.clone(), |(_, detail)| detail.to_owned());
                return Err(Refusal { reason, detail });
            }
            if let Some(measured) = verdict.outcome.measurement() {
                self.check_whole(measured)?;
            }
        }
        let due: &[LifeRow] = match target.subject {
            Subject::Empty => &[LifeRow::Provision, LifeRow::Delete],
            _ => LifeRow::ALL,
        };
        if let Some(missing) = due.iter().find(|&&row| cycle.times.of(row).is_none()) {
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
const fn is_of_time(reason: ReasonCode) -> bool {
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
