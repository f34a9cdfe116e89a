//! What came of a check.

use serde::Serialize;

use super::check::Check;

/// How good it is. Ordered, the worst last.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As a measurement wants it, or a fact that no more than belongs to the result.
    Ok,
    /// It could not be seen.
    Unknown,
    /// A measurement is possible, and better without it.
    Warn,
    /// No measurement is possible.
    Bad,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What was checked.
    pub check: Check,
    /// The part of the report.
    pub group: &'static str,
    /// How good it is.
    pub status: Status,
    /// What was seen.
    pub value: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to do; set if it is worse than unknown.
    pub remedy: Option<String>,
}

impl Finding {
    /// The same, with a remedy that fits this host better than the general one, where one is needed.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: self.remedy.map(|_| remedy.into()), ..self }
    }
}

impl Check {
    /// What was seen is good.
    #[must_use]
    pub fn ok(self, value: impl Into<String>) -> Finding {
        self.finding(Status::Ok, value.into())
    }

    /// What was seen makes a measurement worse.
    #[must_use]
    pub fn warn(self, value: impl Into<String>) -> Finding {
        self.finding(Status::Warn, value.into())
    }

    /// What was seen makes a measurement impossible.
    #[must_use]
    pub fn bad(self, value: impl Into<String>) -> Finding {
        self.finding(Status::Bad, value.into())
    }

    /// Nothing was seen; `why` names what is missing.
    #[must_use]
    pub fn unknown(self, why: impl AsRef<str>) -> Finding {
        self.finding(Status::Unknown, format!("unknown: {}", why.as_ref()))
    }

    /// What was seen, as good as it is.
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
