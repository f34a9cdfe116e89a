//! One exclusion: its reason, what it covers, and the evidence.

use std::fmt;

use serde::{Serialize, Serializer};

use super::reason::ReasonCode;

/// A round, a run or an iteration that does not count, because the host disturbed it. Results have it as text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exclusion {
    /// Why.
    pub reason: ReasonCode,
    /// What it covers.
    pub scope: Scope,
    /// What the evidence shows.
    pub detail: String,
}

/// What an exclusion covers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// All runs of a round, in every row.
    Round {
        /// The round, from 0.
        round: u32,
        /// The run whose evidence shows it; `None` if a native probe shows it.
        run: Option<u32>,
    },
    /// One run, which is made again in its round.
    Run {
        /// The run.
        run: u32,
    },
    /// One iteration of a run's boot, with all its cases.
    Iteration {
        /// The iteration, from 0.
        iteration: u16,
        /// The run, if the rule compared it with other runs of the session; `None` if its own evidence is enough.
        run: Option<u32>,
    },
}

impl Exclusion {
    fn run(&self) -> Option<u32> {
        match self.scope {
            Scope::Run { run } => Some(run),
            Scope::Round { run, .. } | Scope::Iteration { run, .. } => run,
        }
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, detail, .. } = self;
        match self.run() {
            Some(run) => write!(f, "{reason} in run {run}: {detail}"),
            None => write!(f, "{reason}: {detail}"),
        }
    }
}

impl Serialize for Exclusion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
