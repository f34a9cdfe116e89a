//! `assay lifecycle`: the life of machines, from its manifest to its results.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use experiment::manifest::Manifest;
use lab::{Coded, Exit, MeasuringLock, OrExit, Places, SessionFolder, clock_seed, console};
use lifecycle::{Conclusion, LedgerError, LifeResults, LifeSession, LifeSpec, RESULTS, Subject, Verified};
use results::write_atomically;

use crate::ending::Ending;
use crate::options::GuestArgs;
use crate::tool::tool;

/// `assay lifecycle`.
#[derive(Args, Debug)]
pub struct LifecycleArgs {
    /// Manifest of the tier lifecycle
    #[arg(default_value_os_t = Places::here().manifest(Path::new("manifests/lifecycle.toml")))]
    pub manifest: PathBuf,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// What lives on the machines, as a list: assay, linux, linux-mitigations-off
    ///
    /// The empty machine lives in every round too: the same VMM, CPUs and memory, held before its first instruction (QEMU
    /// only).
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = subject, default_value = "assay,linux")]
    pub systems: Vec<Subject>,
    /// Only this machine; repeat it for several. --dry-run lists their names
    #[arg(long = "machine", value_name = "NAME")]
    pub machines: Vec<String>,
    /// Rounds, instead of the manifest's; a gate is judged from 30 on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub rounds: Option<u16>,
    /// Name of the new folder for the results; by default the time (UTC)
    #[arg(long)]
    pub label: Option<String>,
    /// Folder for results, which go to DIR/EXPERIMENT/LABEL
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().sessions())]
    pub out: PathBuf,
    /// Seed of the order in a round; by default from the clock, and recorded
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Static Linux twin: the init of the Linux guest
    #[arg(long, value_name = "PROGRAM", default_value_os_t = Places::here().twin())]
    pub twin: PathBuf,
    /// Print the machines and every command; build, run and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the session, prints its results and returns the exit code.
///
/// # Errors
/// The session could not start, or its results could not be written or printed.
pub fn run(args: &LifecycleArgs) -> Result<Ending, Coded> {
    let file = Places::here().manifest(&args.manifest);
    let manifest = Manifest::load(&file).or_exit(Exit::BadInput)?;
    let session = LifeSession::prepare(LifeSpec {
        sources: args.guest.sources()?,
        host_cpus: args.guest.host_cpus()?,
        subjects: args.systems.clone(),
        machines: args.machines.clone(),
        rounds: args.rounds.unwrap_or(manifest.rounds()),
        seed: args.seed.unwrap_or_else(clock_seed),
        twin: args.twin.clone(),
        fetch: !args.dry_run,
        tool: tool(),
        folder: SessionFolder::new(&args.out.join(manifest.name().as_str()), args.label.clone())?,
        manifest,
    })?;
    if args.dry_run {
        session.describe()?;
        return Ok(Ending::from(Exit::Holds).then("the same command without --dry-run."));
    }
    let _lock = MeasuringLock::take(&args.out, &format!("assay lifecycle {}", args.manifest.display()))?;
    let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;
    let made = session.run(&cancel)?;
    let folder = made.folder.display().to_string();
    console::data("folder", &made.folder)?;
    answer(&made.results)?;
    console::answer(&format!(
        "\nlifecycle.json, lifecycle.csv, lifecycle.jsonl and every log:\n  {folder}\n"
    ))?;
    let exit = if cancel.is_cancelled() { Exit::Interrupted } else { exit_of(made.results.conclusion) };
    Ok(Ending::from(exit).then(format!("`assay verify {folder}` judges every log again.")))
}

/// Shows a stored session again.
///
/// # Errors
/// Its results cannot be read, or standard output cannot be written.
pub fn show(folder: &Path) -> Result<(), Coded> {
    let path = folder.join(RESULTS);
    let shown = || path.display().to_string();
    let json = std::fs::read(&path).with_context(shown).or_exit(Exit::BadInput)?;
    let results = LifeResults::parse(&json).with_context(shown).or_exit(Exit::BadInput)?;
    answer(&results)
}

fn answer(results: &LifeResults) -> Result<(), Coded> {
    console::data("lifecycle", results)?;
    console::answer(&lifecycle::page(results))
}

/// Verifies a stored session.
///
/// # Errors
/// It has no ledger that can be read.
pub fn verified(folder: &Path) -> Result<Verified, Coded> {
    lifecycle::verify(folder).map_err(|error| {
        let exit = match &error {
            LedgerError::Broken { .. } => Exit::NotVerified,
            LedgerError::Read { .. } => Exit::BadInput,
        };
        Err::<(), _>(error).or_exit(exit).expect_err("an error")
    })
}

/// Writes a stored session as one HTML file, and returns whether it verifies.
///
/// # Errors
/// It cannot be read, or the file cannot be written.
pub fn report(folder: &Path, to: &Path) -> Result<Exit, Coded> {
    let verified = verified(folder)?;
    let problems: Vec<String> = verified.problems.iter().map(ToString::to_string).collect();
    let Some(results) = &verified.results else {
        let error = anyhow::anyhow!("{}: {}", folder.display(), problems.join("; "));
        return Err(error).or_exit(Exit::NotVerified);
    };
    let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let page = lifecycle::document(&name, results, &verified.head.to_string(), &problems);
    write_atomically(to, |out| out.write_all(page.as_bytes())).or_exit(Exit::Output)?;
    console::data("file", &to)?;
    console::answer(&format!("{}: 1 session in {} KiB\n", to.display(), page.len().div_ceil(1024)))?;
    Ok(if problems.is_empty() { Exit::Holds } else { Exit::NotVerified })
}

/// The exit code of a session.
const fn exit_of(conclusion: Conclusion) -> Exit {
    match conclusion {
        Conclusion::Failed => Exit::Failed,
        Conclusion::Incomplete => Exit::Invalid,
        Conclusion::GateExceeded => Exit::GateExceeded,
        Conclusion::Undecided => Exit::Inconclusive,
        Conclusion::Passed => Exit::Holds,
    }
}

/// What lives on a machine, by its word.
pub fn subject(word: &str) -> Result<Subject, String> {
    let named = Subject::ALL.into_iter().filter(|&subject| subject != Subject::Empty);
    let words: Vec<_> = named.clone().map(Subject::word).collect();
    named
        .into_iter()
        .find(|subject| subject.word() == word)
        .ok_or_else(|| format!("expected one of {}", words.join(", ")))
}
