//! As experienced: the figures of every run and iteration that was made, nothing left out.
//!
//! Owns the second of the two figures that every result has. Excluded rounds and iterations are in it, and so are runs
//! that the gate refused only because the host disturbed them. A run without any time (it crashed, or timed out) has
//! none here either; such runs are counted beside the figure. Every attempt at a run that was made again is in it, with
//! the weight of any other.

use std::collections::{BTreeMap, BTreeSet};

use evidence::gate::{Experienced, limits};
use serde::Serialize;
use stats::{
    ByRound, Interval, MadeRatio, MadeTime, MeanRatio, PairedRatio, Round, Stretches, Summary, Total, Totals,
    linear, mean_by_spells, median,
};

use crate::run_record::RunRecord;
use crate::series::{Pairing, Scope};
use crate::system::System;

/// A case of one system as its user experienced it, and how much of it counts as undisturbed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExperiencedCase {
    /// What ran the workers.
    pub system: System,
    /// The case, named by how many workers it has.
    pub case: u16,
    /// The runs that have times.
    pub runs: usize,
    /// Of these, the runs that count.
    pub runs_counted: usize,
    /// The runs that were made and have no time: they crashed, timed out, or their evidence does not hold.
    pub runs_without_time: usize,
    /// The iterations of the runs that have times.
    pub iterations: usize,
    /// Of these, the iterations that count.
    pub iterations_counted: usize,
    /// The times of all iterations, in TSC cycles.
    pub cycles: Summary,
    /// The same in nanoseconds, if every run's frequency is known.
    pub nanos: Option<Summary>,
    /// How much faster it is than the smallest case; `None` if they share no round.
    pub speedup: Option<ExperiencedSpeedup>,
}

impl ExperiencedCase {
    /// The part of its iterations that counts.
    #[must_use]
    pub fn used(&self) -> f64 {
        self.iterations_counted as f64 / self.iterations as f64
    }

    /// Whether enough of it counts for a claim.
    #[must_use]
    pub const fn is_enough(&self) -> bool {
        self.iterations_counted as u64 * 1_000 >= self.iterations as u64 * limits::KEPT_PER_MILLE
    }
}

/// How much faster a case is than another, over all rounds that were made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExperiencedSpeedup {
    /// The other case.
    pub against: u16,
    /// What the intervals are about.
    pub scope: Scope,
    /// The median of the ratios by round, each of the medians of both cases' iterations.
    pub median: f64,
    /// The interval of the median; none for fewer than five rounds.
    pub interval: Option<Interval>,
    /// The ratio of the mean times, and its interval.
    pub by_mean: MeanRatio,
}

/// The times of one case.
#[derive(Debug, Default)]
struct Times {
    /// By round, in cycles.
    cycles: BTreeMap<Round, Vec<f64>>,
    nanos: Vec<f64>,
    runs: usize,
    runs_counted: usize,
    iterations_counted: usize,
}

/// Every case of every system that has a time, in the order of rows.
pub(crate) fn experienced(pairing: Pairing, runs: &[RunRecord]) -> Vec<ExperiencedCase> {
    let mut cases: BTreeMap<System, BTreeMap<u16, Times>> = BTreeMap::new();
    for run in runs {
        if let Some(times) = times_of(run) {
            add(cases.entry(run.system).or_default(), pairing, run, &times);
        }
    }
    let rows = cases.iter().flat_map(|(&system, cases)| {
        let smallest = cases.keys().next().copied().unwrap_or_default();
        cases.iter().filter_map(move |(&case, times)| {
            let cycles = Summary::of(&all(&times.cycles))?;
            Some(ExperiencedCase {
                system,
                case,
                runs: times.runs,
                runs_counted: times.runs_counted,
                runs_without_time: without_time(runs, system, case),
                iterations: cycles.n,
                iterations_counted: times.iterations_counted,
                nanos: Summary::of(&times.nanos).filter(|nanos| nanos.n == cycles.n),
                cycles,
                speedup: speedup(pairing, smallest, &cases[&smallest], times),
            })
        })
    });
    rows.collect()
}

/// How much faster `to` of `cases` is than `from`; `None` if they share no round.
pub(crate) fn speedup_between(
    pairing: Pairing,
    runs: &[RunRecord],
    system: System,
    [from, to]: [u16; 2],
) -> Option<ExperiencedSpeedup> {
    let mut cases = BTreeMap::new();
    for run in runs.iter().filter(|run| run.system == system) {
        if let Some(times) = times_of(run) {
            add(&mut cases, pairing, run, &times);
        }
    }
    speedup(pairing, from, cases.get(&from)?, cases.get(&to)?)
}

/// The mean times of both cases over every round that was made, also of rounds in which only one of them ran; `None` if a
/// case has no time.
pub(crate) fn made(
    pairing: Pairing,
    runs: &[RunRecord],
    system: System,
    [from, to]: [u16; 2],
) -> Option<MadeRatio> {
    let mut cases = BTreeMap::new();
    for run in runs.iter().filter(|run| run.system == system) {
        if let Some(times) = times_of(run) {
            add(&mut cases, pairing, run, &times);
        }
    }
    let longest = mean_by_spells(&stretches(runs, system, to));
    MadeRatio::of(&totals(cases.get(&from)?), &totals(cases.get(&to)?), longest)
}

/// The times of a case in the order in which they were made. Attempts at one run follow each other at once; other boots are
/// between those of two rounds.
fn stretches(runs: &[RunRecord], system: System, case: u16) -> Stretches {
    let mut stretches = Stretches::new();
    let mut before = None;
    for run in runs.iter().filter(|run| run.system == system) {
        let Some(times) = times_of(run) else { continue };
        let excluded = excluded_iterations(run);
        let made = times.times().iter().filter(|time| time.case == case).map(|time| MadeTime {
            time: time.cycles.0 as f64,
            excluded: excluded.as_ref().is_none_or(|excluded| excluded.contains(&time.iteration)),
            counts: run.excluded.is_none(),
        });
        let made: Vec<MadeTime> = made.collect();
        if made.is_empty() {
            continue;
        }
        match stretches.last_mut().filter(|_| before == Some((run.round, run.run))) {
            Some(stretch) => stretch.extend(made),
            None => stretches.push(made),
        }
        before = Some((run.round, run.run + 1));
    }
    stretches
}

/// The iterations of a run that evidence excludes; `None` if the gate refused the whole run for what the host did.
fn excluded_iterations(run: &RunRecord) -> Option<BTreeSet<u16>> {
    let samples = run.verdict.outcome.measurement()?.samples();
    let excluded = samples.iter().filter(|sample| sample.excluded.is_some());
    Some(excluded.map(|sample| sample.iteration).collect())
}

/// The times of a run that passed, or that the gate refused only for what the host did.
fn times_of(run: &RunRecord) -> Option<Experienced> {
    let outcome = &run.verdict.outcome;
    outcome
        .measurement()
        .map(|measured| measured.experienced())
        .or_else(|| outcome.disturbed_times().cloned())
}

fn has_times(run: &RunRecord) -> bool {
    let outcome = &run.verdict.outcome;
    outcome.measurement().is_some() || outcome.disturbed_times().is_some()
}

fn add(cases: &mut BTreeMap<u16, Times>, pairing: Pairing, run: &RunRecord, times: &Experienced) {
    let mut of_run: BTreeMap<u16, usize> = BTreeMap::new();
    for time in times.times() {
        let case = cases.entry(time.case).or_default();
        let round = pairing.round(run.round, time.iteration);
        case.cycles.entry(round).or_default().push(time.cycles.0 as f64);
        case.nanos.extend(times.khz().and_then(|khz| time.cycles.nanos(khz)).map(|nanos| nanos.0 as f64));
        of_run.entry(time.case).or_default();
    }
    if let Some(measured) = run.verdict.outcome.measurement().filter(|_| run.excluded.is_none()) {
        for sample in measured.samples().iter().filter(|sample| sample.excluded.is_none()) {
            *of_run.entry(sample.case).or_default() += 1;
        }
    }
    for (case, counted) in of_run {
        let case = cases.entry(case).or_default();
        case.runs += 1;
        case.runs_counted += usize::from(counted > 0);
        case.iterations_counted += counted;
    }
}

/// How many runs of a case have no time. A run that did not say which cases it had counts for each.
fn without_time(runs: &[RunRecord], system: System, case: u16) -> usize {
    let of_case = runs.iter().filter(|run| run.system == system && run.case.is_none_or(|of| of == case));
    of_case.filter(|run| !has_times(run)).count()
}

fn speedup(pairing: Pairing, from_case: u16, from: &Times, to: &Times) -> Option<ExperiencedSpeedup> {
    let medians = PairedRatio::of(&by_round(from, median), &by_round(to, median))?;
    Some(ExperiencedSpeedup {
        against: from_case,
        scope: pairing.scope(),
        median: medians.median,
        interval: medians.interval,
        by_mean: MeanRatio::of(&linear(&totals(from)), &linear(&totals(to)))?,
    })
}

/// One figure for each round: of all iterations of its boot.
fn by_round(times: &Times, figure: fn(Vec<f64>) -> Option<f64>) -> ByRound {
    times.cycles.iter().filter_map(|(&round, values)| Some((round, figure(values.clone())?))).collect()
}

/// All times of each round, those of every attempt.
fn totals(times: &Times) -> Totals {
    times.cycles.iter().map(|(&round, values)| (round, Total::of(values))).collect()
}

fn all(cycles: &BTreeMap<Round, Vec<f64>>) -> Vec<f64> {
    cycles.values().flatten().copied().collect()
}
