//! `assay compare`: reports whether one session is slower than another, for performance CI. The sessions differ in the
//! kernel, the host or, with `--across-blobs`, the build of the worker.

mod args;
mod notes;
mod table;
mod text;

use anyhow::anyhow;
use lab::{Coded, Exit, OrExit, console};
use results::Conclusion;
use results::session::{Accepted, SessionComparison, SessionError, StoredSession, Whole, compare};
use serde::Serialize;
use stats::{Design, Difference};

pub use args::CompareArgs;

use crate::verify;

/// Version of the form of `--json`.
const SCHEMA: u32 = 2;

/// The output of `--json`.
#[derive(Serialize)]
struct Report<'r> {
    schema: u32,
    exit_code: u8,
    #[serde(flatten)]
    comparison: &'r SessionComparison,
}

/// Compares two sessions, prints the comparison and returns the exit code.
///
/// # Errors
/// A session cannot be read, or has no result.
pub fn run(args: &CompareArgs) -> Result<Exit, Coded> {
    let (a, b) = (verify::load(&args.session_a, Whole::Must)?, verify::load(&args.session_b, Whole::Must)?);
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
    show(&compare(&a, &b, design, &accepted), &a, &b, args.json)
}

/// Prints a comparison as text or as JSON, and returns the exit code.
///
/// # Errors
/// Standard output cannot be written.
pub fn show(
    comparison: &SessionComparison,
    a: &StoredSession,
    b: &StoredSession,
    json: bool,
) -> Result<Exit, Coded> {
    let exit = exit(comparison);
    if json {
        let report = Report { schema: SCHEMA, exit_code: exit as u8, comparison };
        let json = serde_json::to_string_pretty(&report).or_exit(Exit::Output)?;
        console::answer(&format!("{json}\n"))?;
    } else {
        console::answer(&text::text(comparison, a, b))?;
    }
    Ok(exit)
}

/// Gives an error its exit code. For a session without a result, that is the exit code of its `run`.
pub fn coded(error: SessionError) -> Coded {
    let exit = match &error {
        SessionError::Refused { reason, .. } => Exit::of(Conclusion::Refused(*reason)),
        SessionError::Form { .. } => Exit::BadInput,
    };
    Err::<(), _>(error).or_exit(exit).expect_err("an error")
}

fn exit(comparison: &SessionComparison) -> Exit {
    match comparison.verdict {
        Some(Difference::Slower) => Exit::DoesNotHold,
        Some(Difference::Inconclusive) => Exit::Inconclusive,
        Some(Difference::Faster | Difference::NoDifference) => Exit::Holds,
        None if comparison.refused.is_empty() => Exit::Unsupported,
        None => Exit::Invalid,
    }
}
