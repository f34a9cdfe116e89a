//! `assay dev bench-verdict`: how good the verdict of `assay compare` is, by recorded rounds. Sides that are the same, and
//! sides that are slower by a known part, are run side by side; then it is counted how often the method is wrong.

mod args;
mod judge;
mod side;
mod text;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use experiment::manifest::Manifest;
use lab::{Coded, Exit, Layout, OrExit, Row, Session, SessionFolder, SessionSpec, clock_seed, console};
use results::write_atomically;
use stats::real_experiments;

pub use args::BenchVerdictArgs;

use judge::Judged;
use side::{SideName, sides};

/// How many rounds may be set aside for each that is to count. A round has up to five sides, each of which must be quiet, and
/// what is asked is how good the verdict is on a quiet host.
const SPARE: u16 = 16;

/// Records the sides, or takes recorded ones, and prints how good the verdict on them is.
///
/// # Errors
/// What kept the rounds from being recorded, or from being read.
pub fn run(args: &BenchVerdictArgs) -> Result<Exit, Coded> {
    if !args.from.is_empty() {
        return judge(args, &args.from);
    }
    match record(args, args.seed.unwrap_or_else(clock_seed))? {
        Some(folder) => judge(args, &[folder]),
        None => Ok(Exit::Interrupted),
    }
}

/// The folder with what was recorded; `None` where a signal came first.
fn record(args: &BenchVerdictArgs, seed: u64) -> Result<Option<PathBuf>, Coded> {
    let manifest = Manifest::load(&args.manifest).or_exit(Exit::BadInput)?;
    let path = manifest.path().display();
    let workload = manifest.workload();
    if workload.slowed().is_empty() {
        let name = workload.name();
        return Err(anyhow!("{path}: workload.program: {name} has no slowed builds (`Task::SLOWED`)"))
            .or_exit(Exit::BadInput);
    }
    let sides = sides(workload, &args.percent).or_exit(Exit::Usage)?;
    if !manifest.cases().contains(&args.case) {
        return Err(anyhow!("--case {}: {path} has no such case", args.case)).or_exit(Exit::Usage);
    }
    let env = args.guest.env(&manifest)?;
    if env.host_cores() < args.case {
        let (case, cores) = (args.case, env.host_cores());
        return Err(anyhow!("--case {case}: on {cores} host cores it shows no speed"))
            .or_exit(Exit::Unsupported);
    }
    let folder = SessionFolder::new(&args.out.join("bench-verdict"), args.label.clone())?;
    let rows = sides.into_iter().map(|side: SideName| {
        Row::ours(side.folder, side.env(&env, &args.guest.built.workers)?, &manifest, &folder.store)
    });
    let mut session = Session::prepare(SessionSpec {
        command: "bench-verdict".to_owned(),
        rows: rows.collect::<Result<_, Coded>>()?,
        env,
        manifest,
        cases: vec![args.case],
        rounds: args.rounds,
        spare: SPARE,
        seed,
        layout: Layout::Apart,
        probe: args.probe.spec(),
        folder,
        symbols: None,
    });
    let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;
    let ended = session.record(&cancel);
    let folder = session.folder();
    if !matches!(ended, Ok(true)) {
        console::note(&format!(
            "to judge it as far as it goes: assay dev bench-verdict --from {}",
            folder.display()
        ));
    }
    Ok(ended?.then(|| folder.to_owned()))
}

/// Judges every recording by itself, and what was really run in all of them together.
fn judge(args: &BenchVerdictArgs, folders: &[PathBuf]) -> Result<Exit, Coded> {
    let mut recordings = Vec::new();
    let mut reached = Vec::new();
    for folder in folders {
        console::note(&format!("{}: drawing rounds and comparing them", folder.display()));
        let (judged, recorded) = Judged::of(folder, args.case, args.trials as usize, args.seed)?;
        console::answer(&text::text(&judged))?;
        console::answer(&format!("\n{}\n", keep(&judged, folder)?))?;
        reached.push(judged.quality.reached());
        recordings.push(recorded);
    }
    if recordings.len() > 1 {
        let rows = real_experiments(&recordings.iter().collect::<Vec<_>>());
        let count = recordings.len();
        console::answer(&format!("\nall {count} recordings\n{}\n", text::experiments(&rows).join("\n")))?;
    }
    Ok(match () {
        () if reached.contains(&Some(false)) => Exit::DoesNotHold,
        () if reached.contains(&None) => Exit::Inconclusive,
        () => Exit::Holds,
    })
}

/// Leaves the verdict beside its recording, unless there is one, which may be of other draws; says which.
fn keep(judged: &Judged, folder: &Path) -> Result<String, Coded> {
    let path = folder.join("verdict.json");
    let shown = path.display();
    if path.exists() {
        return Ok(format!("{shown} is there already, and is left as it was"));
    }
    write_atomically(&path, |out| {
        serde_json::to_writer_pretty(&mut *out, judged)?;
        out.write_all(b"\n")
    })
    .or_exit(Exit::Output)?;
    Ok(format!("the same as data, and every side's session: {shown}"))
}
