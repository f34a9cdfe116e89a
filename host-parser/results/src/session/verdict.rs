//! Whether B is slower than A, case by case and in all.

use std::path::PathBuf;

use serde::Serialize;

use super::StoredSession;
use super::contrast::{Accepted, Differing, contrast, host};
use super::counted::{Excluded, SessionCase};
use super::figures::Figure;
use super::offset::{host_changed, host_shift};
use super::pace::{Terms, compare_figure, has_comparable_paces};
use super::side_by_side::apart;
use crate::selection::shows_selection;
use evidence::gate::FunctionalOnly;
use stats::{
    Comparison, Design, Difference, HostShift, Measure, ShareTest, Summary, Thresholds, verdict_of_figures,
};

/// How far apart two sessions' frequencies of one clock may be: beyond it they are two clocks, and their cycles
/// are different units.
const ONE_CLOCK: f64 = 0.01;

/// What the times are in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeUnit {
    /// TSC cycles: both sessions are of one clock.
    Cycles,
    /// Nanoseconds, by each session's own median frequency: its error is in every ratio.
    Nanos,
}

/// The properties that identify a session to a reader.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Its folder.
    pub folder: PathBuf,
    /// Its name.
    pub label: Option<String>,
    /// The kernel's build.
    pub kernel: String,
    /// SHA-256 of the worker's program.
    pub program: String,
    /// How many rounds were excluded.
    pub rounds_set_aside: usize,
}

/// A case of both sessions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseVerdict {
    /// The case.
    pub case: u16,
    /// Whether the times are of the longest worker, since the clocks were not always shown to be in step.
    pub longest_worker: bool,
    /// Set if either ran with more CPUs than the host has: then there is no verdict.
    pub functional_only: Option<FunctionalOnly>,
    /// How much of A, and of B, is excluded in the rounds that count.
    pub excluded: [Excluded; 2],
    /// The excluded shares of A's and B's boots, compared: if they differ, what is left of one of them is a selection. Its
    /// p-value is multiplied by the number of cases.
    pub selection: Option<ShareTest>,
    /// The figures, each compared. Boots of one iteration have one figure, since all are the same.
    pub figures: Vec<FigureVerdict>,
    /// What follows from all figures; `None` without a figure that can be compared.
    pub verdict: Option<Difference>,
}

/// A figure of a case, compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FigureVerdict {
    /// Which.
    pub figure: Figure,
    /// The median time of A over its rounds, by the clock, in the unit.
    pub median_a: f64,
    /// That of B.
    pub median_b: f64,
    /// Whether the comparison is by the clock, or by the pace of the CPUs beside each iteration.
    pub measure: Measure,
    /// The ratio, the interval, the verdict; `None` for a functional-only case.
    pub comparison: Option<Comparison>,
}

/// Two sessions, compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionComparison {
    /// The session that B is compared with.
    pub a: Side,
    /// The session that is judged.
    pub b: Side,
    /// What differs and must not: if there is any, nothing is compared.
    pub refused: Vec<Differing>,
    /// Differences that are allowed. The verdict is on all of them together.
    pub differing: Vec<Differing>,
    /// How the rounds belong together.
    pub design: Design,
    /// The distance from 1 within which the whole interval of every figure must lie for `no-difference`.
    pub margin: f64,
    /// The probability of a difference in any case if there is none: all cases and figures share it.
    pub error: f64,
    /// How far the host of B was from that of A, by the native probes of two sessions. `None` in pairs, and if that is not
    /// known.
    pub host_shift: Option<HostShift>,
    /// The probes' baselines, if they do not prove that the host was alike; then no case has more than an inconclusive
    /// verdict.
    pub host_changed: Option<Differing>,
    /// What the times are in.
    pub unit: TimeUnit,
    /// The confidence level for each case, so that all of them together are at the level of one.
    pub level: f64,
    /// The cases that both have.
    pub cases: Vec<CaseVerdict>,
    /// What follows for all cases; `None` if nothing was compared.
    pub verdict: Option<Difference>,
}

/// Compares two sessions. They are paired if each round of the one ran side by side with that of the other. All comparisons
/// together are held to `held_to`.
#[must_use]
pub fn compare(
    a: &StoredSession,
    b: &StoredSession,
    design: Design,
    accepted: &Accepted,
    held_to: Thresholds,
) -> SessionComparison {
    let mut contrast = contrast(a, b, accepted);
    if design == Design::Paired {
        contrast.refused.extend(apart(a, b));
    }
    let unit = unit(a, b);
    match (unit, a.khz, b.khz) {
        (TimeUnit::Nanos, Some(a), Some(b)) => {
            let (a, b) = (format!("{:.3} MHz", a / 1e3), format!("{:.3} MHz", b / 1e3));
            contrast.allowed.push(Differing { what: "TSC frequency".to_owned(), a, b });
        }
        (TimeUnit::Nanos, ..) => contrast.refused.push(without_a_common_unit(a, b)),
        (TimeUnit::Cycles, ..) => {}
    }
    let both: Vec<u16> = if contrast.refused.is_empty() {
        a.chosen(accepted).map(|(case, _)| case).filter(|case| b.cases.contains_key(case)).collect()
    } else {
        Vec::new()
    };
    let sides = |case: u16| [&a.cases[&case], &b.cases[&case]];
    let held_to_each = held_to.each_of(both.iter().map(|&case| deciding_figures(sides(case))).sum());
    // Probes of two hosts, whose times are in nanoseconds, compare the hosts: they say nothing of a session's offset.
    let two_sessions = design == Design::Unpaired;
    let host_shift = (two_sessions && unit == TimeUnit::Cycles).then(|| host_shift(a, b, held_to)).flatten();
    let cases: Vec<CaseVerdict> = both
        .iter()
        .map(|&case| {
            let terms = Terms {
                held_to: held_to_each,
                design,
                longest_worker: sides(case).iter().any(|case| case.out_of_step),
                unit: [a, b].map(|session| nanos_per_cycle(session, unit)),
                paces: unit == TimeUnit::Cycles && has_comparable_paces(a, b, case),
            };
            of_case(case, sides(case), &terms, host_shift.as_ref(), both.len())
        })
        .collect();
    SessionComparison {
        a: side(a),
        b: side(b),
        verdict: overall(&cases),
        refused: contrast.refused,
        differing: contrast.allowed,
        design,
        margin: held_to.margin,
        error: ((1.0 - held_to.level) * 1e6).round() / 1e6,
        host_changed: host_changed(a, b, host_shift.as_ref()),
        host_shift,
        unit,
        level: held_to_each.level,
        cases,
    }
}

fn side(session: &StoredSession) -> Side {
    Side {
        folder: session.folder.clone(),
        label: session.label.clone(),
        kernel: session.identity.build.to_string(),
        program: session.identity.blob_sha256.to_string(),
        rounds_set_aside: session.rounds_set_aside.len(),
    }
}

/// Cycles, if both are of the same host and one frequency, as far as the sessions show.
fn unit(a: &StoredSession, b: &StoredSession) -> TimeUnit {
    let one_host = host(&a.environment) == host(&b.environment);
    let one_clock = match (a.khz, b.khz) {
        (Some(a), Some(b)) => (a / b - 1.0).abs() <= ONE_CLOCK,
        _ => true,
    };
    if one_host && one_clock { TimeUnit::Cycles } else { TimeUnit::Nanos }
}

fn without_a_common_unit(a: &StoredSession, b: &StoredSession) -> Differing {
    Differing { what: "TSC frequency".to_owned(), a: frequency(a), b: frequency(b) }
}

fn frequency(session: &StoredSession) -> String {
    match session.khz {
        Some(khz) => format!("{:.3} MHz", khz / 1e3),
        None => "unknown, and the hosts differ".to_owned(),
    }
}

/// How many figures of a case can decide that B is slower; they share the error.
fn deciding_figures(cases: [&SessionCase; 2]) -> usize {
    match cases {
        _ if cases.iter().any(|case| case.functional_only.is_some()) => 0,
        _ if cases.iter().any(|case| case.has_iterations()) => 2,
        _ => 1,
    }
}

fn nanos_per_cycle(session: &StoredSession, unit: TimeUnit) -> f64 {
    session.khz.filter(|_| unit == TimeUnit::Nanos).map_or(1.0, |khz| 1e6 / khz)
}

fn of_case(
    case: u16,
    cases: [&SessionCase; 2],
    terms: &Terms,
    host: Option<&HostShift>,
    tests: usize,
) -> CaseVerdict {
    let functional_only = cases[0].functional_only.or(cases[1].functional_only);
    let several = cases.iter().any(|case| case.has_iterations());
    let shown = Figure::ALL.into_iter().take(if several { Figure::ALL.len() } else { 1 });
    let figures: Vec<FigureVerdict> =
        shown.filter_map(|figure| of_figure(cases, figure, functional_only.is_none(), terms, host)).collect();
    let compared: Vec<&Comparison> = figures.iter().filter_map(|figure| figure.comparison.as_ref()).collect();
    let verdict = match compared[..] {
        [quick, median, experienced] => Some(verdict_of_figures(quick, median, experienced)),
        [only] => Some(only.verdict),
        _ => None,
    };
    let selection = ShareTest::of(&cases[0].lost, &cases[1].lost, 1.0).map(|test| test.one_of(tests));
    let verdict = verdict.map(|verdict| unless_selected(verdict, selection.as_ref()));
    CaseVerdict {
        case,
        longest_worker: terms.longest_worker,
        functional_only,
        excluded: cases.map(|case| case.share),
        selection,
        figures,
        verdict,
    }
}

/// The verdict that is left if one side lost more than the other. Evidence excludes what is slow, so that the side that lost
/// more looks faster than it is: that it is slower all the same stands, and nothing else does.
fn unless_selected(verdict: Difference, selection: Option<&ShareTest>) -> Difference {
    let Some(test) = selection.filter(|test| shows_selection(test)) else { return verdict };
    match verdict {
        Difference::Slower if test.excess > 0.0 => Difference::Slower,
        Difference::Faster if test.excess < 0.0 => Difference::Faster,
        _ => Difference::Inconclusive,
    }
}

impl CaseVerdict {
    /// Whether one side lost so much more than the other that what is left of it is a selection.
    #[must_use]
    pub fn is_selected(&self) -> bool {
        self.selection.as_ref().is_some_and(shows_selection)
    }
}

/// One figure of a case. `None` if a side has no round.
fn of_figure(
    cases: [&SessionCase; 2],
    figure: Figure,
    judged: bool,
    terms: &Terms,
    host: Option<&HostShift>,
) -> Option<FigureVerdict> {
    let median = |side: usize| -> Option<f64> {
        let times = cases[side].figure(figure, terms.longest_worker).clock.values();
        Some(Summary::of(&times.map(|time| time * terms.unit[side]).collect::<Vec<_>>())?.median)
    };
    let (median_a, median_b) = (median(0)?, median(1)?);
    let compared = if judged { compare_figure(cases, figure, terms) } else { None };
    let (measure, comparison) = match compared {
        Some((measure, comparison)) if terms.design == Design::Unpaired => {
            (measure, Some(comparison.on_host(host)))
        }
        Some((measure, comparison)) => (measure, Some(comparison)),
        None => (Measure::Clock, None),
    };
    Some(FigureVerdict { figure, median_a, median_b, measure, comparison })
}

/// One slower case makes the whole slower. Else one inconclusive case makes the whole inconclusive.
fn overall(cases: &[CaseVerdict]) -> Option<Difference> {
    let verdicts: Vec<Difference> = cases.iter().filter_map(|case| case.verdict).collect();
    let judged = cases.iter().filter(|case| case.functional_only.is_none());
    if verdicts.len() < judged.count() {
        return Some(Difference::Inconclusive);
    }
    let weight = [Difference::Slower, Difference::Inconclusive, Difference::Faster, Difference::NoDifference];
    weight.into_iter().find(|weight| verdicts.contains(weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(a: f64, b: f64) -> Option<ShareTest> {
        ShareTest::of(&[a; 15], &[b; 15], 1.0)
    }

    #[test]
    fn of_a_side_that_lost_more_only_slower_stands() {
        use Difference::{Faster, Inconclusive, NoDifference, Slower};
        for (selection, left) in [
            (lost(0.1, 0.1), [Slower, Faster, NoDifference, Inconclusive]),
            (lost(0.0, 0.05), [Slower, Faster, NoDifference, Inconclusive]),
            (lost(0.0, 0.4), [Slower, Inconclusive, Inconclusive, Inconclusive]),
            (lost(0.4, 0.0), [Inconclusive, Faster, Inconclusive, Inconclusive]),
        ] {
            let of = |verdict| unless_selected(verdict, selection.as_ref());
            assert_eq!([Slower, Faster, NoDifference, Inconclusive].map(of), left, "{selection:?}");
        }
    }
}
