//! Sides that run in the same rounds: in each the cases in an order of its own, and the sides of a case one after the
//! other, in an order of theirs. Each side is a session like one of `assay run`, so that any two of them can be compared by
//! hand. What the host did to one side of a round costs all of them the round.

mod side;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, anyhow};
use host::CancelToken;
use host_parser::manifest::Manifest;
use host_parser::results::{
    Completion, Conclusion, Experiment, Results, RunRecord, System, disturbed_rounds,
    set_slow_iterations_aside, write_all,
};
use host_parser::stats::Pairing;

use crate::console;
use crate::exit::{Coded, Exit, OrExit};
use crate::guest_env::GuestEnv;
use crate::label;
use crate::probe::{ProbeSpec, Prober};
use crate::progress_line::ProgressLine;
use crate::rounds::{Rounds, Step};
use crate::run::{Run, RunKey, cpus};
use crate::schedule::Slot;
use side::Side;

/// What is to be recorded.
pub struct SessionSpec {
    /// The command that asks for it: its word, and the folder for its results.
    pub command: &'static str,
    /// The experiment.
    pub manifest: Manifest,
    /// The cases that every side runs.
    pub cases: Vec<u16>,
    /// Rounds that are to count.
    pub rounds: u16,
    /// How many may be set aside for each of them.
    pub spare: u16,
    /// Seed of the order.
    pub seed: u64,
    /// Name of the folder for the sessions; by default the time.
    pub label: Option<String>,
    /// Where results go: OUT/COMMAND/LABEL.
    pub out: PathBuf,
}

/// Sides that are about to be run.
pub struct Recording {
    terms: SessionSpec,
    /// How guests are run, in words.
    how: String,
    folder: PathBuf,
    sides: Vec<Side>,
    rounds: Rounds<Part>,
    prober: Prober,
    /// In the order in which they were made.
    runs: Vec<RunRecord>,
    /// Which side each of these is of.
    sides_of: Vec<usize>,
}

/// A part of a round: a side's case.
#[derive(Clone, Copy)]
struct Part {
    side: usize,
    case: u16,
}

impl Recording {
    /// Finds all that is needed for sides of these names.
    ///
    /// # Errors
    /// What is missing, or cannot be written.
    pub fn prepare(
        terms: SessionSpec,
        sides: Vec<(&'static str, GuestEnv)>,
        probe: &ProbeSpec,
    ) -> Result<Self, Coded> {
        let label = terms.label.clone().unwrap_or_else(|| label::of_time(SystemTime::now()));
        let home = terms.out.join(terms.command);
        let folder = home.join(&label);
        label::check(&label, &folder).or_exit(Exit::Usage)?;
        let store = home.join(label::IMAGES);
        let lab = &sides.first().expect("a side").1;
        let prober = Prober::prepare(probe, lab, &terms.manifest, &store, &folder);
        let (accelerator, cpus) = (&lab.accelerator, lab.host_cpus.describe());
        let how = format!("under {} ({}), {cpus}", accelerator.accelerator, accelerator.reason);
        // What is compared with each other runs one after the other: all sides of a case.
        let of_case = |&case: &u16| (0..sides.len()).map(|side| Part { side, case }).collect();
        let parts: Vec<Vec<Part>> = terms.cases.iter().map(of_case).collect();
        let rounds = Rounds::grouped(&parts, terms.rounds, terms.spare, terms.seed);
        let sides: Vec<Side> = sides
            .into_iter()
            .map(|(name, lab)| Side::prepare(name, lab, &terms.manifest, &store))
            .collect::<Result<_, _>>()?;
        let (runs, sides_of) = (Vec::new(), Vec::new());
        Ok(Self { terms, how, folder, sides, rounds, prober, runs, sides_of })
    }

    /// Where it goes.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs every side in every round. False where it was cancelled.
    ///
    /// # Errors
    /// What kept a guest from being run, one that did not pass, a host that disturbed too many rounds.
    pub fn run(&mut self, cancel: &CancelToken) -> Result<bool, Coded> {
        self.announce();
        for side in &self.sides {
            side.guests.build(cancel)?;
            side.create_folder(&self.folder)?;
        }
        let mut progress = ProgressLine::new(self.rounds.undisturbed(), |part| self.name(part));
        let ended = self.make_all(&mut progress, cancel);
        progress.finish();
        let ended = match ended {
            _ if cancel.is_cancelled() => Ok(false),
            Ok(()) => self.all_made().map(|()| true),
            Err(error) => Err(error),
        };
        let completion = match &ended {
            Ok(true) => Completion::Complete,
            Ok(false) => Completion::Partial { why: "interrupted".to_owned() },
            Err(error) => Completion::Partial { why: error.to_string() },
        };
        self.write(&completion)?;
        if !matches!(ended, Ok(true)) {
            let folder = self.folder.display();
            console::note(&format!("what was measured until then, and every run's log: {folder}"));
        }
        ended
    }

    fn announce(&self) {
        let SessionSpec { command, rounds, .. } = &self.terms;
        let (runs, sides) = (self.rounds.undisturbed().len(), self.sides.len());
        console::note(&format!("{command}: {runs} runs of {sides} sides in {rounds} rounds {}", self.how));
        console::note(&format!("results: {}", self.folder.display()));
    }

    /// That no run is missing from what is about to be called complete.
    fn all_made(&self) -> Result<(), Coded> {
        let (made, planned) = (self.runs.len(), self.rounds.planned(&self.runs, &self.prober.seen()));
        if made == planned {
            return Ok(());
        }
        Err(anyhow!("incomplete: {made} of {planned} runs were made")).or_exit(Exit::Invalid)
    }

    fn make_all(&mut self, progress: &mut ProgressLine, cancel: &CancelToken) -> Result<(), Coded> {
        let mut written = 0;
        for slot in self.rounds.order().to_vec() {
            // So that a crash costs a round and not all. Before the probe, and not between the sides: it is heat on the
            // CPUs that are measured next.
            let round_is_over = self.runs.last().is_some_and(|last| last.round != slot.round);
            if round_is_over && self.runs.len() > written {
                written = self.runs.len();
                self.write(&Completion::Partial { why: "still running, or killed".to_owned() })?;
            }
            self.prober.before(slot.round, cancel);
            if cancel.is_cancelled() {
                break;
            }
            match self.rounds.step(slot.round, &self.runs, &self.prober.seen()) {
                Step::Make => self.make(slot, progress, cancel)?,
                Step::PassOver => {}
                Step::Stop => break,
            }
        }
        let disturbed = disturbed_rounds(&self.runs, &self.prober.seen());
        if self.rounds.too_disturbed(&self.runs, &self.prober.seen()) {
            let (count, limit) = (disturbed.len(), self.rounds.limit());
            let why = format!("{count} rounds are set aside for what the host did, at most {limit} may be");
            let last = disturbed.into_values().last().map(|last| last.to_string()).unwrap_or_default();
            return Err(anyhow!("host-contended: {why}; the last: {last}")).or_exit(Exit::Invalid);
        }
        Ok(())
    }

    fn make(
        &mut self,
        slot: Slot<Part>,
        progress: &mut ProgressLine,
        cancel: &CancelToken,
    ) -> Result<(), Coded> {
        let Slot { round, item: part } = slot;
        let name = self.name(part);
        progress.wait(round, &name);
        let waited_ms = self.prober.wait(part.case, cancel);
        progress.begin(round, &name);
        let side = &mut self.sides[part.side];
        let folder = side.runs(&self.folder);
        let run = side.guests.run(Run {
            manifest: &self.terms.manifest,
            number: u32::try_from(self.runs.len()).unwrap_or(u32::MAX),
            slot: Slot { round, item: RunKey { system: System::Assay, case: part.case } },
            folder: &folder,
            gate: &mut side.gate,
            session: cancel,
            on_record: &mut || progress.working(round, &name),
            last_cpus: &mut Vec::new(),
        })?;
        let verdict = run.verdict.clone();
        self.runs.push(RunRecord { waited_ms, ..run });
        self.sides_of.push(part.side);
        progress.end(round, &name, &verdict, self.rounds.planned(&self.runs, &self.prober.seen()));
        match verdict.outcome.refusal().filter(|(reason, _)| !reason.is_the_hosts()) {
            Some((reason, detail)) if !cancel.is_cancelled() => {
                Err(anyhow!("{name}: {reason}: {detail}")).or_exit(Exit::of(Conclusion::Refused(reason)))
            }
            _ => Ok(()),
        }
    }

    /// A run's name among others of its round: `a1, 2 CPUs`.
    fn name(&self, Part { side, case }: Part) -> String {
        format!("{}, {}", self.sides[side].name, cpus(case))
    }

    /// Writes each side's session. A round that is set aside is so for every side.
    fn write(&self, completion: &Completion) -> Result<(), Coded> {
        let probes = self.prober.seen();
        let disturbed = disturbed_rounds(&self.runs, &probes);
        let mut all = self.runs.clone();
        set_slow_iterations_aside(&mut all);
        for (place, side) in self.sides.iter().enumerate() {
            let of_side = all.iter().zip(&self.sides_of).filter(|(_, of)| **of == place);
            let runs = of_side.map(|(run, _)| run.clone()).collect();
            let (experiment, environment) = (self.experiment(side), side.environment.clone());
            let (probes, completion) = (probes.clone(), completion.clone());
            let results =
                Results::of_rounds(experiment, environment, probes, runs, completion, disturbed.clone());
            let folder = self.folder.join(side.name);
            write_all(&folder, &results)
                .with_context(|| folder.display().to_string())
                .or_exit(Exit::Output)?;
        }
        Ok(())
    }

    fn experiment(&self, side: &Side) -> Experiment {
        let SessionSpec { manifest, cases, rounds, seed, .. } = &self.terms;
        Experiment {
            name: manifest.name().to_string(),
            label: Some(side.name.to_owned()),
            manifest: Some(manifest.path().display().to_string()),
            manifest_sha256: Some(manifest.sha256().to_string()),
            pairing: Pairing::Runs,
            rounds: Some(u32::from(*rounds)),
            set_aside_limit: self.rounds.limit(),
            cases: cases.clone(),
            order_seed: Some(*seed),
            // What is claimed is told by the comparison.
            claim: None,
        }
    }
}
