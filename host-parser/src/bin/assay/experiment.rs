//! `assay run`: an experiment from its manifest to its results.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow, ensure};
use host_parser::gate::{Ended, Gate};
use host_parser::manifest::Manifest;
use host_parser::results::{Completion, Experiment, Results, RunRecord, terminal, write_all};
use host_parser::stats::{ClaimRule, Pairing};
use qemu::CancelToken;

use crate::cli::RunArgs;
use crate::exit::{Coded, Exit, OrExit};
use crate::guest;
use crate::lab::{Image, Lab};
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
    order: Vec<Slot>,
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
    fs::create_dir_all(session.folder.join("runs"))
        .with_context(|| format!("{}: cannot create", session.folder.display()))
        .or_exit(Exit::Output)?;
    for image in session.images.values() {
        session.lab.build(image)?;
    }
    session.announce();
    let (runs, stopped) = session.run_all(&cancel);
    session.conclude(runs, stopped, cancel.is_cancelled())
}

impl Session {
    fn prepare(args: &RunArgs) -> Result<Self, Coded> {
        let manifest = Manifest::load(&args.manifest).or_exit(Exit::BadInput)?;
        let lab = Lab::find(&args.guest, &manifest)?;
        let label = args.label.clone().unwrap_or_else(|| now_label(SystemTime::now()));
        let home = args.out.join(manifest.name().as_str());
        let folder = home.join(&label);
        check_label(&label, &folder).or_exit(Exit::Usage)?;
        let store = home.join("images");
        if !args.dry_run {
            fs::create_dir_all(&store)
                .with_context(|| format!("{}: cannot create", store.display()))
                .or_exit(Exit::Output)?;
        }
        let image = |&case: &u16| lab.image(&manifest, &[case], &store).map(|image| (case, image));
        let images = manifest.cases().iter().map(image).collect::<Result<_, _>>()?;
        let rounds = args.rounds.unwrap_or(manifest.rounds());
        let seed = args.seed.unwrap_or_else(clock_seed);
        let order = schedule(manifest.cases(), rounds, seed);
        let experiment = Experiment {
            name: manifest.name().to_string(),
            label: Some(label),
            manifest: Some(manifest.path().display().to_string()),
            manifest_sha256: Some(manifest.sha256().to_string()),
            pairing: Pairing::Runs,
            rounds: Some(u32::from(rounds)),
            cases: manifest.cases().to_vec(),
            order_seed: Some(seed),
            claim: claim(&manifest),
        };
        Ok(Self { manifest, lab, images, order, experiment, folder })
    }

    /// `--dry-run`: what would be done.
    fn tell(&self) -> Result<(), Coded> {
        println!("# order of the runs, seed {} (round:case)", self.experiment.order_seed.unwrap_or(0));
        let order: Vec<String> =
            self.order.iter().map(|slot| format!("{}:{}", slot.round + 1, slot.case)).collect();
        println!("# {}", order.join(" "));
        for (&case, image) in &self.images {
            let machine = self.lab.machine(&self.manifest, case);
            let spec = guest::spec(&self.lab, &self.manifest, machine, image, Path::new("serial.log"));
            println!("# case {case}, plan {}", image.plan.digest());
            println!("{}", spec.command().or_exit(Exit::Environment)?);
        }
        Ok(())
    }

    fn announce(&self) {
        let accelerator = &self.lab.accelerator;
        let cpus = match &self.lab.host_cpus.set {
            Some(set) => format!("pinned to host CPUs {set}"),
            None => format!("host CPUs {}, not pinned", self.lab.host_cpus.available),
        };
        eprintln!(
            "{}: {} runs under {} ({}), {cpus}",
            self.experiment.name,
            self.order.len(),
            accelerator.accelerator,
            accelerator.reason
        );
        eprintln!("results: {}", self.folder.display());
    }

    /// Makes the runs in their order; gives those that were made, and why the others were not.
    fn run_all(&self, cancel: &CancelToken) -> (Vec<RunRecord>, Option<Coded>) {
        let mut gate = Gate::default();
        let mut progress = Progress::new(self.order.len());
        let mut runs = Vec::new();
        let mut stopped = None;
        let folder = self.folder.join("runs");
        for (number, &slot) in (0..).zip(&self.order) {
            let image = &self.images[&slot.case];
            let run = guest::run(
                &self.lab,
                &self.manifest,
                image,
                number,
                slot,
                &folder,
                &mut gate,
                cancel,
                &mut progress,
            );
            match run {
                Ok(run) => runs.push(run),
                Err(error) => {
                    stopped = Some(error);
                    break;
                }
            }
            if cancel.is_cancelled() || hopeless(&runs) {
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

    fn results(&self, runs: Vec<RunRecord>, cancelled: bool, stopped: Option<&Coded>) -> Results {
        let (made, planned) = (runs.len(), self.order.len());
        let why = match stopped {
            Some(error) => Some(error.to_string()),
            None if cancelled => Some("interrupted".to_owned()),
            None if made < planned && hopeless(&runs) => Some(format!("{MAX_REFUSED} runs did not pass")),
            None if made < planned => Some("still running, or killed".to_owned()),
            None => None,
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
        let results = self.results(runs, cancelled, stopped.as_ref());
        let written = self.write(&results);
        print!("{}", terminal(&results));
        if written.is_ok() {
            println!(
                "\nresults.json, samples.csv, summary.md and every run's log: {}",
                self.folder.display()
            );
        }
        match (stopped, written) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(error),
            (None, Ok(())) if cancelled => Ok(Exit::Interrupted),
            (None, Ok(())) => Ok(Exit::of(results.conclusion())),
        }
    }
}

/// Whether it makes no sense to go on.
fn hopeless(runs: &[RunRecord]) -> bool {
    let refused = runs.iter().filter(|run| run.verdict.outcome.measurement().is_none());
    let qemu_died = runs.last().is_some_and(|run| matches!(run.evidence.ended, Ended::Died { .. }));
    qemu_died || refused.count() >= MAX_REFUSED
}

fn claim(manifest: &Manifest) -> Option<ClaimRule> {
    let gate = manifest.gate()?;
    Some(ClaimRule { from: gate.from_workers, to: gate.to_workers, min_speedup: gate.min_speedup })
}

fn check_label(label: &str, folder: &Path) -> anyhow::Result<()> {
    let plain = !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    ensure!(
        plain && !label.starts_with('.') && label != "images",
        "--label {label:?}: expected letters, digits, `.`, `_` or `-`, not beginning with a dot, and not `images`"
    );
    if folder.exists() {
        return Err(anyhow!(
            "--label {label}: {} is there already, and is not overwritten",
            folder.display()
        ));
    }
    Ok(())
}

fn clock_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() ^ u64::from(since.subsec_nanos()) << 32
}

/// The time as a folder's name, in UTC: `20260704T120000Z`.
fn now_label(now: SystemTime) -> String {
    let time = humantime::format_rfc3339_seconds(now).to_string();
    time.replace(['-', ':'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_folder_names_of_one_step() {
        let fresh = Path::new("/nowhere/at/all");
        for good in ["a", "2026-07-04_b.c", "20260704T120000Z"] {
            assert!(check_label(good, fresh).is_ok(), "{good}");
        }
        for bad in ["", "..", "a/b", ".hidden", "a b", "images"] {
            assert!(check_label(bad, fresh).is_err(), "{bad}");
        }
        assert!(check_label("tmp", Path::new("/")).unwrap_err().to_string().contains("not overwritten"));
    }

    #[test]
    fn a_session_is_named_by_its_time() {
        assert_eq!(now_label(UNIX_EPOCH), "19700101T000000Z");
    }
}
