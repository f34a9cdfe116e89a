//! Results in the forms of other people's tools.
//!
//! Owns each form's layout, and which figures may leave: those of runs that count, in a session that was not refused. What is
//! refused is left out, or is a skipped test; it is never a zero. A case that shows function only is left out too. It works out
//! no result: it reads [`Results`].

#![forbid(unsafe_code)]

mod checks;
mod figures;
mod form;
mod github;
mod machine;
mod suite;
mod trace;

use results::Results;

pub use checks::{Check, Outcome, of_comparison};
pub use form::{Better, Form, FormError, junit, ktap};
pub use github::{annotations, step_summary};
pub use machine::machine_id;
pub use suite::Suite;
pub use trace::trace;

/// A session, or the logs of one row, to export.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'r> {
    /// How the user named it.
    pub name: &'r str,
    /// What came of it.
    pub results: &'r Results,
}

impl Subject<'_> {
    /// The session's name: its label, else as the user named it.
    #[must_use]
    pub fn session(&self) -> &str {
        self.results.experiment.label.as_deref().unwrap_or(self.name)
    }

    /// When the first run was started, in seconds since 1970 (UTC).
    #[must_use]
    pub fn started_seconds(&self) -> Option<u64> {
        Some(self.results.runs.iter().filter_map(|run| run.made.started_unix_ms).min()? / 1000)
    }

    /// How long all runs took, in seconds.
    #[must_use]
    pub fn took_seconds(&self) -> f64 {
        self.results.runs.iter().filter_map(|run| run.made.wall_ms).sum::<u64>() as f64 / 1e3
    }
}
