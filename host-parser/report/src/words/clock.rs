//! The guest's clocks, in words.

use std::num::NonZeroU64;

use abi::wire::record::{SecondClock, SecondSource};
use evidence::gate::Measurement;
use results::Results;

use super::sample;

/// The clock that counts the cycles.
pub(crate) fn clock(results: &Results) -> Option<String> {
    let clock = sample(results)?.clock();
    Some(match &clock.tsc {
        Some(tsc) => {
            let second = second_clock(clock.second.as_ref());
            let effective = effective_clock(results).unwrap_or_default();
            format!("TSC {}.{:03} MHz by {}, {second}{effective}", tsc.khz / 1000, tsc.khz % 1000, tsc.source)
        }
        None => "TSC of unknown frequency".to_owned(),
    })
}

/// The clocks at which the CPUs really ran workers, from the lowest to the highest, if they are known.
fn effective_clock(results: &Results) -> Option<String> {
    let measured = results.runs.iter().filter_map(|run| run.verdict.outcome.measurement());
    let workers = measured.flat_map(Measurement::samples).flat_map(|sample| &sample.workers);
    let clocks: Vec<u64> = workers.filter_map(|worker| worker.effective_khz).map(NonZeroU64::get).collect();
    let (lowest, highest) = clocks.iter().min().zip(clocks.iter().max())?;
    let (lowest, highest) = (lowest / 1_000, highest / 1_000);
    let clocks = if lowest == highest { lowest.to_string() } else { format!("{lowest} to {highest}") };
    Some(format!("; workers ran at {clocks} MHz"))
}

/// What the TSC was checked against in every iteration.
fn second_clock(second: Option<&SecondClock>) -> String {
    match second {
        Some(second) if second.independent => format!("checked against {}", second.source),
        Some(second) if second.source != SecondSource::None => {
            format!("checked against {}, which is derived from it", second.source)
        }
        _ => "TSC alone: no second clock".to_owned(),
    }
}
