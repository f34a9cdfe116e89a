//! The gate's verdict on a run.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::Serialize;

use super::experienced::Experienced;
use super::reason::{Class, ReasonCode};

/// A measurement, or the reason why there is none. In JSON the key `outcome` names the variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome<T> {
    /// Every rule passed.
    Passed {
        /// What was measured.
        measurement: T,
    },
    /// The evidence is sound, and it shows that the guest did not do what it had to do.
    Failed {
        /// Why.
        reason: ReasonCode,
        /// What happened, and to what.
        detail: Arc<str>,
    },
    /// This machine, tool or set-up cannot give the answer.
    Unsupported {
        /// Why.
        reason: ReasonCode,
        /// What happened, and to what.
        detail: Arc<str>,
    },
    /// The evidence does not hold.
    Invalid {
        /// Why.
        reason: ReasonCode,
        /// What happened, and to what.
        detail: Arc<str>,
        /// The run's times, if it was refused only because the host disturbed it. They are no measurement: they count
        /// where what the host did counts.
        #[serde(skip_serializing_if = "Option::is_none")]
        experienced: Option<Box<Experienced>>,
    },
}

impl<T> Outcome<T> {
    /// The outcome for a reason, by its class.
    pub(super) fn refused(reason: ReasonCode, detail: String) -> Self {
        let detail = detail.into();
        match reason.class() {
            Class::Failed => Self::Failed { reason, detail },
            Class::Unsupported => Self::Unsupported { reason, detail },
            Class::Invalid => Self::Invalid { reason, detail, experienced: None },
        }
    }

    /// What was measured, if the run passed.
    #[must_use]
    pub fn measurement(&self) -> Option<&T> {
        match self {
            Self::Passed { measurement } => Some(measurement),
            _ => None,
        }
    }

    /// The same, for exclusions that only a whole session shows.
    pub const fn measurement_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Passed { measurement } => Some(measurement),
            Self::Failed { .. } | Self::Unsupported { .. } | Self::Invalid { .. } => None,
        }
    }

    /// The reason and its detail, if the run did not pass.
    #[must_use]
    pub fn refusal(&self) -> Option<(ReasonCode, &str)> {
        match self {
            Self::Passed { .. } => None,
            Self::Failed { reason, detail }
            | Self::Unsupported { reason, detail }
            | Self::Invalid { reason, detail, .. } => Some((*reason, detail)),
        }
    }

    /// The times of a run that did not pass, if it was refused only because the host disturbed it.
    #[must_use]
    pub fn disturbed_times(&self) -> Option<&Experienced> {
        match self {
            Self::Invalid { experienced, .. } => experienced.as_deref(),
            Self::Passed { .. } | Self::Failed { .. } | Self::Unsupported { .. } => None,
        }
    }

    /// `passed`, `failed`, `unsupported` or `invalid`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.refusal().map_or("passed", |(reason, _)| reason.class().word())
    }
}

/// One thing that a rule found wrong.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// Its reason.
    pub reason: ReasonCode,
    /// The line of the log that shows it, from 1; `None` if the host's evidence shows it, or something is missing.
    pub line: Option<u64>,
    /// What happened, and to what.
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

/// The gate's verdict on one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Verdict<T> {
    /// The outcome.
    #[serde(flatten)]
    pub outcome: Outcome<T>,
    /// All findings, the one that gives the reason first; empty if the run passed, or of a verdict [in
    /// brief](Self::in_brief).
    pub findings: Box<[Finding]>,
}

/// The detail of a refusal in brief.
static NOT_KEPT: LazyLock<Arc<str>> =
    LazyLock::new(|| "its particulars are not kept, because many boots before it were refused".into());

impl<T> Verdict<T> {
    /// The same with nothing of a refusal but its reason, and the times if it has any. A log can have millions of boots that
    /// are refused: then the particulars of the first ones are all that a person reads.
    #[must_use]
    pub fn in_brief(mut self) -> Self {
        if let Outcome::Failed { detail, .. }
        | Outcome::Unsupported { detail, .. }
        | Outcome::Invalid { detail, .. } = &mut self.outcome
        {
            *detail = Arc::clone(&NOT_KEPT);
            self.findings = Box::default();
        }
        self
    }
}

/// The findings so far.
#[derive(Debug, Default)]
pub(super) struct Findings(BTreeMap<ReasonCode, OfReason>);

/// The findings of one reason.
#[derive(Debug, Default)]
struct OfReason {
    /// The first by line, and some more.
    kept: Vec<Finding>,
    count: u64,
}

impl OfReason {
    /// Leaves the first [`LISTED`] by line.
    fn keep_first(&mut self) {
        self.kept.sort_by_key(|finding| finding.line);
        self.kept.truncate(LISTED);
    }
}

/// At most this many findings of one reason are listed. The others are counted.
const LISTED: usize = 20;

impl Findings {
    pub fn add(&mut self, reason: ReasonCode, line: impl Into<Option<u64>>, detail: impl Into<String>) {
        let of_reason = self.0.entry(reason).or_default();
        of_reason.count += 1;
        of_reason.kept.push(Finding { reason, line: line.into(), detail: detail.into() });
        if of_reason.kept.len() >= 8 * LISTED {
            of_reason.keep_first();
        }
    }

    /// Counts further findings of a reason that has some, of which only the number is known.
    pub fn add_more(&mut self, reason: ReasonCode, count: u64) {
        self.0.entry(reason).or_default().count += count;
    }

    pub fn has(&self, reason: ReasonCode) -> bool {
        self.0.contains_key(&reason)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every finding is something that the host did: then the work was done, and its times are those that a user
    /// experienced. True of no findings.
    pub fn are_the_hosts(&self) -> bool {
        self.0.iter().all(|(reason, _)| reason.is_a_disturbance())
    }

    /// The findings, the most fundamental reason first, then by line. At most [`LISTED`] of one reason.
    fn into_sorted(self) -> Vec<Finding> {
        let mut listed = Vec::new();
        for (reason, mut of_reason) in self.0 {
            of_reason.keep_first();
            let more = of_reason.count - of_reason.kept.len() as u64;
            listed.extend(of_reason.kept);
            if more > 0 {
                let detail = format!("and {more} more with this reason");
                listed.push(Finding { reason, line: None, detail });
            }
        }
        listed
    }

    /// The verdict. `measured` counts only if there is no finding.
    pub fn verdict<T>(self, measured: Option<T>) -> Verdict<T> {
        match measured {
            Some(measurement) if self.is_empty() => {
                Verdict { outcome: Outcome::Passed { measurement }, findings: Box::default() }
            }
            _ => self.refusal(None),
        }
    }

    /// The verdict on a run that did not pass, with its times if only the host is to blame.
    pub fn refusal<T>(self, times: Option<Experienced>) -> Verdict<T> {
        let findings = self.into_sorted();
        let outcome = match findings.first() {
            Some(first) => {
                let place = first.line.map(|line| format!("line {line}: ")).unwrap_or_default();
                Outcome::refused(first.reason, format!("{place}{}", first.detail))
            }
            None => Outcome::refused(
                ReasonCode::InconsistentRecord,
                "a record that the measurement needs is missing".to_owned(),
            ),
        };
        let outcome = match outcome {
            Outcome::Invalid { reason, detail, .. } => {
                Outcome::Invalid { reason, detail, experienced: times.map(Box::new) }
            }
            other => other,
        };
        Verdict { outcome, findings: findings.into() }
    }
}
