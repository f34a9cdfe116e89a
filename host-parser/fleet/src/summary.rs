//! What became of the logs of a fleet, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::one_log::{LogRows, Outcome};

/// What became of the logs.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Summary {
    /// How many files were given.
    pub found: usize,
    /// How many of them were in the dataset before, and were left as they are.
    pub known: usize,
    /// How many became a row now, by what became of them.
    pub added: BTreeMap<&'static str, usize>,
    /// How many logs were refused, as a whole or in part, by the reason.
    pub reasons: BTreeMap<&'static str, usize>,
    /// The bytes of the logs that became a row.
    pub bytes: u64,
    /// The rows of the labels that are of none of the logs.
    pub labels_without_log: Vec<String>,
    /// How many logs have no labels, if there are labels.
    pub logs_without_labels: usize,
}

/// How many names a line of the text lists.
const NAMED: usize = 5;

impl Summary {
    pub(crate) fn add(&mut self, log: &LogRows) {
        *self.added.entry(log.outcome.word()).or_default() += 1;
        if let Some(reason) = log.reason {
            *self.reasons.entry(reason).or_default() += 1;
        }
        self.bytes += log.bytes;
    }

    /// How many logs became a row with this outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.added.get(outcome.word()).copied().unwrap_or(0)
    }

    /// The same for people, at most 80 columns wide.
    #[must_use]
    pub fn text(&self) -> String {
        let added: usize = self.added.values().sum();
        let mut text = format!(
            "{} logs: {added} added ({} MB), {} were in it before\n",
            self.found,
            self.bytes.div_ceil(1_000_000),
            self.known
        );
        for outcome in Outcome::ALL {
            if let Some(count) = self.added.get(outcome.word()) {
                text += &format!("  {count:>7}  {}\n", outcome.word());
            }
        }
        if !self.reasons.is_empty() {
            text += "reasons (docs/GATE.md):\n";
        }
        let mut reasons: Vec<_> = self.reasons.iter().collect();
        reasons.sort_by_key(|&(reason, count)| (std::cmp::Reverse(*count), *reason));
        for (reason, count) in reasons {
            text += &format!("  {count:>7}  {reason}\n");
        }
        if self.logs_without_labels > 0 {
            text += &format!("{} logs have no labels\n", self.logs_without_labels);
        }
        let missing = &self.labels_without_log;
        if !missing.is_empty() {
            text += &format!("{} rows of the labels have no log:\n", missing.len());
            missing.iter().take(NAMED).for_each(|name| text += &format!("  {name}\n"));
            if missing.len() > NAMED {
                text += &format!("  and {} more\n", missing.len() - NAMED);
            }
        }
        text
    }
}
