//! What the neighbours took: the difference between the two figures of a speed-up, and what the host's accounts say.

use serde::Serialize;

use crate::experienced::ExperiencedSpeedup;
use crate::run_record::RunRecord;
use crate::series::Speedup;
use crate::system::System;

/// What the neighbours took of a speed-up, over all runs of a system.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Neighbours {
    /// The undisturbed median less the median as experienced.
    pub by_median: f64,
    /// The undisturbed median less the ratio of the mean times as experienced.
    pub by_mean: f64,
    /// How long vCPUs waited for a host CPU, by the scheduler; `None` if no run was watched.
    pub waited: Option<Taken>,
    /// How much the hypervisor under the host took from the CPU that lost most; `None` if it was not read.
    pub stolen: Option<Taken>,
}

/// Time that was taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Taken {
    /// How much, in ms.
    pub ms: u64,
    /// Of how much, in ms.
    pub of_ms: u64,
}

impl Neighbours {
    pub(crate) fn new(
        runs: &[RunRecord],
        system: System,
        undisturbed: &Speedup,
        experienced: &ExperiencedSpeedup,
    ) -> Self {
        let runs: Vec<&RunRecord> = runs.iter().filter(|run| run.system == system).collect();
        Self {
            by_median: undisturbed.median - experienced.median,
            by_mean: undisturbed.median - experienced.by_mean.ratio,
            waited: waited(&runs),
            stolen: stolen(&runs),
        }
    }
}

fn waited(runs: &[&RunRecord]) -> Option<Taken> {
    let delays: Vec<_> = runs.iter().flat_map(|run| &run.made.evidence.delays).collect();
    let millis = |nanos: u64| nanos / 1_000_000;
    (!delays.is_empty()).then(|| Taken {
        ms: millis(delays.iter().map(|delay| delay.delay_ns).fold(0, u64::saturating_add)),
        of_ms: millis(delays.iter().map(|delay| delay.wall_ns).fold(0, u64::saturating_add)),
    })
}

fn stolen(runs: &[&RunRecord]) -> Option<Taken> {
    let steals: Vec<_> = runs.iter().filter_map(|run| run.made.evidence.host_steal).collect();
    (!steals.is_empty()).then(|| Taken {
        ms: steals.iter().map(|steal| steal.stolen_ms).fold(0, u64::saturating_add),
        of_ms: steals.iter().map(|steal| steal.wall_ms).fold(0, u64::saturating_add),
    })
}
