//! Whether a cycle counts: its log passes the gate, its steps are in order, and nothing of it is left.

use evidence::gate::{Gate, Measurement, ReasonCode};
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

    /// Judges a cycle; `log` is `None` if it has none. What the host did to the worker's own time refuses nothing: that time
    /// is no row here, and the answer is verified all the same.
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
            let verdict = self.gates[cycle.target].judge(&transcript, expected, &cycle.evidence);
            match verdict.outcome.refusal() {
                Some((reason, detail)) if !reason.is_a_disturbance() => {
                    return Err(Refusal { reason: Some(reason), detail: detail.to_owned() });
                }
                _ => {}
            }
            if let Some(measured) = verdict.outcome.measurement() {
                self.check(target.subject, target.cpus, measured)?;
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

    /// Checks that a log is of the manifest's experiment, and of the machine and the system for which it counts.
    fn check(&self, subject: Subject, cpus: u16, measured: &Measurement) -> Result<(), Refusal> {
        let identity = measured.identity();
        let of = (identity.experiment.as_str(), identity.workload.as_str(), identity.whole);
        let name = self.manifest.name();
        let due = (name.as_str(), self.manifest.program(), self.manifest.params());
        let problem = if !subject.is_of(measured) {
            format!("counts as one of {subject}, but its log is of {}", measured.machine().system.word())
        } else if measured.cases() != [cpus] {
            format!("counts as one of {cpus} CPUs, but its log is of the cases {:?}", measured.cases())
        } else if of != due {
            format!("is of {of:?}, but the manifest describes {due:?}")
        } else {
            return Ok(());
        };
        Err(Refusal { reason: None, detail: problem })
    }
}
