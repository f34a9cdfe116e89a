//! The proof that the rows of several systems had the same work in the same envelope. It can fail.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::envelope::{Envelope, envelope};
use super::reason::{NotComparable, Refusal};
use crate::{RunRecord, System};
use evidence::gate::{Measurement, limits};

/// A run that counts, and what it measured.
pub(super) type Passed<'a> = (&'a RunRecord, &'a Measurement);

/// Something that all rows of a case have in common.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Same {
    /// What: the subject of the reason that there would be if it differed.
    pub what: &'static str,
    /// The case; `None` if it is the same for all cases.
    pub case: Option<u16>,
    /// Its value.
    pub value: String,
}

/// What was found.
pub(super) struct Proof {
    pub same: Vec<Same>,
    /// What differs and may not, the weightiest first.
    pub findings: Vec<Refusal>,
}

/// Compares the runs of each case with the first of them, item by item.
pub(super) fn prove(runs: &[Passed<'_>]) -> Proof {
    let mut cases: BTreeMap<Vec<u16>, Vec<(Passed<'_>, Envelope)>> = BTreeMap::new();
    for &(run, measured) in runs {
        cases.entry(case(measured)).or_default().push(((run, measured), envelope(run, measured)));
    }
    let mut findings = impostors(runs);
    findings.extend(clocks(runs));
    let mut same: BTreeMap<NotComparable, Vec<(Option<u16>, String)>> = BTreeMap::new();
    for (case, runs) in &cases {
        for item in NotComparable::ALL {
            match common(item, runs) {
                None => {}
                Some(Ok(value)) => {
                    let case = case.first().copied().filter(|_| case.len() == 1);
                    same.entry(item).or_default().push((case, value));
                }
                Some(Err(detail)) => {
                    findings.push(Refusal { reason: item, detail: format!("{}{detail}", of_case(case)) });
                }
            }
        }
    }
    findings.sort_by_key(|finding| finding.reason);
    Proof { same: same.into_iter().flat_map(|(item, values)| listed(item, values)).collect(), findings }
}

/// The cases that a run has: as a rule one.
fn case(measured: &Measurement) -> Vec<u16> {
    let cases: BTreeSet<u16> = measured.samples().iter().map(|sample| sample.case).collect();
    cases.into_iter().collect()
}

fn of_case(case: &[u16]) -> String {
    let cases: Vec<String> = case.iter().map(ToString::to_string).collect();
    format!("case {}: ", cases.join(" "))
}

/// What the runs of a case have in common in one item, or which two differ and how; `None` if no run has the item.
fn common(item: NotComparable, runs: &[(Passed<'_>, Envelope)]) -> Option<Result<String, String>> {
    let mut values = runs.iter().filter_map(|((run, _), envelope)| {
        let (_, value) = envelope.iter().find(|(of, _)| *of == item)?;
        Some((run, value.as_ref()))
    });
    let (first, expected) = values.next()?;
    let Some(expected) = expected else {
        return Some(Err(format!("the {} of {} is not known", item.subject(), name(first))));
    };
    let other = values.find(|(_, value)| *value != Some(expected));
    Some(match other {
        None => Ok(expected.join(" ")),
        Some((run, None)) => Err(format!("the {} of {} is not known", item.subject(), name(run))),
        Some((run, Some(value))) => Err(format!(
            "{}: {} has {}, {} has {}",
            item.subject(),
            name(first),
            words_only_in(expected, value),
            name(run),
            words_only_in(value, expected)
        )),
    })
}

fn name(run: &RunRecord) -> String {
    format!("{} (run {})", run.system, run.run)
}

/// Runs whose log is of another system than their row, or of one that was tuned otherwise.
fn impostors(runs: &[Passed<'_>]) -> Vec<Refusal> {
    let other = |&(run, measured): &Passed<'_>| {
        let machine = measured.machine();
        let (is_tuned, may_be) = (machine.tuning.is_some(), run.system == System::LinuxTuned);
        let is_other = machine.system != run.system.name() || is_tuned != may_be;
        let tuned = match (may_be, is_tuned) {
            (true, false) => ", not tuned",
            (false, true) => ", tuned",
            _ => "",
        };
        let detail = || format!("the log of {} says {}{tuned}", name(run), machine.system);
        is_other.then(|| Refusal { reason: NotComparable::System, detail: detail() })
    };
    runs.iter().filter_map(other).collect()
}

/// Frequencies of the TSC that cannot be of one clock.
fn clocks(runs: &[Passed<'_>]) -> Option<Refusal> {
    let khz = |measured: &Measurement| measured.clock().tsc.as_ref().map(|tsc| tsc.khz);
    let mut known = runs.iter().filter_map(|(run, measured)| Some((run, khz(measured)?)));
    let (first, expected) = known.next()?;
    let far = |khz: u64| {
        u128::from(khz.abs_diff(expected)) * 1_000_000
            > u128::from(limits::TSC_LINUX_PPM) * u128::from(expected)
    };
    let (run, khz) = known.find(|&(_, khz)| far(khz))?;
    let detail = format!("TSC: {} has {expected} kHz, {} has {khz} kHz", name(first), name(run));
    Some(Refusal { reason: NotComparable::Clock, detail })
}

/// The words that `others` lacks.
fn words_only_in(words: &[String], others: &[String]) -> String {
    let only: Vec<&str> =
        words.iter().filter(|word| !others.contains(word)).map(|word| word.trim()).collect();
    if only.is_empty() { "nothing more".to_owned() } else { only.join(" ") }
}

/// One line if all cases agree, else one for each.
fn listed(item: NotComparable, values: Vec<(Option<u16>, String)>) -> Vec<Same> {
    let what = item.subject();
    match &values[..] {
        [(_, first), rest @ ..] if rest.iter().all(|(_, value)| value == first) => {
            vec![Same { what, case: None, value: first.clone() }]
        }
        _ => values.into_iter().map(|(case, value)| Same { what, case, value }).collect(),
    }
}
