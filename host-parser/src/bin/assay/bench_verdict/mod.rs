//! `assay bench-verdict`: how good the verdict of `assay compare` is, by recorded rounds. Sides that are the same, and
//! sides that are slower by a known part, are run side by side; then it is counted how often the method is wrong.

mod args;
mod judge;
mod record;
mod side;
mod text;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use host_parser::results::write_atomically;

pub use args::BenchVerdictArgs;

use crate::console;
use crate::exit::{Coded, Exit, OrExit};
use crate::signals;
use judge::Judged;
use record::Recording;

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
    let mut recording = Recording::prepare(args, seed)?;
    let cancel = signals::cancel_on_signals().or_exit(Exit::Environment)?;
    let folder = recording.folder().to_owned();
    if !recording.run(&cancel)? {
        let folder = folder.display();
        console::note(&format!("assay: interrupted; what was measured until then is in {folder}"));
        return Ok(None);
    }
    Ok(Some(folder))
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

fn clock_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() ^ u64::from(since.subsec_nanos()) << 32
}
