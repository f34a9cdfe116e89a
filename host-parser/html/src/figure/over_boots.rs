//! The rows of the platform over the boots that count: each figure is the median of the boots' figures.

use std::collections::BTreeMap;

use abi::series::SeriesRow;
use evidence::gate::{Bucket, Costs, Figures, SeriesPlace};
use results::{Results, System};
use stats::{ByRound, median};

/// The figures of one row at one place on one system, a boot each.
#[derive(Clone, Debug, Default)]
pub struct OverBoots<'r> {
    /// By the round of the boot.
    boots: Vec<(u32, &'r Figures, &'r [Bucket])>,
}

/// The places that have a figure, by system.
pub type Places<'r> = BTreeMap<(SeriesPlace, System), OverBoots<'r>>;

/// Every place that has a figure, of the runs that count.
#[must_use]
pub fn places(results: &Results) -> Places<'_> {
    let mut places = Places::new();
    for run in results.runs.iter().filter(|run| run.excluded.is_none()) {
        let platform = run.verdict.outcome.measurement().and_then(|measured| measured.platform());
        for series in platform.iter().flat_map(|platform| &platform.series) {
            if let Some(figures) = series.figures() {
                let over = places.entry((series.place, run.system)).or_default();
                over.boots.push((run.round, figures, &series.histogram));
            }
        }
    }
    places
}

impl OverBoots<'_> {
    /// The median over the boots of one of their costs, in ns.
    pub fn cost(&self, of: fn(&Costs) -> f64) -> f64 {
        median(self.boots.iter().map(|(_, figures, _)| of(&figures.costs))).unwrap_or(0.0)
    }

    /// The medians by boot, in ns.
    pub fn medians(&self) -> ByRound {
        self.boots.iter().map(|(round, figures, _)| ((*round, 0), figures.costs.median)).collect()
    }

    /// How many samples all boots have.
    pub fn samples(&self) -> u64 {
        self.boots.iter().map(|(_, figures, _)| figures.count).sum()
    }

    /// The buckets of all boots.
    pub fn buckets(&self) -> impl Iterator<Item = &Bucket> {
        self.boots.iter().flat_map(|(_, _, buckets)| *buckets)
    }
}

/// A place without its CPU: `mem_lat_4k 32K`.
#[must_use]
pub fn row_name(place: &SeriesPlace) -> String {
    match place.row {
        row if row.spec().arg.is_empty() => row.to_string(),
        row @ (SeriesRow::HltWake | SeriesRow::TimerSpin | SeriesRow::TimerHalt) => {
            format!("{row} {} us", place.arg)
        }
        row @ (SeriesRow::MemLat4k | SeriesRow::MemLat2m) if place.arg >= 1 << 20 => {
            format!("{row} {}M", place.arg >> 20)
        }
        row @ (SeriesRow::MemLat4k | SeriesRow::MemLat2m) => format!("{row} {}K", place.arg >> 10),
        row => format!("{row} {}", place.arg),
    }
}

/// The CPUs of a place: `0`, or `0>1`.
#[must_use]
pub fn cpus(place: &SeriesPlace) -> String {
    let peer = place.peer.map(|peer| format!(">{peer}")).unwrap_or_default();
    format!("{}{peer}", place.cpu)
}
