//! What it takes to get to the result: the time of the boot, memory, size of the image; by system and case.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{BootCost, RunRecord, System};
use stats::{ByRound, PairedRatio, Summary};

/// What the runs of one system and case took beside their workers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CostRow {
    /// The system.
    pub system: System,
    /// The case.
    pub case: u16,
    /// [`BootCost::first_serial_us`].
    pub first_serial_us: Option<Figure>,
    /// [`BootCost::first_worker_us`].
    pub first_worker_us: Option<Figure>,
    /// [`BootCost::end_record_us`].
    pub end_record_us: Option<Figure>,
    /// [`BootCost::peak_rss_bytes`].
    pub peak_rss_bytes: Option<Figure>,
    /// [`BootCost::image_bytes`].
    pub image_bytes: Option<Figure>,
}

/// A figure over the rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Figure {
    /// Summed up.
    #[serde(flatten)]
    pub summary: Summary,
    /// As a part of the Linux guest's in the same rounds, if there is one to compare with.
    pub to_linux: Option<PairedRatio>,
}

/// The figures of a system and case, by round.
type Costs = BTreeMap<(System, u16), BTreeMap<u32, BootCost>>;

/// The rows of the runs that passed. `comparable` says whether systems may be divided by each other.
pub(crate) fn costs(runs: &[&RunRecord], comparable: bool) -> Vec<CostRow> {
    let mut costs = Costs::new();
    for run in runs.iter().filter(|run| run.verdict.outcome.measurement().is_some()) {
        if let (Some(case), Some(boot)) = (run.case, run.made.boot) {
            costs.entry((run.system, case)).or_default().insert(run.round, boot);
        }
    }
    let keys: BTreeSet<(System, u16)> = costs.keys().copied().collect();
    keys.into_iter().map(|(system, case)| row(&costs, system, case, comparable)).collect()
}

fn row(costs: &Costs, system: System, case: u16, comparable: bool) -> CostRow {
    let figure = |of: fn(&BootCost) -> Option<u64>| {
        let by_round = |system| -> ByRound {
            let runs = costs.get(&(system, case)).into_iter().flatten();
            runs.filter_map(|(&round, cost)| Some(((round, 0), of(cost)? as f64))).collect()
        };
        let ours = by_round(system);
        let summary = Summary::of(&ours.values().copied().collect::<Vec<f64>>())?;
        let to_linux = (comparable && system != System::Linux)
            .then(|| PairedRatio::of(&ours, &by_round(System::Linux)))
            .flatten();
        Some(Figure { summary, to_linux })
    };
    CostRow {
        system,
        case,
        first_serial_us: figure(|cost| cost.first_serial_us),
        first_worker_us: figure(|cost| cost.first_worker_us),
        end_record_us: figure(|cost| cost.end_record_us),
        peak_rss_bytes: figure(|cost| cost.peak_rss_bytes),
        image_bytes: figure(|cost| cost.image_bytes),
    }
}
