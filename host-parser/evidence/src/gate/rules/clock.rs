//! Whether the clock is sound.

use abi::tsc::PLAUSIBLE_KHZ;
use abi::wire::record::{self, Offset, Tsc, TscSource};

use super::account::HostAccount;
use super::{Run, exceeds, limit_of, limits};
use crate::gate::facts::{At, Facts, Iteration};
use crate::gate::measurement::Cycles;
use crate::gate::reason::ReasonCode;
use crate::gate::rules::Known;
use crate::gate::sample::Basis;

/// Judges the clock: its frequency, whether the CPUs' clocks are in step, and the common start.
pub(in crate::gate) fn clock(run: &mut Run<'_>, known: Option<&Known>) {
    frequency(run, known);
    // Nearly no worker is late, and the account is of the whole boot.
    let mut host = None;
    for iteration in &run.facts.iterations {
        in_step(run, iteration);
        late(run, &mut host, iteration);
    }
}

fn frequency(run: &mut Run<'_>, known: Option<&Known>) {
    let Some(tsc) = run.facts.one::<Tsc>() else { return };
    if !PLAUSIBLE_KHZ.contains(&tsc.is.khz) {
        let detail = format!("`tsc` has a frequency of {} kHz, which no CPU has", tsc.is.khz);
        run.add(ReasonCode::InconsistentRecord, tsc.line, detail);
        return;
    }
    readings(run, tsc);
    let far = |khz: u64, limit: u64| apart_ppm(khz, tsc.is.khz) > limit;
    let limit = limits::TSC_SPREAD_PPM;
    let readings = run.facts.all::<record::TscReading>().filter(|reading| far(reading.is.khz, limit));
    let mut details: Vec<_> = readings
        .map(|reading| {
            (reading.line, format!("source {} has {} kHz", reading.is.source, reading.is.khz), limit)
        })
        .collect();
    let limit = limit_of_runs(tsc.is.source);
    if let Some(khz) = known.and_then(|known| known.khz).filter(|&khz| far(khz, limit)) {
        details.push((tsc.line, format!("an earlier run had {khz} kHz"), limit));
    }
    for (line, detail, limit) in details {
        run.add(
            ReasonCode::TscDisagree,
            line,
            format!("{detail}, but the frequency in use is {} kHz (limit {limit} ppm)", tsc.is.khz),
        );
    }
}

/// How far the frequency of another run may be, in parts per million, if this one's is by `source`.
const fn limit_of_runs(source: TscSource) -> u64 {
    match source {
        TscSource::Linux | TscSource::ClockMonotonic => limits::TSC_LINUX_PPM,
        _ => limits::TSC_SPREAD_PPM,
    }
}

/// Whether `tsc` agrees with the readings before it. A reading that is out of the plausible range does not count.
fn readings(run: &mut Run<'_>, tsc: At<Tsc>) {
    if !run.whole {
        return;
    }
    let Tsc { source, khz, sources, spread_ppm } = tsc.is;
    let readings =
        || run.facts.all::<record::TscReading>().map(|at| at.is).filter(|is| PLAUSIBLE_KHZ.contains(&is.khz));
    let (count, spread) =
        (readings().count(), readings().map(|is| apart_ppm(is.khz, khz)).max().unwrap_or(0));
    let listed = readings().any(|is| (is.source, is.khz) == (source, khz));
    let mut wrong = |detail: String| run.add(ReasonCode::InconsistentRecord, tsc.line, detail);
    if !listed {
        wrong(format!("`tsc` uses {khz} kHz of source {source}, but no `tsc-reading` has that"));
    }
    if count != usize::from(sources) {
        wrong(format!("`tsc` counts {sources} sources, but {count} have a `tsc-reading`"));
    }
    if spread != u64::from(spread_ppm) {
        wrong(format!("the readings are {spread} ppm apart, but `tsc` has {spread_ppm} ppm"));
    }
}

/// How far `a` is from `b`, in parts per million of `b`. `b` must not be 0.
fn apart_ppm(a: u64, b: u64) -> u64 {
    let ppm = u128::from(a.abs_diff(b)) * 1_000_000 / u128::from(b);
    u64::try_from(ppm).unwrap_or(u64::MAX)
}

fn in_step(run: &mut Run<'_>, iteration: &Iteration) {
    let shortest = iteration.workers.values().filter_map(|worker| Some(worker.timing?.is.cycles)).min();
    let (Some(warp), Some(shortest)) = (run.facts.one::<record::Warp>(), shortest) else { return };
    let reported = run.findings.has(ReasonCode::TscUnsynchronised);
    if !reported && iteration.case > 1 && exceeds(warp.is.max_warp, limits::WARP_PER_MILLE, shortest) {
        let detail = format!(
            "the clocks are {} cycles apart, the shortest worker of case {} took {shortest} cycles (limit {})",
            warp.is.max_warp,
            iteration.case,
            limit_of(limits::WARP_PER_MILLE, shortest, 0)
        );
        run.add(ReasonCode::TscUnsynchronised, warp.line, detail);
    }
}

/// Which time the clocks allow for a case. One worker reads one clock, so its makespan is always valid.
pub(in crate::gate) fn basis(facts: &Facts, case: u16) -> Basis {
    let in_step = facts.one::<record::Warp>().is_some_and(|warp| {
        warp.is.cpus >= case && warp.is.least >= limits::WARP_HANDOVERS && warp.is.max_warp == 0
    });
    let in_step = in_step && facts.all::<Offset>().all(|offset| is_small(&offset.is));
    if case == 1 || in_step { Basis::Makespan } else { Basis::LongestWorker }
}

/// Whether a CPU's clock cannot be far from CPU 0's, and may be in step with it.
fn is_small(offset: &Offset) -> bool {
    let far = offset.least_ns.unsigned_abs().max(offset.most_ns.unsigned_abs());
    offset.least_ns <= 0 && 0 <= offset.most_ns && far <= limits::OFFSET_MICROS * 1_000
}

/// A late start is the iteration's, as what the host does to it is: of a boot with several, the others count. If the host's
/// own account is as long, the host made it late.
fn late(run: &mut Run<'_>, host: &mut Option<HostAccount>, iteration: &Iteration) {
    if run.is_functional_only() || iteration.case == 1 {
        return;
    }
    let Some(khz) = run.facts.one::<Tsc>().map(|tsc| tsc.is.khz) else { return };
    let floor = khz.saturating_mul(limits::LATE_MICROS) / 1_000;
    for timing in iteration.workers.values().filter_map(|worker| worker.timing) {
        let (skew, cycles) = (timing.is.skew, timing.is.cycles);
        if skew > floor && exceeds(skew, limits::LATE_PER_MILLE, cycles) {
            let host = host.get_or_insert_with(|| HostAccount::of(run));
            let took = host.took_ns((iteration.case, iteration.iter));
            let of_the_host = Cycles(skew).nanos(khz).is_some_and(|late| took >= late.0);
            let reason = if of_the_host { ReasonCode::VcpuPreempted } else { ReasonCode::LateStart };
            let detail = format!(
                "worker {} of case {} iteration {} started {skew} cycles late and took {cycles} cycles (limit {}); the host \
                 accounts for {} us",
                timing.is.worker,
                timing.is.case,
                timing.is.iter,
                limit_of(limits::LATE_PER_MILLE, cycles, floor),
                took / 1_000
            );
            run.disturb(iteration.iter, reason, Some(timing.line), detail);
        }
    }
}
