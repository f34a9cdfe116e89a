//! The result of a check.

use serde::Serialize;

use super::check::Check;

/// The status of a finding, ordered from best to worst.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Good for a measurement, or a property that only needs to be known with the result.
    Ok,
    /// The value could not be read.
    Unknown,
    /// A measurement is possible, and would be better without this.
    Warn,
    /// No measurement is possible.
    Bad,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// Its part of the report.
    pub group: &'static str,
    /// The status.
    pub status: Status,
    /// The value that was read.
    pub value: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to do, for `warn` and `bad`.
    pub remedy: Option<String>,
}

impl Finding {
    /// Replaces the general remedy, if the finding has one, by a more specific one.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: self.remedy.map(|_| remedy.into()), ..self }
    }
}

impl Check {
    /// A finding that is good.
    #[must_use]
    pub fn ok(self, value: impl Into<String>) -> Finding {
        self.finding(Status::Ok, value.into())
    }

    /// A finding that makes a measurement worse.
    #[must_use]
    pub fn warn(self, value: impl Into<String>) -> Finding {
        self.finding(Status::Warn, value.into())
    }

    /// A finding that makes a measurement impossible.
    #[must_use]
    pub fn bad(self, value: impl Into<String>) -> Finding {
        self.finding(Status::Bad, value.into())
    }

    /// A value that could not be read; `why` names the missing source.
    #[must_use]
    pub fn unknown(self, why: impl AsRef<str>) -> Finding {
        self.finding(Status::Unknown, format!("unknown: {}", why.as_ref()))
    }

    /// A finding that is bad if `bad`, else a warning if `warn`, else good.
    #[must_use]
    pub fn judge(self, value: impl Into<String>, warn: bool, bad: bool) -> Finding {
        let status = match (bad, warn) {
            (true, _) => Status::Bad,
            (false, true) => Status::Warn,
            (false, false) => Status::Ok,
        };
        self.finding(status, value.into())
    }

    fn finding(self, status: Status, value: String) -> Finding {
        let remedy = (status >= Status::Warn).then(|| self.remedy().to_owned());
        Finding { check: self, group: self.group(), status, value, why: self.why(), remedy }
    }
}
