//! The verdict on a case, as a line: what an L1 guest sends through its console.

use std::time::Duration;

const MARK: &str = "VERDICT ";

/// How a case went.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// The case.
    pub case: String,
    /// The outcome.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
    /// What was seen, or why it failed or was not run.
    pub note: String,
}

/// The outcome of a case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// All is as it must be.
    Passed,
    /// Something is not.
    Failed,
    /// It cannot be tried here.
    NotRun,
}

impl Outcome {
    const ALL: [(Self, &str); 3] =
        [(Self::Passed, "ok"), (Self::Failed, "FAILED"), (Self::NotRun, "not-run")];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(outcome, _)| *outcome == self).map_or("", |(_, word)| word)
    }
}

impl Verdict {
    /// The line.
    pub fn line(&self) -> String {
        let Self { case, outcome, took, note } = self;
        format!("{MARK}{case} {} {} {}", outcome.word(), took.as_millis(), note.replace(['\r', '\n'], " "))
    }

    /// The verdict of a line; `None` if it is another line.
    pub fn of_line(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix(MARK)?.splitn(4, ' ');
        let case = words.next()?.to_owned();
        let word = words.next()?;
        let outcome = Outcome::ALL.into_iter().find(|(_, known)| *known == word)?.0;
        let took = Duration::from_millis(words.next()?.parse().ok()?);
        Some(Self { case, outcome, took, note: words.next().unwrap_or_default().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for (outcome, note) in [(Outcome::Passed, "a note"), (Outcome::Failed, ""), (Outcome::NotRun, "x")] {
            let (case, took) = ("boots-1".to_owned(), Duration::from_millis(1_234));
            let verdict = Verdict { case, outcome, took, note: note.to_owned() };
            assert_eq!(Verdict::of_line(&verdict.line()), Some(verdict));
        }
        for other in ["", "VERDICT", "VERDICT a", "VERDICT a well 1 x", "VERDICT a ok x", "boots-1 ok 3"] {
            assert_eq!(Verdict::of_line(other), None, "{other}");
        }
    }
}
