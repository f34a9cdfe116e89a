//! What the gate says about a run.

use std::fmt;

use serde::Serialize;

use super::reason::{Class, ReasonCode};

/// An answer, or the reason why there is none. In JSON the key `outcome` names it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome<T> {
    /// Everything held.
    Passed {
        /// What was measured.
        measurement: T,
    },
    /// The guest did not do what it had to.
    Failed {
        /// Why.
        reason: ReasonCode,
        /// The particulars.
        detail: String,
    },
    /// The answer cannot be given here.
    Unsupported {
        /// Why.
        reason: ReasonCode,
        /// The particulars.
        detail: String,
    },
    /// The evidence does not hold.
    Invalid {
        /// Why.
        reason: ReasonCode,
        /// The particulars.
        detail: String,
    },
}

impl<T> Outcome<T> {
    /// The outcome for a reason: the variant of its class.
    pub(super) fn refused(reason: ReasonCode, detail: String) -> Self {
        match reason.class() {
            Class::Failed => Self::Failed { reason, detail },
            Class::Unsupported => Self::Unsupported { reason, detail },
            Class::Invalid => Self::Invalid { reason, detail },
        }
    }

    /// What was measured, if everything held.
    #[must_use]
    pub fn measurement(&self) -> Option<&T> {
        match self {
            Self::Passed { measurement } => Some(measurement),
            _ => None,
        }
    }

    /// The same, to exclude in it what only a whole session shows.
    pub const fn measurement_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Passed { measurement } => Some(measurement),
            Self::Failed { .. } | Self::Unsupported { .. } | Self::Invalid { .. } => None,
        }
    }

    /// The reason and its particulars, if something did not hold.
    #[must_use]
    pub fn refusal(&self) -> Option<(ReasonCode, &str)> {
        match self {
            Self::Passed { .. } => None,
            Self::Failed { reason, detail }
            | Self::Unsupported { reason, detail }
            | Self::Invalid { reason, detail } => Some((*reason, detail)),
        }
    }

    /// `passed`, `failed`, `unsupported` or `invalid`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.refusal().map_or("passed", |(reason, _)| reason.class().word())
    }
}

/// One thing that does not hold.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// What kind of thing.
    pub reason: ReasonCode,
    /// The line of the log that shows it, from 1; `None` if it is the host's evidence, or an absence.
    pub line: Option<u64>,
    /// The particulars.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.reason)?;
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.detail)
    }
}

/// The gate's answer for one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict<T> {
    /// The answer.
    #[serde(flatten)]
    pub outcome: Outcome<T>,
    /// Everything that does not hold, the reason first; empty if the run passed.
    pub findings: Vec<Finding>,
}

/// Findings as they are collected.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

/// How many findings of one reason are listed one by one.
const LISTED: usize = 20;

impl Findings {
    pub fn add(&mut self, reason: ReasonCode, line: impl Into<Option<u64>>, detail: impl Into<String>) {
        self.0.push(Finding { reason, line: line.into(), detail: detail.into() });
    }

    pub fn has(&self, reason: ReasonCode) -> bool {
        self.0.iter().any(|finding| finding.reason == reason)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, the most fundamental first and then by line; past [`LISTED`] of one reason they are counted.
    fn into_sorted(mut self) -> Vec<Finding> {
        self.0.sort_by_key(|finding| (finding.reason, finding.line));
        let mut listed = Vec::new();
        for same in self.0.chunk_by(|a, b| a.reason == b.reason) {
            listed.extend(same.iter().take(LISTED).cloned());
            if let Some(more) = same.len().checked_sub(LISTED).filter(|&more| more > 0) {
                let detail = format!("and {more} more of these");
                listed.push(Finding { reason: same[0].reason, line: None, detail });
            }
        }
        listed
    }

    /// The verdict. `measured` counts only if nothing was found.
    pub fn verdict<T>(self, measured: Option<T>) -> Verdict<T> {
        let findings = self.into_sorted();
        let outcome = match (findings.first(), measured) {
            (Some(first), _) => {
                let place = first.line.map(|line| format!("line {line}: ")).unwrap_or_default();
                Outcome::refused(first.reason, format!("{place}{}", first.detail))
            }
            (None, Some(measurement)) => Outcome::Passed { measurement },
            (None, None) => Outcome::refused(ReasonCode::InconsistentRecord, "no measurement".to_owned()),
        };
        Verdict { outcome, findings }
    }
}
