//! As experienced: the figures of every run and iteration that was made, nothing left out.
//!
//! Owns the second of the two figures that every result has. Excluded rounds and iterations are in it, and so are runs
//! that the gate refused only because the host disturbed them. A run without any time (it crashed, or timed out) has
//! none here either; such runs are counted beside the figure. Every attempt at a run that was made again is in it, with
//! the weight of any other.

use std::collections::{BTreeMap, BTreeSet};

use evidence::gate::{Experienced, ExperiencedTime, Measurement, limits};
use serde::Serialize;
use stats::{
    ByRound, Interval, MadeRatio, MadeTime, MeanRatio, PairedRatio, Stretches, Summary, Total, Totals,
    linear, mean_by_spells, median,
};

use crate::run_record::RunRecord;
use crate::series::{Pairing, Scope};
use crate::system::System;
use crate::times::Times;

/// A case of one system as its user experienced it, and how much of it counts as undisturbed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
struct OfCase {
    /// In cycles.
    cycles: Times,
    nanos: Vec<f64>,
    runs: usize,
    runs_counted: usize,
    iterations_counted: usize,
}

/// Every case of every system that has a time, in the order of rows.
pub(crate) fn experienced(pairing: Pairing, runs: &[RunRecord]) -> Vec<ExperiencedCase> {
    let mut cases: BTreeMap<System, BTreeMap<u16, OfCase>> = BTreeMap::new();
    for run in runs {
        if has_times(run) {
            add(cases.entry(run.system).or_default(), pairing, run);
        }
    }
    let mut nanos = BTreeMap::new();
    for (&system, cases) in &mut cases {
        for (&case, times) in cases {
            times.cycles.sort();
            // The list is not kept beside what follows.
            nanos.insert((system, case), Summary::of(&std::mem::take(&mut times.nanos)));
        }
    }
    let nanos = &nanos;
    let rows = cases.iter().flat_map(|(&system, cases)| {
        let smallest = cases.keys().next().copied().unwrap_or_default();
        cases.iter().filter_map(move |(&case, times)| {
            let cycles = Summary::of(&times.cycles.all().collect::<Vec<f64>>())?;
            Some(ExperiencedCase {
                system,
                case,
                runs: times.runs,
                runs_counted: times.runs_counted,
                runs_without_time: without_time(runs, system, case),
                iterations: cycles.n,
                iterations_counted: times.iterations_counted,
                nanos: nanos[&(system, case)].filter(|nanos| nanos.n == cycles.n),
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
        add(&mut cases, pairing, run);
    }
    sort(&mut cases);
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
        add(&mut cases, pairing, run);
    }
    sort(&mut cases);
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
    outcome.measurement().map(Measurement::experienced).or_else(|| outcome.disturbed_times().cloned())
}

fn has_times(run: &RunRecord) -> bool {
    let outcome = &run.verdict.outcome;
    outcome.measurement().is_some() || outcome.disturbed_times().is_some()
}

fn add(cases: &mut BTreeMap<u16, OfCase>, pairing: Pairing, run: &RunRecord) {
    let outcome = &run.verdict.outcome;
    let Some(measured) = outcome.measurement() else {
        let Some(times) = outcome.disturbed_times() else { return };
        for &time in times.times() {
            add_time(cases, pairing, run, times.khz(), time);
        }
        let all: BTreeSet<u16> = times.times().iter().map(|time| time.case).collect();
        return all.into_iter().for_each(|case| cases.entry(case).or_default().runs += 1);
    };
    let khz = measured.clock().tsc.as_ref().map(|tsc| tsc.khz);
    for time in measured.experienced_times() {
        add_time(cases, pairing, run, khz, time);
    }
    for case in measured.cases() {
        let of_case = measured.samples().iter().filter(|sample| sample.case == case);
        let counted = of_case.filter(|sample| sample.excluded.is_none() && run.excluded.is_none()).count();
        let case = cases.entry(case).or_default();
        case.runs += 1;
        case.runs_counted += usize::from(counted > 0);
        case.iterations_counted += counted;
    }
}

fn add_time(
    cases: &mut BTreeMap<u16, OfCase>,
    pairing: Pairing,
    run: &RunRecord,
    khz: Option<u64>,
    time: ExperiencedTime,
) {
    let case = cases.entry(time.case).or_default();
    case.cycles.push(pairing.round(run.round, time.iteration), time.cycles.0 as f64);
    case.nanos.extend(khz.and_then(|khz| time.cycles.nanos(khz)).map(|nanos| nanos.0 as f64));
}

fn sort(cases: &mut BTreeMap<u16, OfCase>) {
    cases.values_mut().for_each(|times| times.cycles.sort());
}

/// How many runs of a case have no time. A run that did not say which cases it had counts for each.
fn without_time(runs: &[RunRecord], system: System, case: u16) -> usize {
    let of_case = runs.iter().filter(|run| run.system == system && run.case.is_none_or(|of| of == case));
    of_case.filter(|run| !has_times(run)).count()
}

fn speedup(pairing: Pairing, from_case: u16, from: &OfCase, to: &OfCase) -> Option<ExperiencedSpeedup> {
    // The smallest case is compared with itself.
    let is_same = std::ptr::eq(from, to);
    let both = |figures: fn(&OfCase) -> ByRound| (figures(from), (!is_same).then(|| figures(to)));
    let (ours, theirs) = both(|times| times.cycles.by_round(median));
    let medians = PairedRatio::of(&ours, theirs.as_ref().unwrap_or(&ours))?;
    drop((ours, theirs));
    let (ours, theirs) = both(|times| linear(&totals(times)));
    Some(ExperiencedSpeedup {
        against: from_case,
        scope: pairing.scope(),
        median: medians.median,
        interval: medians.interval,
        by_mean: MeanRatio::of(&ours, theirs.as_ref().unwrap_or(&ours))?,
    })
}

/// All times of each round, those of every attempt.
fn totals(times: &OfCase) -> Totals {
    times.cycles.rounds().map(|(round, times)| (round, Total::of(times.iter().map(|time| time.1)))).collect()
}
