//! The results of a session of snapshots: the content of snapshot.json.

use results::{Environment, Tool};
use serde::{Deserialize, Serialize};

use crate::figures::Figures;
use crate::subject::Subject;

/// The version of snapshot.json.
pub(super) const SCHEMA: u32 = 1;

/// The results.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SnapshotResults {
    /// The version of this form.
    pub schema: u32,
    /// What recorded it.
    pub tool: Tool,
    /// Where, and with which files.
    pub environment: Environment,
    /// The machine.
    pub machine: String,
    /// How many rounds there were.
    pub rounds: u16,
    /// The times.
    pub rows: Vec<SnapshotRow>,
    /// What every snapshot takes of a disk: `st_blocks`, in bytes; and its length.
    pub sizes: Vec<Size>,
    /// What must survive, and what must not pass unnoticed.
    pub checks: Vec<Check>,
    /// What was spoilt on purpose, and whether its check, and no other, noticed it.
    pub controls: Vec<Control>,
    /// The answers to `exec` that the gate refused, and the clones that did not answer for themselves.
    pub failures: Vec<String>,
    /// What was left out, and why.
    pub left_out: Vec<String>,
}

/// A row of times.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SnapshotRow {
    /// What lives on the machine.
    pub subject: Subject,
    /// What was timed.
    pub row: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The size of a snapshot.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Size {
    /// What lives on the machine.
    pub subject: Subject,
    /// Bytes of blocks.
    pub block_bytes: u64,
    /// The file's length.
    pub file_bytes: u64,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// This machine has nothing that it could look at.
    NotApplicable,
}

/// A check of a machine that was loaded.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// What was found.
    pub detail: String,
}

/// A control: something was spoilt on purpose.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Control {
    /// What was spoilt.
    pub spoilt: String,
    /// Whether its own check noticed it, and no other.
    pub noticed: bool,
    /// What the check found.
    pub detail: String,
}

impl Check {
    pub(super) fn new(name: &str, holds: bool, detail: String) -> Self {
        let verdict = if holds { Verdict::Holds } else { Verdict::Fails };
        Self { name: name.to_owned(), verdict, detail }
    }

    pub(super) fn not_applicable(name: &str, why: &str) -> Self {
        Self { name: name.to_owned(), verdict: Verdict::NotApplicable, detail: why.to_owned() }
    }
}

impl SnapshotResults {
    /// Whether every check holds, every control was noticed, and every answer counts.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failures.is_empty()
            && self.checks.iter().all(|check| check.verdict != Verdict::Fails)
            && self.controls.iter().all(|control| control.noticed)
    }

    /// Their text as JSON.
    ///
    /// # Panics
    /// Never: every value has a form in JSON.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("every value has a form in JSON") + "\n"
    }
}
