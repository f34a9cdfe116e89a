//! `assay run`: an experiment from its manifest to its results.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};
use host_parser::gate::{Ended, Gate};
use host_parser::manifest::Manifest;
use host_parser::results::{
    Completion, Experiment, Results, RunRecord, disturbed_rounds, terminal, write_all,
};
use host_parser::stats::{ClaimRule, Pairing};
use qemu::{AcceleratorChoice, CancelToken};

use crate::cli::RunArgs;
use crate::console;
use crate::exit::{Coded, Exit, OrExit};
use crate::guest;
use crate::image::Image;
use crate::lab::Lab;
use crate::label;
use crate::progress::Progress;
use crate::schedule::{Slot, schedule};
use crate::signals;

/// So many runs that do not pass, and the rest is not made: what is broken stays broken, and each could take as long
/// as its deadline.
const MAX_REFUSED: usize = 3;

/// An experiment that is about to be run.
struct Session {
    manifest: Manifest,
    lab: Lab,
    images: BTreeMap<u16, Image>,
    order: Vec<Slot<u16>>,
    experiment: Experiment,
    folder: PathBuf,
}

/// Runs the experiment, prints its results and says how it ended.
///
/// # Errors
/// What kept it from having results at all.
pub fn run(args: &RunArgs) -> Result<Exit, Coded> {
    let session = Session::prepare(args)?;
    if args.dry_run {
        return session.tell().map(|()| Exit::Holds);
    }
    let cancel = signals::cancel_on_signals().or_exit(Exit::Environment)?;
    session.announce();
    session.build_images(&cancel)?;
    if cancel.is_cancelled() {
        console::note("assay: interrupted before the first run; nothing was measured");
        return Ok(Exit::Interrupted);
    }
    session.create_folder()?;
    let (runs, stopped) = session.run_all(&cancel);
    session.conclude(runs, stopped, cancel.is_cancelled())
}

impl Session {
    fn prepare(args: &RunArgs) -> Result<Self, Coded> {
        let manifest = Manifest::load(&args.manifest).or_exit(Exit::BadInput)?;
        let lab = Lab::find(&args.guest, &manifest)?;
        let label = args.label.clone().unwrap_or_else(|| label::of_time(SystemTime::now()));
        let home = args.out.join(manifest.name().as_str());
        let folder = home.join(&label);
        label::check(&label, &folder).or_exit(Exit::Usage)?;
        let store = home.join(label::IMAGES);
        let image = |&case: &u16| lab.image(&manifest, &[case], &store).map(|image| (case, image));
        let images = manifest.cases().iter().map(image).collect::<Result<_, _>>()?;
        let rounds = args.rounds.unwrap_or(manifest.rounds());
        let seed = args.seed.unwrap_or_else(clock_seed);
        let order = schedule(manifest.cases(), rounds.saturating_mul(2), seed);
        let experiment = Experiment {
            name: manifest.name().to_string(),
            label: Some(label),
            manifest: Some(manifest.path().display().to_string()),
            manifest_sha256: Some(manifest.sha256().to_string()),
            pairing: Pairing::Runs,
            rounds: Some(u32::from(rounds)),
            // As many again: past that, what is left would be a selection.
            set_aside_limit: u32::from(rounds),
            cases: manifest.cases().to_vec(),
            order_seed: Some(seed),
            claim: claim(&manifest),
        };
        Ok(Self { manifest, lab, images, order, experiment, folder })
    }

    /// `--dry-run`: what would be done.
    fn tell(&self) -> Result<(), Coded> {
        let seed = self.experiment.order_seed.unwrap_or(0);
        let order: Vec<String> = self.order[..self.planned(&[])]
            .iter()
            .map(|slot| format!("{}:{}", slot.round + 1, slot.item))
            .collect();
        let mut text = format!("# {}\n", self.how());
        text += &format!("# results would be in {}\n", self.folder.display());
        text += &format!("# order, as ROUND:CPUS, by --seed {seed}\n# {}\n", order.join(" "));
        for (&case, image) in &self.images {
            let machine = self.lab.machine(&self.manifest, case);
            let spec = guest::spec(&self.lab, &self.manifest, machine, image, Path::new("serial.log"));
            let command = spec.command().or_exit(Exit::Environment)?;
            text += &format!("# case {case}, plan {}\n{command}\n", image.plan.digest());
        }
        console::answer(&text)
    }

    fn announce(&self) {
        console::note(&self.how());
        console::note(&format!("results: {}", self.folder.display()));
    }

    /// What is run, and how, in a line.
    fn how(&self) -> String {
        let AcceleratorChoice { accelerator, reason } = &self.lab.accelerator;
        let (name, runs, cpus) = (&self.experiment.name, self.planned(&[]), self.lab.host_cpus.tell());
        format!("{name}: {runs} runs under {accelerator} ({reason}), {cpus}")
    }

    /// Builds what is not there yet, until cancelled.
    fn build_images(&self, cancel: &CancelToken) -> Result<(), Coded> {
        for (case, image) in &self.images {
            if cancel.is_cancelled() {
                break;
            }
            if let Some(disk) = image.missing_disk() {
                console::note(&format!("building the image for case {case}: {}", disk.display()));
            }
            image.build(cancel)?;
        }
        Ok(())
    }

    /// Makes the folder for the results, which nobody else may have made in the meantime.
    fn create_folder(&self) -> Result<(), Coded> {
        let folder = self.folder.display();
        match fs::create_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(anyhow!("{folder}: another session has just made it; use another --label"))
                    .or_exit(Exit::Usage)
            }
            made => made
                .and_then(|()| fs::create_dir(self.folder.join("runs")))
                .with_context(|| format!("{folder}: cannot create"))
                .or_exit(Exit::Output),
        }
    }

    /// Makes the runs in their order; gives those that were made, and why the others were not.
    fn run_all(&self, cancel: &CancelToken) -> (Vec<RunRecord>, Option<Coded>) {
        let mut gate = Gate::default();
        let planned = self.rounds() as usize * self.images.len();
        let mut progress = Progress::new(&self.order[..planned.min(self.order.len())]);
        let mut runs = Vec::new();
        let mut stopped = None;
        let folder = self.folder.join("runs");
        for (number, &slot) in (0..).zip(&self.order) {
            if slot.round >= self.rounds() + set_aside(&runs) {
                break;
            }
            let image = &self.images[&slot.item];
            progress.begin(slot);
            let run = guest::run(
                &self.lab,
                &self.manifest,
                image,
                number,
                slot,
                &folder,
                &mut gate,
                cancel,
                &mut || progress.working(slot),
            );
            match run {
                Ok(run) => {
                    let replaced_before = set_aside(&runs);
                    let verdict = run.verdict.clone();
                    runs.push(run);
                    if set_aside(&runs) > replaced_before {
                        progress.add_round(self.images.len());
                    }
                    progress.end(slot, &verdict);
                }
                Err(error) => {
                    stopped = Some(error);
                    break;
                }
            }
            if cancel.is_cancelled() || hopeless(&runs).is_some() || self.too_disturbed(&runs) {
                break;
            }
            // So that a crash of this program, or of the host, costs one run and not all.
            if let Err(error) = self.write(&self.results(runs.clone(), false, None)) {
                stopped = Some(error);
                break;
            }
        }
        progress.finish();
        (runs, stopped)
    }

    /// How many rounds are to count.
    fn rounds(&self) -> u32 {
        self.experiment.rounds.unwrap_or(0)
    }

    /// How many runs there are to be, with the rounds that replace those set aside so far.
    fn planned(&self, runs: &[RunRecord]) -> usize {
        let rounds = self.rounds() + set_aside(runs);
        self.order.len().min(rounds as usize * self.images.len())
    }

    /// Whether more rounds were set aside than may be: no further round could mend that.
    fn too_disturbed(&self, runs: &[RunRecord]) -> bool {
        set_aside(runs) > self.experiment.set_aside_limit
    }

    fn results(&self, runs: Vec<RunRecord>, cancelled: bool, stopped: Option<&Coded>) -> Results {
        let (made, planned) = (runs.len(), self.planned(&runs));
        let why = match stopped {
            Some(error) => Some(error.to_string()),
            None if cancelled => Some("interrupted".to_owned()),
            None if made == planned => None,
            None if self.too_disturbed(&runs) => Some("the host disturbed too many rounds".to_owned()),
            None => Some(hopeless(&runs).unwrap_or("still running, or killed").to_owned()),
        };
        let completion = why.map_or(Completion::Complete, |why| Completion::Partial {
            why: format!("{made} of {planned} runs were made: {why}"),
        });
        Results::new(self.experiment.clone(), self.lab.environment(&self.manifest), runs, completion)
    }

    fn write(&self, results: &Results) -> Result<(), Coded> {
        write_all(&self.folder, results).map(drop).or_exit(Exit::Output)
    }

    fn conclude(&self, runs: Vec<RunRecord>, stopped: Option<Coded>, cancelled: bool) -> Result<Exit, Coded> {
        let cut_short = runs.last().is_some_and(|run| run.evidence.ended == Ended::Cancelled);
        // A signal that came when all was done has interrupted nothing.
        let cancelled = cancelled && (cut_short || runs.len() < self.planned(&runs));
        let results = self.results(runs, cancelled, stopped.as_ref());
        let written = self.write(&results);
        let mut text = terminal(&results);
        if written.is_ok() {
            let folder = self.folder.display();
            text += &format!("\nresults.json, samples.csv, summary.md and every run's log: {folder}\n");
        }
        let told = console::answer(&text);
        match stopped.map_or(written.and(told), Err) {
            Err(error) => Err(error),
            Ok(()) if cancelled => Ok(Exit::Interrupted),
            Ok(()) => Ok(Exit::of(results.conclusion())),
        }
    }
}

/// How many rounds the host disturbed.
fn set_aside(runs: &[RunRecord]) -> u32 {
    u32::try_from(disturbed_rounds(runs).len()).unwrap_or(u32::MAX)
}

/// Why it makes no sense to go on, if so.
fn hopeless(runs: &[RunRecord]) -> Option<&'static str> {
    let hosts = |run: &&RunRecord| run.verdict.outcome.refusal().is_some_and(|(r, _)| r.is_the_hosts());
    let refused = runs.iter().filter(|run| run.verdict.outcome.measurement().is_none() && !hosts(run));
    if runs.last().is_some_and(|run| matches!(run.evidence.ended, Ended::Died { .. })) {
        return Some("QEMU failed");
    }
    (refused.count() >= MAX_REFUSED).then_some("too many of them did not pass")
}

fn claim(manifest: &Manifest) -> Option<ClaimRule> {
    let gate = manifest.gate()?;
    Some(ClaimRule { from: gate.from_workers, to: gate.to_workers, min_speedup: gate.min_speedup })
}

fn clock_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() ^ u64::from(since.subsec_nanos()) << 32
}
