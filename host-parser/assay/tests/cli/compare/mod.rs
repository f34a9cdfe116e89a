//! `assay compare`: its verdict on two sessions, and the sessions that it refuses.

mod pace;
pub mod played;
mod refusals;
pub mod sessions;
mod verdicts;

use std::path::Path;

use crate::assay::{Said, assay, run};
use crate::stage::DEADLINE;

/// Runs `assay compare A B` with these options.
#[track_caller]
fn compare(a: &Path, b: &Path, options: &[&str]) -> Said {
    run(assay(["compare"]).args([a, b]).args(options), DEADLINE)
}
