//! Samples by case and round, their summaries, and speed-ups paired by round.

use std::collections::BTreeMap;

use abi::sweep::SweepCase;
use evidence::gate::{Basis, FunctionalOnly, Measurement, Scaling, Verdict};
use serde::{Deserialize, Serialize};
use stats::{
    ByRound, Interval, PairedRatio, Round, Summary, lower_quartile, median, median_interval, quotients,
};

use crate::times::{Figure, Times};

/// What a round is: the set of samples that are compared with each other.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Pairing {
    /// Runs with the same round number. Several iterations in one run are no rounds by themselves, since they share
    /// its luck; their lower quartile counts.
    Runs,
    /// Iterations with the same number in the only run, which has all the cases. They share its luck too, so that they
    /// show something of this boot, and nothing of others.
    Iterations,
}

/// What an interval is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Boots of this experiment: each round has its own.
    AcrossBoots,
    /// The only boot there is.
    WithinBoot,
}

impl Scope {
    /// The word for it in results.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AcrossBoots => "across-boots",
            Self::WithinBoot => "within-boot",
        }
    }
}

impl Pairing {
    /// What its intervals are about.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::Runs => Scope::AcrossBoots,
            Self::Iterations => Scope::WithinBoot,
        }
    }

    /// What a round of these boots is: an iteration if there is only one boot with times, and it has several cases.
    #[must_use]
    pub fn of<'v>(verdicts: impl IntoIterator<Item = &'v Verdict<Measurement>>) -> Self {
        let mut boots = verdicts.into_iter().map(|verdict| cases(verdict).len()).filter(|&cases| cases > 0);
        match (boots.next(), boots.next()) {
            (Some(2..), None) => Self::Iterations,
            _ => Self::Runs,
        }
    }

    /// The round that an iteration of a run belongs to.
    pub(crate) const fn round(self, round: u32, iteration: u16) -> Round {
        match self {
            Self::Runs => (round, 0),
            Self::Iterations => (round, iteration),
        }
    }
}

/// The samples of an experiment that may be counted.
#[derive(Clone, Debug, Default)]
pub struct Series {
    scope: Option<Scope>,
    /// Whether each worker does the whole: then the ratio of times is the efficiency.
    weak: bool,
    cases: BTreeMap<u16, CaseSeries>,
}

#[derive(Clone, Debug, Default)]
struct CaseSeries {
    cycles: Times,
    /// Only if the frequency is known.
    nanos: Times,
    longest_worker: bool,
    smt: bool,
    functional_only: Option<FunctionalOnly>,
}

/// A case, summed up.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CaseStats {
    /// The case, named by how many workers it has.
    pub case: u16,
    /// Its label: `smp4`, or `smp8-smt` if workers shared cores.
    pub label: String,
    /// Whether workers shared cores: a diagnostic, never core scaling.
    pub smt: bool,
    /// Its times in TSC cycles, one for each round.
    pub cycles: Summary,
    /// The same in nanoseconds, if every round's frequency is known.
    pub nanos: Option<Summary>,
    /// What its times are; `longest-worker` if any of them is.
    pub basis: Basis,
    /// Set if the guest had more CPUs than the host.
    pub functional_only: Option<FunctionalOnly>,
    /// How much faster it is than the smallest case; `None` if they share no round.
    pub speedup: Option<Speedup>,
}

/// How much faster a case is than another, by rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Speedup {
    /// The other case.
    pub against: u16,
    /// What the interval is about.
    pub scope: Scope,
    /// The other's time divided by the case's, for each round that both have, in the order of the rounds.
    pub ratios: Vec<f64>,
    /// Their median.
    pub median: f64,
    /// The interval of the median; none for fewer than five rounds.
    pub interval: Option<Interval>,
    /// The median as a part of what as many times the workers could reach; in weak scaling that is the same time.
    pub efficiency: f64,
    /// The same by the median of each boot's iterations; `None` if each boot has one.
    pub iterations_median: Option<MedianOfIterations>,
}

/// A speed-up by the median of each boot's undisturbed iterations. The lower quartile, which gives a boot its one time,
/// does not show what befalls as many as three quarters of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MedianOfIterations {
    /// Its median over the rounds.
    pub median: f64,
    /// The interval of the median; none for fewer than five rounds.
    pub interval: Option<Interval>,
}

impl Series {
    /// Sorts the samples of `measured`, each with the number of its round.
    #[must_use]
    pub fn new<'m>(pairing: Pairing, measured: impl IntoIterator<Item = (u32, &'m Measurement)>) -> Self {
        let mut series = Self { scope: Some(pairing.scope()), ..Self::default() };
        for (round, measurement) in measured {
            let khz = measurement.clock().tsc.as_ref().map(|tsc| tsc.khz);
            series.weak |= measurement.identity().scaling == Some(Scaling::Weak);
            for sample in measurement.samples().iter().filter(|sample| sample.excluded.is_none()) {
                let key = pairing.round(round, sample.iteration);
                let case = series.cases.entry(sample.case).or_default();
                case.cycles.push(key, sample.cycles.0 as f64);
                if let Some(nanos) = khz.and_then(|khz| sample.cycles.nanos(khz)) {
                    case.nanos.push(key, nanos.0 as f64);
                }
                case.smt |= sample.smt;
                case.longest_worker |= sample.basis == Basis::LongestWorker;
                case.functional_only = case.functional_only.or(measurement.functional_only());
            }
        }
        for case in series.cases.values_mut() {
            case.cycles.sort();
            case.nanos.sort();
        }
        series
    }

    /// Every case, summed up, from the smallest on.
    #[must_use]
    pub fn stats(&self) -> Vec<CaseStats> {
        let smallest = self.cases.keys().next().copied();
        self.cases.iter().filter_map(|(&case, series)| self.case_stats(smallest?, case, series)).collect()
    }

    /// The cases, from the smallest on.
    #[must_use]
    pub fn cases(&self) -> Vec<u16> {
        self.cases.keys().copied().collect()
    }

    /// How many rounds a case has.
    #[must_use]
    pub fn rounds(&self, case: u16) -> usize {
        self.cases.get(&case).map_or(0, |series| series.cycles.rounds().count())
    }

    /// Whether workers of a case shared cores.
    #[must_use]
    pub fn smt(&self, case: u16) -> bool {
        self.cases.get(&case).is_some_and(|case| case.smt)
    }

    /// Whether a case is functional only.
    #[must_use]
    pub fn functional_only(&self, case: u16) -> Option<FunctionalOnly> {
        self.cases.get(&case)?.functional_only
    }

    /// How much faster `to` is than `from`, in each round that has both.
    #[must_use]
    pub fn speedups(&self, from: u16, to: u16) -> ByRound {
        quotients(&self.times(from, lower_quartile), &self.times(to, lower_quartile))
    }

    /// The time of a case in each round, in cycles: the lower quartile of the boot's iterations.
    #[must_use]
    pub fn lower_quartiles(&self, case: u16) -> ByRound {
        self.times(case, lower_quartile)
    }

    /// One time for each round of a case.
    fn times(&self, case: u16, figure: Figure) -> ByRound {
        self.cases.get(&case).map(|series| series.cycles.by_round(figure)).unwrap_or_default()
    }

    /// The speed-up by the median of each boot's iterations, if any boot has several.
    fn iterations_median(&self, from: u16, to: u16) -> Option<MedianOfIterations> {
        let of_case = |case: &u16| self.cases.get(case).into_iter().flat_map(|series| series.cycles.rounds());
        if !([from, to].iter().flat_map(of_case).any(|(_, times)| times.len() > 1)) {
            return None;
        }
        let ratio = PairedRatio::of(&self.times(from, median), &self.times(to, median))?;
        Some(MedianOfIterations { median: ratio.median, interval: ratio.interval })
    }

    /// The values of [`Self::speedups`], without a map of each side.
    fn ratios(&self, from: u16, to: u16) -> Vec<f64> {
        let Some((from, to)) = self.cases.get(&from).zip(self.cases.get(&to)) else { return Vec::new() };
        let mut divisors = to.cycles.figures(lower_quartile).peekable();
        let of_round = |(round, time): (Round, f64)| {
            while divisors.next_if(|&(of, _)| of < round).is_some() {}
            divisors.next_if(|&(of, _)| of == round).map(|(_, divisor)| time / divisor)
        };
        from.cycles.figures(lower_quartile).filter_map(of_round).collect()
    }

    /// How much faster `to` is than `from`; `None` if they share no round.
    #[must_use]
    pub fn speedup(&self, from: u16, to: u16) -> Option<Speedup> {
        let ratios = self.ratios(from, to);
        let median = Summary::of(&ratios)?.median;
        Some(Speedup {
            against: from,
            scope: self.scope?,
            median,
            interval: median_interval(&ratios),
            efficiency: if self.weak { median } else { median * f64::from(from) / f64::from(to) },
            iterations_median: self.iterations_median(from, to),
            ratios,
        })
    }

    fn case_stats(&self, smallest: u16, case: u16, series: &CaseSeries) -> Option<CaseStats> {
        let values = |by: &Times| by.figures(lower_quartile).map(|(_, time)| time).collect::<Vec<f64>>();
        let cycles = Summary::of(&values(&series.cycles))?;
        let nanos = Summary::of(&values(&series.nanos)).filter(|nanos| nanos.n == cycles.n);
        let basis = if series.longest_worker { Basis::LongestWorker } else { Basis::Makespan };
        let speedup = self.speedup(smallest, case);
        let label = SweepCase { workers: case, smt: series.smt }.to_string();
        Some(CaseStats {
            case,
            label,
            smt: series.smt,
            cycles,
            nanos,
            basis,
            functional_only: series.functional_only,
            speedup,
        })
    }
}

/// The cases that a boot has times of, from the smallest on.
#[must_use]
pub fn cases(verdict: &Verdict<Measurement>) -> Vec<u16> {
    if let Some(measurement) = verdict.outcome.measurement() {
        return measurement.cases();
    }
    let times = verdict.outcome.disturbed_times().into_iter().flat_map(|times| times.times());
    let mut cases: Vec<u16> = times.map(|time| time.case).collect();
    cases.sort_unstable();
    cases.dedup();
    cases
}

impl Speedup {
    /// How many rounds reach `least`.
    #[must_use]
    pub fn at_least(&self, least: f64) -> usize {
        self.ratios.iter().filter(|&&ratio| ratio >= least).count()
    }
}
