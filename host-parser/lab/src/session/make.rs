//! The runs, in their order, with a further round for each that the host disturbed.

use std::time::Instant;

use anyhow::anyhow;
use evidence::challenge;
use evidence::gate::{Ended, Measurement, ReasonCode, Verdict};
use host::CancelToken;
use results::{RunRecord, System};

use super::{Layout, Part, Session};
use crate::exit::{Coded, OrExit};
use crate::progress_line::{Count, ProgressLine};
use crate::rounds::Step;
use crate::run::{Run, RunKey, cpus};
use crate::schedule::Slot;

/// After this many refused runs the session ends: what is broken stays broken, and each run could take as long as its
/// deadline.
const MAX_REFUSED: usize = 3;

impl Session {
    /// Makes the runs in their order, until no further one is of use.
    ///
    /// # Errors
    /// What kept a run from being made, or results from being written; if the rows are apart, also a run that did not pass,
    /// and a host that disturbed too many rounds.
    pub(super) fn make_all(&mut self, cancel: &CancelToken) -> Result<(), Coded> {
        let mut progress = ProgressLine::new(self.rounds.undisturbed(), |part| self.name(part));
        progress.allow(self.spec.patience);
        self.begun = Instant::now();
        let made = self.make_runs(&mut progress, cancel);
        progress.finish();
        made?;
        match self.spec.layout {
            Layout::Apart if !cancel.is_cancelled() => self.check_complete(),
            _ => Ok(()),
        }
    }

    fn make_runs(&mut self, progress: &mut ProgressLine, cancel: &CancelToken) -> Result<(), Coded> {
        let mut written = 0;
        for slot in self.rounds.order().to_vec() {
            // Before the probe: to work out results is heat on the CPUs that are measured next.
            if self.writes_before(slot.round) && self.runs.len() > written {
                written = self.runs.len();
                self.write_partial()?;
            }
            self.prober.before(slot.round, &mut self.ledger, cancel);
            self.seal_probes()?;
            if cancel.is_cancelled() {
                break;
            }
            match self.rounds.step(slot.round, &self.ledger) {
                // What a user of the host experiences is every round, whole: a disturbed one is not left.
                Step::PassOver if self.spec.layout == Layout::Apart => continue,
                Step::Stop => break,
                Step::Make | Step::PassOver if self.is_out_of_patience(slot.round) => break,
                Step::Make | Step::PassOver => self.make(slot, progress, cancel)?,
            }
            while let Some(again) = self.again(slot.round, cancel) {
                self.make(again, progress, cancel)?;
            }
            if self.is_over(cancel) {
                break;
            }
        }
        Ok(())
    }

    /// Whether the time is over, so that no round may be begun. One that was begun is made whole.
    fn is_out_of_patience(&mut self, round: u32) -> bool {
        let begins = self.runs.last().is_none_or(|last| last.round != round);
        let taken = self.begun.elapsed();
        let over = begins && self.spec.patience.is_some_and(|patience| taken >= patience);
        self.out_of_patience = over.then_some(taken);
        over
    }

    /// Whether no further run is of use.
    fn is_over(&self, cancel: &CancelToken) -> bool {
        cancel.is_cancelled() || self.hopeless().is_some() || self.too_disturbed()
    }

    /// The run of `round` that is to be made again, since the host disturbed it.
    fn again(&self, round: u32, cancel: &CancelToken) -> Option<Slot<Part>> {
        if self.is_over(cancel) {
            return None;
        }
        let run = self.rounds.again(round, &self.ledger)?;
        Some(Slot { round, item: self.parts[run as usize] })
    }

    /// Whether results are written before a run of `round`, so that a crash of this program, or of the host, costs one run.
    /// With several rows it costs a round: to work all of them out takes its time.
    fn writes_before(&self, round: u32) -> bool {
        self.spec.rows.len() == 1 || self.runs.last().is_some_and(|last| last.round != round)
    }

    fn make(
        &mut self,
        slot: Slot<Part>,
        progress: &mut ProgressLine,
        cancel: &CancelToken,
    ) -> Result<(), Coded> {
        let Slot { round, item: part } = slot;
        let (name, folder) = (self.name(part), self.runs_folder(part.row));
        let set = self.set_of(part);
        let name = if self.is_again(round, part) { format!("{name}, again") } else { name };
        progress.wait(round, &name);
        let waited_ms = self.prober.wait(part.case, cancel);
        progress.begin(round, &name);
        let row = &self.spec.rows[part.row];
        let gate = match self.spec.layout {
            Layout::Together => &mut self.gates[0],
            Layout::Apart => &mut self.gates[part.row],
        };
        let mut last_cpus = Vec::new();
        let run = row.run(Run {
            manifest: &self.spec.manifest,
            number: u32::try_from(self.runs.len()).unwrap_or(u32::MAX),
            slot: Slot { round, item: RunKey { system: row.system, case: part.case } },
            challenge: self.challenge,
            folder: &folder,
            gate,
            session: cancel,
            on_record: &mut || progress.working(round, &name),
            last_cpus: &mut last_cpus,
        })?;
        let mut run = RunRecord { set, ..run };
        run.making().waited_ms = waited_ms;
        if let Some(ended) = run.made.end_digest {
            self.challenge = challenge::next(self.challenge, ended, run.run + 1);
        }
        let verdict = run.verdict.clone();
        self.ledger.add_run(&run);
        self.runs.push(run);
        self.parts.push(part);
        self.seal_run()?;
        progress.end(round, &name, &verdict, self.count());
        self.diagnose(part, &last_cpus, progress, cancel);
        self.seal_diagnosis()?;
        match self.spec.layout {
            Layout::Apart if !cancel.is_cancelled() => passed(&name, &verdict),
            _ => Ok(()),
        }
    }

    /// Whether a run was made before in this round.
    fn is_again(&self, round: u32, part: Part) -> bool {
        let of_round = self.runs.iter().zip(&self.parts).rev().take_while(|(run, _)| run.round == round);
        of_round.into_iter().any(|(_, of)| *of == part)
    }

    /// How many runs there are to be, and how many of those that were made do not count.
    fn count(&self) -> Count {
        let lost = self.runs.iter().filter(|run| self.ledger.has_lost(run.round, run.run)).count();
        Count { planned: self.planned(), lost }
    }

    /// How many runs there are to be.
    pub(super) fn planned(&self) -> usize {
        self.rounds.planned(&self.runs, &self.ledger)
    }

    /// Whether more rounds are excluded than may be.
    pub(super) fn too_disturbed(&self) -> bool {
        self.rounds.too_disturbed(&self.ledger)
    }

    /// Why it makes no sense to go on, if so.
    pub(super) fn hopeless(&self) -> Option<&'static str> {
        if let Some(last) =
            self.runs.last().filter(|run| matches!(run.made.evidence.ended, Ended::Died { .. }))
        {
            return Some(if last.system == System::Native { "the twin failed" } else { "QEMU failed" });
        }
        let refused = self.runs.iter().filter(|run| is_refused(run)).count();
        (refused >= MAX_REFUSED).then_some("too many of them did not pass")
    }

    /// Checks that no run is missing.
    fn check_complete(&self) -> Result<(), Coded> {
        if self.too_disturbed() {
            let (count, limit) = (self.rounds.lost(&self.ledger), self.rounds.repeats().limit);
            let last = self.runs.iter().rev().find_map(|run| self.ledger.exclusion_of_run(run.run));
            let last = last.or_else(|| self.ledger.excluded_rounds().into_values().last());
            let last = last.map_or(String::new(), |last| last.to_string());
            return Err(anyhow!(
                "host-contended: {count} runs do not count because the host disturbed them or their round, and at most \
                 {limit} may be lost; the last: {last}"
            ))
            .or_refuse(ReasonCode::HostContended);
        }
        let (made, planned) = (self.runs.len(), self.planned());
        if made == planned || self.out_of_patience.is_some() {
            return Ok(());
        }
        Err(anyhow!("incomplete: {made} of {planned} runs were made")).or_refuse(ReasonCode::Incomplete)
    }

    /// A run's name among others of its round: `2 CPUs`, or `linux, 2 CPUs`.
    fn name(&self, Part { row, case }: Part) -> String {
        match self.spec.rows.as_slice() {
            [_] => cpus(case),
            rows => format!("{}, {}", rows[row].name, cpus(case)),
        }
    }
}

/// Whether a run did not pass for another reason than what the host did.
fn is_refused(run: &RunRecord) -> bool {
    let of_the_host = run.verdict.outcome.refusal().is_some_and(|(reason, _)| reason.is_the_hosts());
    run.verdict.outcome.measurement().is_none() && !of_the_host
}

/// That a run passed, or did not for what the host did.
fn passed(name: &str, verdict: &Verdict<Measurement>) -> Result<(), Coded> {
    match verdict.outcome.refusal().filter(|(reason, _)| !reason.is_the_hosts()) {
        Some((reason, detail)) => Err(anyhow!("{name}: {reason}: {detail}")).or_refuse(reason),
        None => Ok(()),
    }
}
