//! Whether B is slower than A, case by case and in all.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use super::StoredSession;
use super::contrast::{Accepted, Differing, contrast, host};
use super::counted::SessionCase;
use super::pace::by_pace;
use evidence::gate::FunctionalOnly;
use stats::{Comparison, Design, Difference, MIN_EFFECT, Summary, compare_at, level_for};

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
    /// The median time of A over its rounds, in the unit.
    pub median_a: f64,
    /// That of B.
    pub median_b: f64,
    /// Whether the times are of the longest worker, since the clocks were not always shown to be in step.
    pub longest_worker: bool,
    /// Whether the comparison is by the pace of the CPUs beside each iteration, and not by the clock alone.
    pub by_pace: bool,
    /// Set if either ran with more CPUs than the host has: then there is no verdict.
    pub functional_only: Option<FunctionalOnly>,
    /// The ratio, the interval, the verdict.
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
    /// What the sessions' native probes took, if that shows that the host itself was not alike in them; then no case
    /// has more than an inconclusive verdict.
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

/// Compares two sessions. They are paired if each round of the one ran side by side with that of the other.
#[must_use]
pub fn compare(
    a: &StoredSession,
    b: &StoredSession,
    design: Design,
    accepted: &Accepted,
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
    let judged = |case: &&u16| [a, b].iter().all(|session| session.cases[case].functional_only.is_none());
    let level = level_for(both.iter().filter(judged).count());
    let mut cases: Vec<CaseVerdict> =
        both.iter().filter_map(|&case| of_case([a, b], case, design, unit, level)).collect();
    // A comparison in nanoseconds is one of two hosts: their probes may differ.
    let sessions_of_one_host = design == Design::Unpaired && unit == TimeUnit::Cycles;
    let host_changed = sessions_of_one_host.then(|| host_changed(a, b)).flatten();
    if host_changed.is_some() {
        for comparison in cases.iter_mut().filter_map(|case| case.comparison.as_mut()) {
            comparison.verdict = Difference::Inconclusive;
        }
    }
    SessionComparison {
        a: side(a),
        b: side(b),
        verdict: overall(&cases),
        refused: contrast.refused,
        differing: contrast.allowed,
        design,
        host_changed,
        unit,
        level,
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

/// The baselines of both sessions' native probes, if they differ by more than [`MIN_EFFECT`]. The probes ran the session's
/// own worker, so that they show the host only if both sessions have the same worker.
fn host_changed(a: &StoredSession, b: &StoredSession) -> Option<Differing> {
    let work =
        |session: &StoredSession| (session.identity.blob_sha256, session.identity.whole, session.probes.cpus);
    let alike = work(a) == work(b);
    let (of_a, of_b) = (a.probes.baseline().filter(|_| alike)?, b.probes.baseline()?);
    let apart = of_a.iter().zip(of_b).any(|(a, b)| (a.max(b) / a.min(b)) - 1.0 > MIN_EFFECT);
    let cpus = a.probes.cpus;
    apart.then(|| Differing {
        what: "native probes".to_owned(),
        a: probe_times(of_a, cpus),
        b: probe_times(of_b, cpus),
    })
}

fn probe_times([one, all]: [f64; 2], cpus: u16) -> String {
    format!("{:.1} ms on one CPU, {:.1} on all {cpus}", one / 1e6, all / 1e6)
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

/// The first two rounds that should have run side by side and did not: every round of both sessions must be over before
/// the next one begins in either.
fn apart(a: &StoredSession, b: &StoredSession) -> Option<Differing> {
    let rounds: BTreeSet<u32> = a.spans.keys().chain(b.spans.keys()).copied().collect();
    let mut before: Option<(u32, u64)> = None;
    for round in rounds {
        let spans: Vec<(u64, u64)> =
            [a, b].iter().filter_map(|session| session.spans.get(&round).copied()).collect();
        let from = spans.iter().map(|span| span.0).min()?;
        let to = spans.iter().map(|span| span.1).max()?;
        if let Some((earlier, _)) = before.filter(|&(_, ended)| from < ended) {
            let [a, b] = [a, b].map(|session| span_of_both(session, earlier, round));
            return Some(Differing { what: "rounds side by side".to_owned(), a, b });
        }
        before = Some((round, to));
    }
    let none = a.spans.is_empty() || b.spans.is_empty();
    let unknown = || "when they ran is not known".to_owned();
    none.then(|| Differing { what: "rounds side by side".to_owned(), a: unknown(), b: unknown() })
}

/// When two rounds of a session ran, in milliseconds since 1970.
fn span_of_both(session: &StoredSession, earlier: u32, later: u32) -> String {
    let rounds = format!("rounds {} and {}", earlier + 1, later + 1);
    match (session.spans.get(&earlier), session.spans.get(&later)) {
        (Some(one), Some(next)) => format!("{rounds} from {} to {} ms", one.0, next.1),
        _ => format!("not both of {rounds}"),
    }
}

fn of_case(
    sessions: [&StoredSession; 2],
    case: u16,
    design: Design,
    unit: TimeUnit,
    level: f64,
) -> Option<CaseVerdict> {
    let cases = sessions.map(|session| &session.cases[&case]);
    let longest_worker = cases.iter().any(|case| case.out_of_step);
    let by_pace = unit == TimeUnit::Cycles && by_pace(sessions[0], sessions[1], case, design, level);
    let times = |session: &StoredSession, case: &SessionCase, by_pace: bool| -> Vec<(u32, f64)> {
        let nanos_per_cycle = session.khz.filter(|_| unit == TimeUnit::Nanos).map_or(1.0, |khz| 1e6 / khz);
        let times = case.times(longest_worker, by_pace).iter();
        times.map(|(&round, time)| (round, time * nanos_per_cycle)).collect()
    };
    let of_sides = |by_pace| [0, 1].map(|side| times(sessions[side], cases[side], by_pace));
    let [a, b] = of_sides(false);
    let median = |times: &[(u32, f64)]| {
        Some(Summary::of(&times.iter().map(|&(_, time)| time).collect::<Vec<_>>())?.median)
    };
    let functional_only = cases[0].functional_only.or(cases[1].functional_only);
    let [of_a, of_b] = of_sides(by_pace);
    let comparison = match functional_only {
        None => compare_at(level, design, &of_a, &of_b),
        Some(_) => None,
    };
    let (median_a, median_b) = (median(&a)?, median(&b)?);
    Some(CaseVerdict { case, median_a, median_b, longest_worker, by_pace, functional_only, comparison })
}

/// One slower case makes the whole slower. Else one inconclusive case makes the whole inconclusive.
fn overall(cases: &[CaseVerdict]) -> Option<Difference> {
    let verdicts: Vec<Difference> =
        cases.iter().filter_map(|case| Some(case.comparison.as_ref()?.verdict)).collect();
    let judged = cases.iter().filter(|case| case.functional_only.is_none());
    if verdicts.len() < judged.count() {
        return Some(Difference::Inconclusive);
    }
    let weight = [Difference::Slower, Difference::Inconclusive, Difference::Faster, Difference::NoDifference];
    weight.into_iter().find(|weight| verdicts.contains(weight))
}
