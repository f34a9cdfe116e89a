//! `assay dev bench-verdict`: how good the verdict of `assay compare` is, by recorded rounds. Identical rows, and rows that
//! are slower by a known percentage, run in the same rounds. The command then counts how often the method is wrong.

mod args;
mod judge;
mod rows;
mod simulated;
mod text;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use experiment::manifest::Manifest;
use lab::{
    Coded, Exit, Layout, OrExit, Places, Row, Session, SessionFolder, SessionSpec, clock_seed, console,
};
use results::write_atomically;
use simulation::SelectionQuality;
use stats::real_experiments;

pub use args::BenchVerdictArgs;

use crate::tool::tool;
use judge::Judged;
use rows::named_rows;

/// How many rounds may be excluded for each round that counts. It is generous: a round has up to five rows, none of which
/// may be disturbed, and the command measures the verdict on an undisturbed host.
const SPARE: u16 = 16;

/// Records the rows, or takes recorded ones, and prints how good the verdict on them is.
///
/// # Errors
/// The rounds cannot be recorded, or cannot be read.
pub fn run(args: &BenchVerdictArgs) -> Result<Exit, Coded> {
    if args.only_simulated {
        console::answer(&simulated::text(args.simulated.max(1) as usize))?;
        return selection(args).map(|reached| exit_of(&[reached]));
    }
    if !args.from.is_empty() {
        return judge(args, &args.from);
    }
    match record(args, args.seed.unwrap_or_else(clock_seed))? {
        Some(folder) => judge(args, &[folder]),
        None => Ok(Exit::Interrupted),
    }
}

/// Records the rows. Returns the folder, or `None` if a signal ended the recording.
fn record(args: &BenchVerdictArgs, seed: u64) -> Result<Option<PathBuf>, Coded> {
    let manifest = Manifest::load(&Places::here().manifest(&args.manifest)).or_exit(Exit::BadInput)?;
    let path = manifest.path().display();
    let workload = manifest.workload();
    if workload.slowed().is_empty() {
        let name = workload.name();
        return Err(anyhow!(
            "{path}: workload.program: {name} has no slowed builds, which this command needs"
        ))
        .or_exit(Exit::BadInput);
    }
    let names = named_rows(workload, &args.percent).or_exit(Exit::Usage)?;
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
    let mut rows = Vec::new();
    for name in names {
        let env = name.env(&env, &args.guest.built.workers)?;
        rows.push(Row::ours(name.folder, env, &manifest, &folder.store)?);
    }
    let mut session = Session::prepare(SessionSpec {
        command: "bench-verdict".to_owned(),
        rows,
        env,
        manifest,
        cases: vec![args.case],
        rounds: args.rounds,
        spare: SPARE,
        patience: None,
        seed,
        layout: Layout::Apart,
        probe: args.probe.spec(),
        folder,
        symbols: None,
        tool: tool(),
        sign: None,
    });
    let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;
    let ended = session.record(&cancel);
    let folder = session.folder();
    if !matches!(ended, Ok(true)) {
        console::note(&format!(
            "to judge the rounds so far: assay dev bench-verdict --from {}",
            folder.display()
        ));
    }
    Ok(ended?.then(|| folder.to_owned()))
}

/// Judges every recording by itself, and the experiments of all recordings together.
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
    if args.simulated > 0 {
        console::answer(&simulated::text(args.simulated as usize))?;
        reached.push(selection(args)?);
    }
    Ok(exit_of(&reached))
}

/// One goal that is missed decides, then one of which too little is known.
fn exit_of(reached: &[Option<bool>]) -> Exit {
    if reached.contains(&Some(false)) {
        Exit::DoesNotHold
    } else if reached.contains(&None) {
        Exit::Inconclusive
    } else {
        Exit::Holds
    }
}

/// Simulated sessions of each line of the selection test's table, for so many comparisons asked for: a session costs more.
const COMPARISONS_A_SESSION: u32 = 10;

/// Simulates sessions beside neighbours, and prints how often a claim wrongly holds. Returns whether that is rare enough,
/// if so many sessions show it.
/// The seed is fixed unless one is given: the table does not depend on a recording.
fn selection(args: &BenchVerdictArgs) -> Result<Option<bool>, Coded> {
    console::note("simulating sessions beside neighbours; --simulated 0 leaves that out");
    let sessions = args.simulated.div_ceil(COMPARISONS_A_SESSION).max(1);
    let quality = SelectionQuality::of(sessions as usize, args.seed.unwrap_or(1));
    console::answer(&format!("\n{}", quality.text()))?;
    Ok(quality.reached())
}

/// Writes the verdict beside its recording, unless one is there already: it may be from other draws. Returns a line that
/// says which.
fn keep(judged: &Judged, folder: &Path) -> Result<String, Coded> {
    let path = folder.join("verdict.json");
    let shown = path.display();
    if path.exists() {
        return Ok(format!("{shown} is there already and was not changed"));
    }
    write_atomically(&path, |out| {
        serde_json::to_writer_pretty(&mut *out, judged)?;
        out.write_all(b"\n")
    })
    .or_exit(Exit::Output)?;
    Ok(format!("the same as data, beside each row's session: {shown}"))
}
