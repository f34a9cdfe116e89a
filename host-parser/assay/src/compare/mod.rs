//! `assay compare`: reports whether one session is slower than another, for performance CI. The sessions differ in the
//! kernel, the host or, with `--across-blobs`, the build of the worker.

mod args;
mod notes;
mod table;
mod text;
mod thresholds;

use anyhow::anyhow;
use export::{Suite, of_comparison};
use judging::{Opened, load};
use lab::{Coded, Exit, OrExit, console};
use results::MachineKey;
use results::session::{Accepted, SessionComparison, StoredSession, Whole, compare};
use stats::{Design, Difference as Verdict};

pub use args::CompareArgs;
pub use thresholds::ThresholdArgs;

use crate::baseline::{self, Difference, Key};
use crate::ending::Ending;

/// Compares two sessions, prints the comparison and returns the exit code.
///
/// # Errors
/// A session cannot be read, or has no result.
pub fn run(args: &CompareArgs) -> Result<Ending, Coded> {
    let Sides { a, b, epoch, thresholds } = sides(args)?;
    if let Some(why) = a.shares_runs_with(&b) {
        let [a, b] = [&a, &b].map(|session| session.folder.display());
        return Err(anyhow!("{a} and {b}: {why}; a session is not compared with itself"))
            .or_exit(Exit::Invalid);
    }
    let accepted = Accepted { blobs: args.across_blobs, cases: args.cases.iter().copied().collect() };
    for session in [&a, &b] {
        if let Some(case) = accepted.cases.iter().find(|case| !session.cases.contains_key(case)) {
            let folder = session.folder.display();
            return Err(anyhow!("--cases: {folder} has no case {case}")).or_exit(Exit::Usage);
        }
    }
    let design = if args.paired { Design::Paired } else { Design::Unpaired };
    console::data("epoch", &epoch)?;
    for difference in &epoch {
        console::answer(&format!("another epoch of one machine: {difference}\n"))?;
    }
    let held_to = args.thresholds.or(thresholds).thresholds();
    show(&compare(&a, &b, design, &accepted, held_to), &a, &b)
}

/// The two sides.
struct Sides {
    a: StoredSession,
    b: StoredSession,
    /// What has changed on the machine since its baseline.
    epoch: Vec<Difference>,
    /// The thresholds that the baseline was saved with.
    thresholds: ThresholdArgs,
}

/// The sessions that the command line names, verified.
fn sides(args: &CompareArgs) -> Result<Sides, Coded> {
    match (&args.baseline, args.sessions.as_slice()) {
        (None, [a, b]) => {
            let (a, b) = (load(a, Whole::Must)?, load(b, Whole::Must)?);
            Ok(Sides { a, b, epoch: Vec::new(), thresholds: ThresholdArgs::default() })
        }
        (Some(name), [b]) => {
            let opened = Opened::open(b)?;
            opened.verified()?;
            let key = MachineKey::of(&opened.results()?);
            let baseline = baseline::of_machine(&args.baselines.baselines, name, &key)?;
            let a = baseline.open()?.stored_one(Whole::Must)?;
            let epoch = baseline.description.key.epoch_differences(&Key::from(&key));
            let thresholds = baseline.description.thresholds;
            Ok(Sides { a, b: opened.stored_one(Whole::Must)?, epoch, thresholds })
        }
        (None, _) => {
            Err(anyhow!("expected two sessions, A and B, or --baseline NAME and B")).or_exit(Exit::Usage)
        }
        (Some(_), _) => {
            Err(anyhow!("--baseline: expected B alone, since A is the baseline")).or_exit(Exit::Usage)
        }
    }
}

/// Answers with a comparison, and returns how that ends.
///
/// # Errors
/// Standard output cannot be written.
pub fn show(comparison: &SessionComparison, a: &StoredSession, b: &StoredSession) -> Result<Ending, Coded> {
    console::data("comparison", comparison)?;
    console::answer(&text::text(comparison, a, b))?;
    let suite = Suite::named(format!("{}.compare", a.identity.workload), of_comparison(comparison));
    let ending = Ending { suite: Some(suite), ..exit(comparison).into() };
    Ok(match text::next(comparison) {
        Some(next) => ending.then(next),
        None => ending,
    })
}

fn exit(comparison: &SessionComparison) -> Exit {
    match comparison.verdict {
        Some(Verdict::Slower) => Exit::DoesNotHold,
        Some(Verdict::Inconclusive) => Exit::Inconclusive,
        Some(Verdict::Faster | Verdict::NoDifference) => Exit::Holds,
        None if comparison.refused.is_empty() => Exit::Unsupported,
        None => Exit::Invalid,
    }
}
