//! `assay bench-verdict`: how good the verdict of `assay compare` is, by recorded rounds. Sides that are the same, and
//! sides that are slower by a known part, are run side by side; then it is counted how often the method is wrong.

mod args;
mod judge;
mod side;
mod text;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use host_parser::manifest::Manifest;
use host_parser::results::write_atomically;

pub use args::BenchVerdictArgs;

use crate::console;
use crate::exit::{Coded, Exit, OrExit};
use crate::lab::Lab;
use crate::recording::{Recording, Terms};
use crate::schedule::clock_seed;
use crate::signals;
use judge::Judged;
use side::{SideName, all};

/// How many rounds may be set aside for each that is to count. A round has five sides, each of which must be quiet, and
/// what is asked is how good the verdict is on a quiet host.
const SPARE: u16 = 8;

/// Records the sides, or takes recorded ones, and prints how good the verdict on them is.
///
/// # Errors
/// What kept the rounds from being recorded, or from being read.
pub fn run(args: &BenchVerdictArgs) -> Result<Exit, Coded> {
    let seed = args.seed.unwrap_or_else(clock_seed);
    let folder = match &args.from {
        Some(folder) => folder.clone(),
        None => match record(args, seed)? {
            Some(folder) => folder,
            None => return Ok(Exit::Interrupted),
        },
    };
    judge(args, &folder, seed)
}

/// The folder with what was recorded; `None` where a signal came first.
fn record(args: &BenchVerdictArgs, seed: u64) -> Result<Option<PathBuf>, Coded> {
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
    let of_side = |side: SideName| Ok((side.folder, side.lab(&lab, &args.guest.built.workers)?));
    let sides = all().into_iter().map(of_side).collect::<Result<_, Coded>>()?;
    let terms = Terms {
        command: "bench-verdict",
        manifest,
        cases: vec![args.case],
        rounds: args.rounds,
        spare: SPARE,
        seed,
        label: args.label.clone(),
        out: args.out.clone(),
    };
    let mut recording = Recording::prepare(terms, sides, &args.probe)?;
    let cancel = signals::cancel_on_signals().or_exit(Exit::Environment)?;
    Ok(recording.run(&cancel)?.then(|| recording.folder().to_owned()))
}

fn judge(args: &BenchVerdictArgs, folder: &Path, seed: u64) -> Result<Exit, Coded> {
    console::note("drawing rounds and comparing them");
    let judged = Judged::of(folder, args.case, args.trials as usize, seed)?;
    let path = folder.join("verdict.json");
    write_atomically(&path, |out| {
        serde_json::to_writer_pretty(&mut *out, &judged)?;
        out.write_all(b"\n")
    })
    .or_exit(Exit::Output)?;
    console::answer(&text::text(&judged))?;
    console::answer(&format!("\nthe same as data, and every side's session: {}\n", path.display()))?;
    Ok(if judged.quality.reached() { Exit::Holds } else { Exit::DoesNotHold })
}
