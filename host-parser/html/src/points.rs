//! Every time that was measured, as a point of a figure.

use std::collections::{BTreeMap, BTreeSet};

use evidence::gate::Exclusion;
use results::{Pairing, Results, RunRecord, System};
use stats::{Round, lower_quartile};

/// How long one iteration of one case took, and whether it counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// What ran the workers.
    pub system: System,
    /// The case, named by how many workers it has.
    pub case: u16,
    /// The run.
    pub run: u32,
    /// The round: that of the run, or the iteration if each iteration is a round.
    pub round: Round,
    /// The iteration.
    pub iteration: u16,
    /// Its time, in the unit of all points.
    pub time: f64,
    /// How much faster it is than the smallest case in its round; `None` if the round has no time of that.
    pub speedup: Option<f64>,
    /// Why it does not count: the code of a reason.
    pub excluded: Option<&'static str>,
}

/// The points of a session.
#[derive(Clone, Debug)]
pub struct Points {
    /// In the order in which they were measured.
    pub all: Vec<Point>,
    /// The unit of their times: `ms`, or `Mcycles` if the frequency of a clock is unknown.
    pub unit: &'static str,
}

/// One time, before it is known what it compares with.
struct Time {
    case: u16,
    iteration: u16,
    cycles: u64,
    khz: Option<u64>,
    excluded: Option<&'static str>,
}

impl Points {
    /// The points of these results.
    #[must_use]
    pub fn of(results: &Results) -> Self {
        let times: Vec<(&RunRecord, Vec<Time>)> = results.runs.iter().map(|run| (run, times(run))).collect();
        let known = times.iter().flat_map(|(_, times)| times).all(|time| time.khz.is_some_and(|khz| khz > 0));
        let unit = if known { "ms" } else { "Mcycles" };
        let pairing = results.experiment.pairing;
        let mut all: Vec<Point> = Vec::new();
        for (run, times) in times {
            all.extend(times.into_iter().map(|time| point(run, pairing, known, &time)));
        }
        let smallest = smallest(&all);
        for ((system, round), time) in bases(&all, &smallest) {
            let of_round = all.iter_mut().filter(|point| point.system == system && point.round == round);
            of_round.for_each(|point| point.speedup = Some(time / point.time));
        }
        Self { all, unit }
    }

    /// The systems, in the order of rows.
    #[must_use]
    pub fn systems(&self) -> Vec<System> {
        let systems: BTreeSet<System> = self.all.iter().map(|point| point.system).collect();
        systems.into_iter().collect()
    }

    /// The cases of all systems, from the smallest on.
    #[must_use]
    pub fn cases(&self) -> Vec<u16> {
        let cases: BTreeSet<u16> = self.all.iter().map(|point| point.case).collect();
        cases.into_iter().collect()
    }

    /// The reasons for which points do not count, and how many each has.
    #[must_use]
    pub fn reasons(&self) -> BTreeMap<&'static str, usize> {
        let mut reasons = BTreeMap::new();
        for reason in self.all.iter().filter_map(|point| point.excluded) {
            *reasons.entry(reason).or_default() += 1;
        }
        reasons
    }
}

/// The times of a run, excluded ones included; none if it has no times.
fn times(run: &RunRecord) -> Vec<Time> {
    let of_run = run.excluded.as_deref().map(code);
    if let Some(measured) = run.verdict.outcome.measurement() {
        let khz = measured.clock().tsc.as_ref().map(|tsc| tsc.khz);
        let samples = measured.samples().iter();
        return samples
            .map(|sample| {
                let excluded = of_run.or_else(|| sample.excluded.as_deref().map(code));
                let cycles = if excluded.is_some() { sample.experienced() } else { sample.cycles };
                Time { case: sample.case, iteration: sample.iteration, cycles: cycles.0, khz, excluded }
            })
            .collect();
    }
    let Some(times) = run.verdict.outcome.disturbed_times() else { return Vec::new() };
    let refused = run.verdict.outcome.refusal().map(|(reason, _)| reason.code());
    let excluded = of_run.or(refused);
    let of_time = times.times().iter().map(|time| Time {
        case: time.case,
        iteration: time.iteration,
        cycles: time.cycles.0,
        khz: times.khz(),
        excluded,
    });
    of_time.collect()
}

fn code(exclusion: &Exclusion) -> &'static str {
    exclusion.reason.code()
}

fn point(run: &RunRecord, pairing: Pairing, millis: bool, time: &Time) -> Point {
    // A time of 0 cycles is refused by the gate; here it must not make an infinite ratio.
    let cycles = time.cycles.max(1) as f64;
    let khz = time.khz.filter(|_| millis);
    Point {
        system: run.system,
        case: time.case,
        run: run.run,
        round: match pairing {
            Pairing::Runs => (run.round, 0),
            Pairing::Iterations => (run.round, time.iteration),
        },
        iteration: time.iteration,
        time: khz.map_or(cycles / 1e6, |khz| cycles / khz as f64),
        speedup: None,
        excluded: time.excluded,
    }
}

/// The smallest case of each system.
fn smallest(points: &[Point]) -> BTreeMap<System, u16> {
    let mut smallest = BTreeMap::new();
    for point in points {
        let case = smallest.entry(point.system).or_insert(point.case);
        *case = point.case.min(*case);
    }
    smallest
}

/// The time of the smallest case in each round of each system: the lower quartile of the iterations that count, or of all
/// that were made if none does.
fn bases(points: &[Point], smallest: &BTreeMap<System, u16>) -> BTreeMap<(System, Round), f64> {
    let mut times: BTreeMap<(System, Round), [Vec<f64>; 2]> = BTreeMap::new();
    for point in points.iter().filter(|point| smallest.get(&point.system) == Some(&point.case)) {
        let [counted, made] = times.entry((point.system, point.round)).or_default();
        made.push(point.time);
        counted.extend(point.excluded.is_none().then_some(point.time));
    }
    let base =
        |[counted, made]: [Vec<f64>; 2]| lower_quartile(if counted.is_empty() { made } else { counted });
    times.into_iter().filter_map(|(key, times)| Some((key, base(times)?))).collect()
}
