//! The costs of the platform: what the histograms of a boot show. A row whose oracle failed has no number.

use abi::series::{SeriesClass, SeriesRow, Unavailable};
use abi::wire::record::{MechanismGrant, MechanismObject, MechanismProgram, MechanismStub, PlatformNote};
use serde::Serialize;

use super::reason::ReasonCode;

/// The rows of one boot.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlatformRows {
    /// How long each CPU looked for gaps, in ms.
    pub noise_ms: u32,
    /// Whether the plan made rows do less than they report. Then no series holds a figure.
    pub shortened: bool,
    /// What surrounded the rows; `None` only in a log that does not pass.
    pub note: Option<PlatformNote>,
    /// The series, in the order in which they were measured.
    pub series: Vec<PlatformSeries>,
    /// With what the rows of the mechanisms were measured; `None` if the plan asks for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanisms: Option<Mechanisms>,
}

/// The program, the authority profile and the stubs of the rows of the mechanisms.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mechanisms {
    /// The program of all tasks.
    pub program: Option<MechanismProgram>,
    /// The objects that were made for each row.
    pub objects: Vec<MechanismObject>,
    /// The handles of each task.
    pub grants: Vec<MechanismGrant>,
    /// The code of each operation.
    pub stubs: Vec<MechanismStub>,
}

/// A series: one row at one place.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlatformSeries {
    /// Its row and place.
    #[serde(flatten)]
    pub place: SeriesPlace,
    /// Its figures, or why it has none.
    #[serde(flatten)]
    pub state: SeriesState,
    /// Its histogram, if it has figures: in order, without empty buckets. The log has it, and results.json only its figures.
    #[serde(skip)]
    pub histogram: Box<[Bucket]>,
}

/// A bucket of a histogram: what one operation took, in ns, and how many samples took that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The least that falls into it.
    pub least: f64,
    /// The greatest that does.
    pub greatest: f64,
    /// How many samples did.
    pub count: u64,
}

/// Which series it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeriesPlace {
    /// The row.
    pub row: SeriesRow,
    /// The argument of the row.
    pub arg: u64,
    /// The CPU whose clock was read.
    pub cpu: u16,
    /// The other CPU, if there is one.
    pub peer: Option<u32>,
}

/// What became of a series. Only `passed` holds numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum SeriesState {
    /// Its oracle holds.
    Passed {
        /// The figures.
        figures: Figures,
    },
    /// Its oracle does not hold: the operations were not done as often, or not as they are, reported.
    Failed {
        /// Why.
        reason: ReasonCode,
        /// What differs.
        detail: String,
    },
    /// The samples are no times.
    Invalid {
        /// Why.
        reason: ReasonCode,
        /// What is wrong.
        detail: String,
    },
    /// The system or the machine has no such series.
    Unsupported {
        /// Why.
        why: Unavailable,
    },
}

/// The figures of a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Figures {
    /// How it was sampled. Percentiles of a batch row are of batch means.
    pub class: SeriesClass,
    /// The operations in a sample.
    pub n: u64,
    /// The number of samples.
    pub count: u64,
    /// The first warm-up, in ns.
    pub cold: f64,
    /// What one operation takes, in ns; of gaps, how long they are.
    pub costs: Costs,
    /// For gaps: the length of the window, in ns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<f64>,
}

/// Percentiles and moments, in ns. Those between the least and the greatest are exact to a bucket, 1/64 of their value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Costs {
    /// The least.
    pub min: f64,
    /// The median.
    pub median: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The greatest.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub sd: f64,
}

impl PlatformRows {
    /// The series of a row, in order.
    pub fn of(&self, row: SeriesRow) -> impl Iterator<Item = &PlatformSeries> {
        self.series.iter().filter(move |series| series.place.row == row)
    }

    /// The series that did not pass although the system has them.
    pub fn failed(&self) -> impl Iterator<Item = (&SeriesPlace, ReasonCode, &str)> {
        self.series.iter().filter_map(|series| match &series.state {
            SeriesState::Failed { reason, detail } | SeriesState::Invalid { reason, detail } => {
                Some((&series.place, *reason, detail.as_str()))
            }
            SeriesState::Passed { .. } | SeriesState::Unsupported { .. } => None,
        })
    }
}

impl PlatformSeries {
    /// Its figures, if it passed.
    #[must_use]
    pub const fn figures(&self) -> Option<&Figures> {
        match &self.state {
            SeriesState::Passed { figures } => Some(figures),
            _ => None,
        }
    }
}

impl std::fmt::Display for SeriesPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.row)?;
        if !self.row.spec().arg.is_empty() {
            write!(f, " {}", self.arg)?;
        }
        write!(f, " on CPU {}", self.cpu)?;
        self.peer.map_or(Ok(()), |peer| write!(f, " with CPU {peer}"))
    }
}

/// A histogram as its records have it, in cycles.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogram {
    /// Buckets that are not empty, in order: the least and the greatest value, and how many samples.
    pub buckets: Vec<(u64, u64, u64)>,
    pub min: u64,
    pub max: u64,
    pub sum: u64,
    pub count: u64,
}

impl Histogram {
    /// The costs of one of `n` operations, in ns at `khz`.
    pub fn costs(&self, n: u64, khz: u64) -> Costs {
        let ns = |cycles: f64| nanos(cycles, khz) / ratio(n.max(1));
        let mean = if self.count == 0 { 0.0 } else { ratio(self.sum) / ratio(self.count) };
        Costs {
            min: ns(ratio(self.min)),
            median: ns(self.percentile(500)),
            p95: ns(self.percentile(950)),
            p99: ns(self.percentile(990)),
            max: ns(ratio(self.max)),
            mean: ns(mean),
            sd: ns(self.deviation(mean)),
        }
    }

    /// The buckets, for one of `n` operations, in ns at `khz`.
    pub fn in_nanos(&self, n: u64, khz: u64) -> Box<[Bucket]> {
        let ns = |cycles: u64| nanos(ratio(cycles), khz) / ratio(n.max(1));
        let buckets = self.buckets.iter().map(|&(least, greatest, count)| Bucket {
            least: ns(least.max(self.min)),
            greatest: ns(greatest.min(self.max)),
            count,
        });
        buckets.collect()
    }

    /// The sample below which `per_mille` thousandths of all are: the middle of its bucket, inside the range.
    fn percentile(&self, per_mille: u64) -> f64 {
        let rank = self.count.saturating_mul(per_mille) / 1000;
        let mut below = 0;
        let found = self.buckets.iter().find(|(_, _, count)| {
            below += count;
            below > rank
        });
        let found = found.or(self.buckets.last());
        found.map_or(0.0, |&(least, greatest, _)| middle(least.max(self.min), greatest.min(self.max)))
    }

    /// The standard deviation, with each sample in the middle of its bucket.
    fn deviation(&self, mean: f64) -> f64 {
        if self.count < 2 {
            return 0.0;
        }
        let squares = self.buckets.iter().map(|&(least, greatest, count)| {
            let from_mean = middle(least.max(self.min), greatest.min(self.max)) - mean;
            from_mean * from_mean * ratio(count)
        });
        (squares.sum::<f64>() / ratio(self.count - 1)).sqrt()
    }
}

fn middle(least: u64, greatest: u64) -> f64 {
    f64::midpoint(ratio(least), ratio(greatest))
}

/// Cycles as nanoseconds.
pub(super) fn nanos(cycles: f64, khz: u64) -> f64 {
    cycles * 1_000_000.0 / ratio(khz.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "52 bits are far more than a sample has digits")]
pub(super) const fn ratio(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use abi::series::{bounds, bucket};
    use proptest::prelude::*;

    use super::*;

    fn of(samples: &[u64]) -> Histogram {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable();
        let same = sorted.chunk_by(|a, b| bucket(*a) == bucket(*b));
        let buckets = same.map(|same| {
            let (least, greatest) = bounds(bucket(same[0])).unwrap();
            (least, greatest, same.len() as u64)
        });
        Histogram {
            buckets: buckets.collect(),
            min: sorted[0],
            max: *sorted.last().unwrap(),
            sum: sorted.iter().sum(),
            count: sorted.len() as u64,
        }
    }

    #[test]
    fn a_batch_is_divided_by_its_operations() {
        let costs = of(&[1000, 1000, 1000]).costs(10, 1_000_000);
        assert_eq!(
            (costs.min, costs.median, costs.max, costs.mean, costs.sd),
            (100.0, 100.0, 100.0, 100.0, 0.0)
        );
    }

    proptest! {
        #[test]
        fn figures_are_those_of_the_samples_to_a_64th(
            samples in prop::collection::vec(1_u64..1 << 40, 2..300)
        ) {
            let costs = of(&samples).costs(1, 1_000_000);
            let mut sorted = samples.clone();
            sorted.sort_unstable();
            let near = |found: f64, exact: f64, by: f64| (found - exact).abs() <= exact / 64.0 + by;
            for (found, per_mille) in [(costs.median, 500), (costs.p95, 950), (costs.p99, 990)] {
                let exact = ratio(sorted[sorted.len() * per_mille / 1000]);
                prop_assert!(near(found, exact, 0.5), "{found} {exact}");
            }
            let mean = samples.iter().map(|&sample| ratio(sample)).sum::<f64>() / ratio(samples.len() as u64);
            prop_assert!(near(costs.mean, mean, 1.0));
            let squares = samples.iter().map(|&sample| (ratio(sample) - mean).powi(2)).sum::<f64>();
            let sd = (squares / ratio(samples.len() as u64 - 1)).sqrt();
            prop_assert!(near(costs.sd, sd, costs.max / 64.0), "{} {sd}", costs.sd);
        }
    }
}
