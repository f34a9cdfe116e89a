//! Whether the clock can be believed.

use super::{Run, exceeds, limits};
use crate::gate::facts::Iteration;
use crate::gate::reason::ReasonCode;
use crate::gate::rules::Known;

/// Judges the clock: its frequency, the CPUs against each other, and the common start.
pub(in crate::gate) fn clock(run: &mut Run<'_>, known: Option<&Known>) {
    frequency(run, known);
    for iteration in &run.facts.iterations {
        in_step(run, iteration);
        late(run, iteration);
    }
}

fn frequency(run: &mut Run<'_>, known: Option<&Known>) {
    let Some(tsc) = run.facts.tsc else { return };
    if tsc.is.khz == 0 {
        run.add(ReasonCode::InconsistentRecord, tsc.line, "a frequency of 0 kHz");
        return;
    }
    let far = |khz: u64| apart_ppm(khz, tsc.is.khz) > limits::TSC_SPREAD_PPM;
    let readings = run.facts.readings.iter().filter(|reading| far(reading.is.khz));
    let mut details: Vec<_> = readings
        .map(|reading| (reading.line, format!("{} says {} kHz", reading.is.source, reading.is.khz)))
        .collect();
    if details.is_empty() && u64::from(tsc.is.spread_ppm) > limits::TSC_SPREAD_PPM {
        details.push((tsc.line, format!("the sources are {} ppm apart", tsc.is.spread_ppm)));
    }
    if let Some(khz) = known.and_then(|known| known.khz).filter(|&khz| far(khz)) {
        details.push((tsc.line, format!("an earlier run had {khz} kHz")));
    }
    for (line, detail) in details {
        run.add(ReasonCode::TscDisagree, line, format!("{detail}, in use are {} kHz", tsc.is.khz));
    }
}

/// How far `a` is from `b`, in parts per million of `b`, which is not 0.
fn apart_ppm(a: u64, b: u64) -> u64 {
    let ppm = u128::from(a.abs_diff(b)) * 1_000_000 / u128::from(b);
    u64::try_from(ppm).unwrap_or(u64::MAX)
}

fn in_step(run: &mut Run<'_>, iteration: &Iteration) {
    let shortest = iteration.workers.values().filter_map(|worker| Some(worker.timing?.is.cycles)).min();
    let (Some(warp), Some(shortest)) = (run.facts.warp, shortest) else { return };
    let reported = run.findings.has(ReasonCode::TscUnsynchronised);
    if !reported && iteration.case > 1 && exceeds(warp.is.max_warp, limits::WARP_PER_MILLE, shortest) {
        let detail = format!(
            "the clocks are {} cycles apart, the shortest worker of case {} took {shortest}",
            warp.is.max_warp, iteration.case
        );
        run.add(ReasonCode::TscUnsynchronised, warp.line, detail);
    }
}

fn late(run: &mut Run<'_>, iteration: &Iteration) {
    // With more vCPUs than host CPUs somebody is late by nature, and nothing is claimed.
    if run.evidence.functional_only(Some(run.facts.online())).is_some() || iteration.case == 1 {
        return;
    }
    let khz = run.facts.tsc.map(|tsc| tsc.is.khz);
    let floor = khz.map_or(limits::LATE_CYCLES, |khz| khz.saturating_mul(limits::LATE_MICROS) / 1_000);
    for timing in iteration.workers.values().filter_map(|worker| worker.timing) {
        let (skew, cycles) = (timing.is.skew, timing.is.cycles);
        if skew > floor && exceeds(skew, limits::LATE_PER_MILLE, cycles) {
            let detail = format!(
                "worker {} of case {} began {skew} cycles late and took {cycles}",
                timing.is.worker, timing.is.case
            );
            run.add(ReasonCode::LateStart, timing.line, detail);
        }
    }
}
