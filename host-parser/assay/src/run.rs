//! `assay run`: an experiment from its manifest to its results.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use abi::series::{SeriesRow, Tier};
use anyhow::{Context, anyhow};
use clap::Args;
use experiment::manifest::Manifest;
use host::HostCpus;
use lab::{
    Coded, Ended, Exit, GuestEnv, Layout, MeasuringLock, OrExit, Places, SPARE, Session, SessionFolder,
    SessionSpec, SystemsSpec, clock_seed, console, of_systems,
};
use qemu::VmmKind;
use report::{terminal, terminal_in_colour};
use results::System;
use results::seal::signature::SecretKey;

use crate::ending::Ending;
use crate::exact::{self, ExactRunArgs};
use crate::keep;
use crate::options::{Accel, GuestArgs, ProbeArgs, SymbolsArgs};
use crate::patience;
use crate::pipeline::PipelineArgs;
use crate::show::{as_data, page_of};
use crate::tool::tool;

/// `assay run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Manifest of the experiment, such as manifests/smp-process-scale.toml
    pub manifest: PathBuf,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// Systems that run the workers, as a list: assay, assay-bios, linux, linux-mitigations-off, linux-tuned,
    /// native
    ///
    /// All of them run in one session, in shuffled order, so that they can be compared. The Linux kernel is the one that
    /// the environment variable LINUX_SMP_SCALE_KERNEL names, else the distribution's, which is downloaded into
    /// target/linux. All systems get the same host CPUs. If only Linux runs, the variable
    /// LINUX_SMP_SCALE_QEMU_TASKSET_CPUS comes before the variables of --cpus.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = system, default_value = "assay")]
    pub systems: Vec<System>,
    /// Undisturbed rounds to run, instead of the manifest's; a claim needs at least 5
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub rounds: Option<u16>,
    /// Time for the session, in place of a limit of disturbed runs: 20m, or 1h30m
    ///
    /// It goes on until all rounds count, however many runs the host disturbs, and begins no further round when the time is
    /// over. What it would take at the noise so far is shown meanwhile. If too few rounds count by then, the exit code is 75
    /// (busy). Enough of what was made must count all the same: of half of it a claim can be made.
    #[arg(long, value_name = "TIME", value_parser = crate::options::patience, conflicts_with = "exact")]
    pub patience: Option<Duration>,
    /// Of the kernel's mechanisms measure this row only: a row of docs/MECHANISMS.md
    #[arg(long, value_name = "ROW", value_parser = mechanism, conflicts_with = "exact")]
    pub only: Option<SeriesRow>,
    /// One round, and few samples of each cost: a quick look, whose percentiles are coarse
    #[arg(long, conflicts_with_all = ["exact", "rounds"])]
    pub quick: bool,
    /// Also show the rows that stand for benchmarks of lmbench, UnixBench, Kevlar and others (docs/OSBENCH.md)
    #[arg(long, conflicts_with = "exact")]
    pub suites: bool,
    /// Name of the new folder for the results; by default the time (UTC)
    #[arg(long)]
    pub label: Option<String>,
    /// Folder for results, which go to DIR/EXPERIMENT/LABEL
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().sessions())]
    pub out: PathBuf,
    /// CPUs of the guest of a sweep; by default one for each available host core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=255))]
    pub vcpus: Option<u16>,
    /// Seed of the order of the cases in a round; by default from the clock, and recorded
    ///
    /// The order within a boot of a sweep is in its plan.
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// The host's own CPUs.
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// Print the order of the runs and every QEMU command; build, run and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not trace a guest that died in a second run under TCG
    #[arg(long)]
    pub no_diagnosis: bool,
    /// Names for the kernel's addresses.
    #[command(flatten)]
    pub symbols: SymbolsArgs,
    /// Sign the session with this key: a private key file of `ssh-keygen -t ed25519`, not encrypted
    ///
    /// The signature is that of `ssh-keygen -Y sign -n assay-session` over session.jsonl, in session.jsonl.sig.
    #[arg(long, value_name = "KEY")]
    pub sign: Option<PathBuf>,
    /// Count instructions instead of measuring times: one CPU, the same on every host
    ///
    /// Needs a manifest with `workers = [1]` and `warm-up-ms = 0`, such as manifests/exact.toml, and prints the least and
    /// the median of each row in instructions (TCG). With `--systems assay,linux` also the same worker under Linux.
    #[arg(long, conflicts_with_all = ["dry_run", "rounds", "label", "vcpus", "seed", "sign"])]
    pub exact: bool,
    /// For pipelines.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
}

impl RunArgs {
    /// The exact mode of these options.
    ///
    /// # Errors
    /// They ask for what it does not have.
    fn exact(&self) -> Result<(ExactRunArgs, bool), Coded> {
        let refuse = |why: &str| Err(anyhow!("--exact: {why}")).or_exit(Exit::Unsupported);
        if self.guest.vmm != VmmKind::Qemu || self.guest.accel == Accel::Kvm {
            return refuse("only QEMU's translator counts instructions; not KVM, and no other VMM");
        }
        if self.guest.cpus.is_some() {
            return refuse("there is one CPU, and pinning it changes nothing");
        }
        if !self.guest.qemu_args.is_empty() {
            return refuse("a further argument for QEMU may let the host in; there is none in this mode");
        }
        if self.systems.iter().any(|system| ![System::Assay, System::Linux].contains(system)) {
            return refuse(
                "--systems is assay, or assay,linux: the others have clocks or firmware of their own",
            );
        }
        let run = ExactRunArgs {
            cpu_model: self
                .guest
                .cpu_model
                .clone()
                .unwrap_or_else(|| qemu::exact::EXACT_CPU_MODEL.to_owned()),
            qemu: self.guest.qemu.clone(),
            manifest: self.manifest.clone(),
            own_kernel: self.guest.built.kernel.clone(),
            workers: self.guest.built.workers.clone(),
            twin: self.probe.twin.clone(),
            ..ExactRunArgs::default()
        };
        Ok((run, self.systems.contains(&System::Linux)))
    }
}

/// Runs the experiment, prints its results and returns the exit code.
///
/// # Errors
/// The session could not start, or its results could not be written or printed.
pub fn run(args: &RunArgs) -> Result<Ending, Coded> {
    if args.exact {
        let (run, linux) = args.exact()?;
        return exact::show(&run, linux).map(Ending::from);
    }
    let mut session = Session::prepare(spec(args)?);
    if args.dry_run {
        session.describe()?;
        return Ok(Ending::from(Exit::Holds).then("the same command without --dry-run."));
    }
    let _lock = MeasuringLock::take(&args.out, &format!("assay run {}", args.manifest.display()))?;
    let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;
    match session.run(&cancel)? {
        Some(ended) => {
            let written = ended.written;
            let concluded = conclude(ended, session.folder(), args.suites);
            if written {
                keep::add(&args.out, session.folder());
            }
            concluded
        }
        None => Ok(Exit::Interrupted.into()),
    }
}

/// Prints the results, whatever ended the session.
fn conclude(ended: Ended, folder: &Path, suites: bool) -> Result<Ending, Coded> {
    let results = ended.results.first().expect("rows that are together have one set of results");
    let page = page_of(results)?;
    console::data("folder", &ended.written.then_some(folder))?;
    console::data("results", &as_data(results)?)?;
    let mut text = if console::has_colours() { terminal_in_colour(results) } else { terminal(results) };
    if suites {
        let figures = results::osbench::figures(results);
        console::data("suites", &figures)?;
        text += &format!("\n{}", report::osbench(&figures));
    }
    if ended.written {
        let folder = folder.display();
        text += &format!(
            "\nresults.json, samples.csv, summary.md, session.jsonl and every run's log:\n  {folder}\n"
        );
        // The verdict again, last: the top of all this may have scrolled away.
        text += &format!("\n{}", page.text);
    }
    let printed = console::answer(&text);
    match ended.error.map_or(printed, Err) {
        Err(error) => Err(error),
        Ok(()) if ended.interrupted => Ok(Exit::Interrupted.into()),
        Ok(()) => Ok(patience::ending(results, page.ending(results, &folder.display().to_string()))),
    }
}

/// The samples of a quick look.
const QUICK_SAMPLES: u32 = 100;

/// The manifest, with what the options leave of its rows.
fn narrowed(args: &RunArgs) -> Result<Manifest, Coded> {
    let file = Places::here().manifest(&args.manifest);
    let mut manifest = Manifest::load(&file).or_exit(Exit::BadInput)?;
    let path = file.display().to_string();
    if let Some(row) = args.only {
        manifest.measure_only(row).with_context(|| format!("--only: {path}")).or_exit(Exit::Usage)?;
    }
    if args.quick {
        manifest
            .take_samples(QUICK_SAMPLES)
            .with_context(|| format!("--quick: {path}"))
            .or_exit(Exit::Usage)?;
    }
    Ok(manifest)
}

fn spec(args: &RunArgs) -> Result<SessionSpec, Coded> {
    let manifest = narrowed(args)?;
    if manifest.lifecycle().is_some() {
        let path = manifest.path().display();
        let error = anyhow!("{path}: its tier is \"lifecycle\"; `assay lifecycle {path}` runs it");
        return Err(error).or_exit(Exit::BadInput);
    }
    let names: Vec<_> = args.systems.iter().map(|system| system.name()).collect();
    let host_cpus = HostCpus::choose_for(args.guest.cpus.as_deref(), &names).or_exit(Exit::Usage)?;
    if args.vcpus.is_some() && manifest.sweep().is_none() {
        let path = manifest.path().display();
        return Err(anyhow!("--vcpus: {path} has a list of cases, and no sweep")).or_exit(Exit::Usage);
    }
    let env = GuestEnv::find(&args.guest.sources()?, host_cpus, &manifest)?;
    let env = env.with_sweep(args.vcpus);
    let folder = SessionFolder::new(&args.out.join(manifest.name().as_str()), args.label.clone())?;
    let (systems, twin) = (args.systems.clone(), args.probe.twin.clone());
    let systems = SystemsSpec { systems, twin, fetch: !args.dry_run };
    Ok(SessionSpec {
        command: manifest.name().to_string(),
        rows: of_systems(&systems, &manifest, &env, &folder.store)?,
        cases: env.cases(&manifest),
        rounds: args.rounds.unwrap_or(if args.quick { 1 } else { manifest.rounds() }),
        spare: SPARE,
        patience: args.patience,
        seed: args.seed.unwrap_or_else(clock_seed),
        layout: Layout::Together,
        probe: args.probe.spec(),
        symbols: (!args.no_diagnosis).then(|| args.symbols.symbols.clone()),
        tool: tool(),
        sign: args.sign.as_deref().map(secret_key).transpose()?,
        folder,
        env,
        manifest,
    })
}

/// The key that signs the session.
fn secret_key(path: &Path) -> Result<SecretKey, Coded> {
    let text =
        fs::read_to_string(path).with_context(|| path.display().to_string()).or_exit(Exit::BadInput)?;
    SecretKey::parse(&text).map_err(|error| anyhow!("{}: {error}", path.display())).or_exit(Exit::BadInput)
}

/// A row of the mechanisms by its word.
fn mechanism(word: &str) -> Result<SeriesRow, String> {
    let mut rows = SeriesRow::of_tier(Tier::Mechanism);
    rows.find(|row| row.word() == word).ok_or_else(|| {
        let words: Vec<_> = SeriesRow::of_tier(Tier::Mechanism).map(SeriesRow::word).collect();
        format!("expected one of {}", words.join(", "))
    })
}

/// A system by its word.
pub fn system(word: &str) -> Result<System, String> {
    let words = System::ALL.map(System::word).join(", ");
    System::of_word(word).ok_or_else(|| format!("expected one of {words}"))
}
