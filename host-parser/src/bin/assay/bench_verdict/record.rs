//! The recording: in each round every side once, in an order of its own. Each side is a session like one of `assay run`,
//! so that any two of them can be compared by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, anyhow};
use host_parser::gate::Gate;
use host_parser::manifest::Manifest;
use host_parser::plan::WorkerBlob;
use host_parser::results::{Completion, Environment, Experiment, Results, RunRecord, System, write_all};
use host_parser::stats::Pairing;
use qemu::CancelToken;

use super::args::BenchVerdictArgs;
use super::side::{SideName, all};
use crate::console;
use crate::exit::{Coded, Exit, OrExit};
use crate::lab::Lab;
use crate::label;
use crate::progress::Progress;
use crate::run::{Run, Task, cpus};
use crate::schedule::{Slot, schedule};
use crate::systems::Guests;

/// Where sessions go, below the folder for results.
const HOME: &str = "bench-verdict";

/// What is about to be recorded.
pub struct Recording {
    manifest: Manifest,
    lab: Lab,
    case: u16,
    rounds: u32,
    seed: u64,
    sides: Vec<Side>,
    order: Vec<Slot<usize>>,
    folder: PathBuf,
}

/// A side, and its session so far.
struct Side {
    name: SideName,
    guests: Guests,
    environment: Environment,
    gate: Gate,
    runs: Vec<RunRecord>,
}

impl Recording {
    /// Finds all that is needed.
    ///
    /// # Errors
    /// What is missing, or cannot be compared.
    pub fn prepare(args: &BenchVerdictArgs, seed: u64) -> Result<Self, Coded> {
        let manifest = Manifest::load(&args.manifest).or_exit(Exit::BadInput)?;
        let path = manifest.path().display();
        if manifest.program() != "primes" {
            let found = manifest.program();
            return Err(anyhow!("{path}: workload.program: expected primes, found {found}"))
                .or_exit(Exit::BadInput);
        }
        if !manifest.cases().contains(&args.case) {
            return Err(anyhow!("--case {}: {path} has no such case", args.case)).or_exit(Exit::Usage);
        }
        let lab = Lab::find(&args.guest, &manifest)?;
        if lab.host_cores() < args.case {
            let (case, cores) = (args.case, lab.host_cores());
            return Err(anyhow!("--case {case}: on {cores} host cores it shows no speed"))
                .or_exit(Exit::Unsupported);
        }
        let label = args.label.clone().unwrap_or_else(|| label::of_time(SystemTime::now()));
        let home = args.out.join(HOME);
        let folder = home.join(&label);
        label::check(&label, &folder).or_exit(Exit::Usage)?;
        let store = home.join(label::IMAGES);
        let sides: Vec<Side> = all()
            .into_iter()
            .map(|name| Side::prepare(name, &lab, &args.guest.built.workers, &manifest, &store))
            .collect::<Result<_, _>>()?;
        let places: Vec<usize> = (0..sides.len()).collect();
        // As many rounds again may be set aside.
        let order = schedule(&places, args.rounds.saturating_mul(2), seed);
        let rounds = u32::from(args.rounds);
        Ok(Self { manifest, lab, case: args.case, rounds, seed, sides, order, folder })
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
            let runs = self.folder.join(side.name.folder).join("runs");
            fs::create_dir_all(&runs).with_context(|| runs.display().to_string()).or_exit(Exit::Output)?;
        }
        let order = std::mem::take(&mut self.order);
        let planned = self.rounds as usize * self.sides.len();
        let tasks: Vec<Slot<Task>> = order[..planned].iter().map(|&slot| self.task(slot)).collect();
        let mut progress = Progress::new(&tasks, |task| cpus(task.case));
        let mut set_aside = BTreeMap::new();
        let ended = self.rounds(&order, &mut set_aside, &mut progress, cancel);
        progress.finish();
        let ended = if cancel.is_cancelled() { Ok(false) } else { ended.map(|()| true) };
        let why = match &ended {
            Ok(true) => None,
            Ok(false) => Some("interrupted".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        self.write(&set_aside, why.as_deref())?;
        ended
    }

    fn announce(&self) {
        let (runs, rounds) = (self.rounds as usize * self.sides.len(), self.rounds);
        let accelerator = &self.lab.accelerator;
        let how = format!("{} ({})", accelerator.accelerator, accelerator.reason);
        let (cpus, case) = (self.lab.host_cpus.tell(), self.case);
        console::note(&format!(
            "bench-verdict: {runs} runs of case {case} in {rounds} rounds under {how}, {cpus}"
        ));
        console::note(&format!("results: {}", self.folder.display()));
    }

    fn task(&self, slot: Slot<usize>) -> Slot<Task> {
        Slot { round: slot.round, item: Task { system: System::Assay, case: self.case } }
    }

    fn rounds(
        &mut self,
        order: &[Slot<usize>],
        set_aside: &mut BTreeMap<u32, String>,
        progress: &mut Progress,
        cancel: &CancelToken,
    ) -> Result<(), Coded> {
        for &slot in order {
            let aside = u32::try_from(set_aside.len()).unwrap_or(u32::MAX);
            if slot.round >= self.rounds + aside || cancel.is_cancelled() {
                break;
            }
            if aside > self.rounds {
                let why = format!("{aside} rounds are set aside for what the host did, more than count");
                return Err(anyhow!("host-contended: {why}")).or_exit(Exit::Invalid);
            }
            if set_aside.contains_key(&slot.round) {
                // What is left of it would count for nothing.
                continue;
            }
            let (task, number) = (self.task(slot), self.made(|_| true));
            let name = cpus(self.case);
            progress.begin(task.round, &name);
            let side = &mut self.sides[slot.item];
            let folder = self.folder.join(side.name.folder).join("runs");
            let run = side.guests.run(Run {
                manifest: &self.manifest,
                number: u32::try_from(number).unwrap_or(u32::MAX),
                slot: task,
                folder: &folder,
                gate: &mut side.gate,
                session: cancel,
                on_record: &mut || progress.working(task.round, &name),
                last_cpus: &mut Vec::new(),
            })?;
            let (verdict, of_side) = (run.verdict.clone(), side.name.folder);
            side.runs.push(run);
            if let Some((reason, detail)) = verdict.outcome.refusal().filter(|_| !cancel.is_cancelled()) {
                if !reason.is_the_hosts() {
                    return Err(anyhow!("side {of_side}: {reason}: {detail}")).or_exit(Exit::Failed);
                }
                set_aside.insert(slot.round, format!("{reason} in the run of {of_side}: {detail}"));
            }
            let in_vain = self.made(|round| set_aside.contains_key(&round));
            progress.end(task.round, &name, &verdict, self.rounds as usize * self.sides.len() + in_vain);
        }
        Ok(())
    }

    /// How many runs were made of such rounds.
    fn made(&self, of: impl Fn(u32) -> bool) -> usize {
        self.sides.iter().flat_map(|side| &side.runs).filter(|run| of(run.round)).count()
    }

    /// Writes each side's session, complete or for this reason not. A round that is set aside is so for every side.
    fn write(&self, set_aside: &BTreeMap<u32, String>, why: Option<&str>) -> Result<(), Coded> {
        for side in &self.sides {
            let experiment = Experiment {
                name: self.manifest.name().to_string(),
                label: Some(side.name.folder.to_owned()),
                manifest: Some(self.manifest.path().display().to_string()),
                manifest_sha256: Some(self.manifest.sha256().to_string()),
                pairing: Pairing::Runs,
                rounds: Some(self.rounds),
                set_aside_limit: self.rounds,
                cases: vec![self.case],
                order_seed: Some(self.seed),
                claim: None,
            };
            let completion =
                why.map_or(Completion::Complete, |why| Completion::Partial { why: why.to_owned() });
            let mut runs = side.runs.clone();
            runs.iter_mut().for_each(|run| run.set_aside = set_aside.get(&run.round).cloned());
            let counted = runs.iter().filter(|run| run.set_aside.is_none()).cloned().collect();
            let mut results = Results::new(experiment, side.environment.clone(), counted, completion);
            results.runs = runs;
            write_all(&self.folder.join(side.name.folder), &results).or_exit(Exit::Output)?;
        }
        Ok(())
    }
}

impl Side {
    fn prepare(
        name: SideName,
        lab: &Lab,
        workers: &Path,
        manifest: &Manifest,
        store: &Path,
    ) -> Result<Self, Coded> {
        let mut lab = lab.clone();
        if let Some(program) = name.program {
            let slowed = WorkerBlob::load(workers, program).or_exit(Exit::Environment)?;
            lab.blob = WorkerBlob::new(lab.blob.name(), slowed.bytes().to_vec());
        }
        let guests = Guests::ours(lab.clone(), manifest, store)?;
        let environment = lab.environment(manifest, guests.artifacts().to_vec());
        Ok(Self { name, guests, environment, gate: Gate::default(), runs: Vec::new() })
    }
}
