//! The first line of a page: the verdict in a word, what it is about, and what to do next.

use evidence::gate::ReasonCode;

use super::stored::{Claim, Interval, Stored};
use crate::verdict::rule;

/// What a verdict says to someone who only sees its colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tone {
    /// It holds.
    Good,
    /// It does not.
    Bad,
    /// It holds undisturbed only.
    Partly,
    /// It is of one boot only.
    OneBoot,
    /// Nothing was claimed, or nothing can be.
    None,
}

/// The verdict of a session.
#[derive(Clone, Debug)]
pub struct Headline {
    /// The verdict.
    pub word: &'static str,
    /// What it is about.
    pub about: String,
    /// Its figures, or why there is no claim.
    pub lines: Vec<String>,
    /// How it is meant.
    pub tone: Tone,
    /// The weightiest reason why there is no claim.
    pub reason: Option<ReasonCode>,
}

impl Headline {
    /// The headline of a session.
    #[must_use]
    pub fn of(stored: &Stored) -> Self {
        match &stored.claim {
            Some(claim) => Self::of_claim(stored, claim),
            None => Self::of_runs(stored),
        }
    }

    /// The word in its colour (ECMA-48, "select graphic rendition").
    pub(super) fn coloured(&self) -> String {
        let colour = match self.tone {
            Tone::Good => 32,
            Tone::Bad => 31,
            Tone::Partly => 33,
            Tone::OneBoot => 34,
            Tone::None => return self.word.to_owned(),
        };
        format!("\x1b[1;{colour}m{}\x1b[0m", self.word)
    }

    /// What to do next. `name` is how the user can name the session again.
    #[must_use]
    pub fn next(&self, name: &str) -> String {
        match self.reason {
            Some(reason) => reason.remedy().to_owned(),
            None => match self.tone {
                Tone::Bad => format!("`assay show --wide {name}` lists every figure and what was excluded"),
                Tone::Partly => {
                    "repeat it on a host whose neighbours are calm (`assay doctor` says when)".to_owned()
                }
                _ => format!("`assay show --wide {name}` lists all; `assay verify {name}` derives it again"),
            },
        }
    }

    fn of_claim(stored: &Stored, claim: &Claim) -> Self {
        let (word, tone) = match claim.verdict.as_str() {
            "holds" => ("HOLDS", Tone::Good),
            "holds-undisturbed" => ("HOLDS UNDISTURBED", Tone::Partly),
            "does-not-hold" => ("DOES NOT HOLD", Tone::Bad),
            "within-boot" => (within(claim.within.as_deref()), Tone::OneBoot),
            "not-made" => ("NOT A CLAIM", Tone::None),
            _ => ("INCONCLUSIVE", Tone::None),
        };
        let reason = claim.reason.as_deref().and_then(reason_of);
        let mut lines: Vec<String> = claim.median.map(|median| figures(median, claim)).into_iter().collect();
        lines.extend(claim.reason.as_ref().map(|reason| {
            let detail = claim.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
            format!("{reason}{detail}")
        }));
        if lines.is_empty() || claim.median.is_none() && !stored.experienced.is_empty() {
            lines.push("what was seen all the same is below; it proves nothing".to_owned());
        }
        lines.extend(interrupted(stored));
        Self { word, about: rule(&claim.rule), lines, tone, reason }
    }

    fn of_runs(stored: &Stored) -> Self {
        let refused = stored.runs.iter().filter(|run| run.outcome != "passed" && run.set_aside.is_none());
        let reason = refused.clone().filter_map(|run| reason_of(run.reason.as_deref()?)).min();
        let name = &stored.experiment.name;
        let (word, about, tone) = match refused.count() {
            0 if stored.runs.is_empty() => ("NOTHING MEASURED", format!("{name} has no run"), Tone::None),
            0 => ("MEASURED", format!("{name}; it makes no claim"), Tone::None),
            count => {
                ("REFUSED", format!("{name}: {count} of {} runs did not pass", stored.runs.len()), Tone::Bad)
            }
        };
        let mut lines: Vec<String> =
            reason.map(|reason| format!("{}: {}", reason.code(), reason.meaning())).into_iter().collect();
        lines.extend(interrupted(stored));
        Self { word, about, lines, tone, reason }
    }
}

/// Why not all was done that was to be done.
fn interrupted(stored: &Stored) -> Option<String> {
    (!stored.complete)
        .then(|| format!("INCOMPLETE: {}", stored.incomplete.as_deref().unwrap_or("the session did not end")))
}

fn within(shown: Option<&str>) -> &'static str {
    match shown {
        Some("holds") => "HOLDS WITHIN THIS BOOT",
        Some("holds-undisturbed") => "HOLDS UNDISTURBED WITHIN THIS BOOT",
        Some("does-not-hold") => "DOES NOT HOLD WITHIN THIS BOOT",
        _ => "INCONCLUSIVE WITHIN THIS BOOT",
    }
}

fn figures(median: f64, claim: &Claim) -> String {
    let mut text = format!("undisturbed {median:.3}{}", interval(claim.interval));
    if let Some(of) = &claim.experienced {
        text += &format!(", as experienced {:.3}{}", of.median, interval(of.interval));
    }
    text
}

fn interval(interval: Option<Interval>) -> String {
    interval.map_or_else(String::new, |Interval { low, high }| format!(" ({low:.3} to {high:.3})"))
}

fn reason_of(code: &str) -> Option<ReasonCode> {
    ReasonCode::ALL.iter().copied().find(|reason| reason.code() == code)
}
