//! Whether the TSC agrees with the real-time clock. That counts whole seconds only, but by an oscillator of its own and
//! without short turns: a counter of 24 bits begins again after 4.7 s, and a time that is too short by just that hides from
//! it.

use abi::wire::record::{Moment, Seconds};

use super::account::limit_ns;
use super::{Run, limits};
use crate::gate::facts::At;
use crate::gate::measurement::Cycles;
use crate::gate::reason::ReasonCode;

/// Judges the readings of the real-time clock: from each to the next, and from the first to each. Needs a log without
/// losses. A log without any is of an older kernel, or of a machine without such a clock.
pub(in crate::gate) fn seconds(run: &mut Run<'_>) {
    let Some(khz) = run.facts.khz().filter(|_| run.whole && !run.refused()) else { return };
    let readings: Vec<At<Seconds>> = run.facts.all::<Seconds>().collect();
    let (Some(first), Some(last)) = (readings.first(), readings.last()) else { return };
    // Beside what it brackets the reading says nothing.
    let ready = run.facts.iterations.first().and_then(|iteration| iteration.mark(Moment::Ready));
    let done = run.facts.iterations.last().and_then(|iteration| iteration.mark(Moment::Done));
    let brackets = ready.is_none_or(|ready| first.is.tsc <= ready.is.tsc)
        && done.is_none_or(|done| last.is.tsc >= done.is.tsc);
    if !brackets || readings.len() < 2 && !run.facts.iterations.is_empty() {
        let detail = "the readings of the real-time clock do not enclose the iterations";
        run.add(ReasonCode::EvidenceMissing, first.line, detail);
    }
    for pair in readings.windows(2) {
        between(run, &pair[0], &pair[1], khz);
    }
    for reading in readings.iter().skip(2) {
        between(run, first, reading, khz);
    }
}

fn between(run: &mut Run<'_>, from: &At<Seconds>, to: &At<Seconds>, khz: u64) {
    let cycles = to.is.tsc.checked_sub(from.is.tsc).filter(|&cycles| cycles > 0);
    let by_tsc = cycles.and_then(|cycles| Cycles(cycles).nanos(khz));
    let by_clock = to.is.count.checked_sub(from.is.count).and_then(|s| s.checked_mul(1_000_000_000));
    let Some((by_tsc, by_clock)) = by_tsc.zip(by_clock) else {
        let detail = "a reading of the real-time clock is before an earlier one";
        return run.add(ReasonCode::InconsistentRecord, to.line, detail);
    };
    let limit_ns = limit_ns(limits::RTC_MILLIS * 1_000, by_tsc.0);
    if by_clock.abs_diff(by_tsc.0) <= limit_ns {
        return;
    }
    let reason = if by_clock > by_tsc.0 { ReasonCode::TimeMissing } else { ReasonCode::TscDisagree };
    let detail = format!(
        "{} ms passed by the TSC, and {} s by the real-time clock (limit {} ms)",
        by_tsc.0 / 1_000_000,
        by_clock / 1_000_000_000,
        limit_ns / 1_000_000
    );
    run.add(reason, to.line, detail);
}
