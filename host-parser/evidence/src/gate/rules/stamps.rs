//! Whether the time stamps agree with the clock readings: none is before an earlier one, and those of `case-ready` and
//! `case-begin` enclose the iteration's moments, with one offset in the whole boot.

use abi::wire::record::Moment;

use super::account::{Missing, limit_ns, missing};
use super::{Run, limits};
use crate::gate::facts::{At, Iteration};
use crate::gate::measurement::Cycles;
use crate::gate::reason::ReasonCode;

/// Judges the time stamps. Needs a log without losses.
pub(in crate::gate) fn stamps(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    let facts = run.facts;
    if let Some(At { line, is }) = &facts.backwards {
        run.add(ReasonCode::InconsistentRecord, *line, is.clone());
    }
    let khz = facts.khz().unwrap_or(0);
    let mut pairs = Vec::new();
    for iteration in &facts.iterations {
        let Some((ready, begun)) = known(run, iteration) else { continue };
        let micros = |moment| Some(Cycles(iteration.mark(moment)?.is.tsc).nanos(khz)?.0 / 1_000);
        let Some((ready_mark, done)) = micros(Moment::Ready).zip(micros(Moment::Done)) else { continue };
        pairs.push((iteration, Pair { clock: ready_mark, stamp: ready }, Pair { clock: done, stamp: begun }));
    }
    // The stamp of `case-begin` follows `done`, as a rule at once: the one that follows soonest says how the stamps stand to
    // the clock.
    let by = |&(_, _, begun): &(_, Pair, Pair)| begun.ahead(Pair { clock: 0, stamp: 0 });
    let Some(of) = pairs.iter().min_by_key(|pair| by(pair)).map(|&(_, _, begun)| begun) else { return };
    let mut last: Option<Pair> = None;
    for (iteration, ready, begun) in pairs {
        if !encloses(run, iteration, of, ready) {
            continue;
        }
        // `case-ready` is printed between its stamp and its reading.
        let print = || limits::PRINT_MICROS.saturating_add(facts.fastest_line_micros());
        let (since, micros, what) = match last {
            None => (ready, limits::STAMP_MICROS.saturating_add(print()), "from its `case-ready`"),
            Some(last) => (last, limits::STAMP_MICROS, "from the iteration before it"),
        };
        let ahead = u64::try_from(begun.ahead(since).max(0)).unwrap_or(u64::MAX);
        let what =
            format_args!("{ahead} us more passed by the time stamps than by the clock readings, {what}");
        let (ns, limit_ns) = (ahead.saturating_mul(1_000), limit_ns(micros, begun.ns_since(since)));
        let reason = ReasonCode::TimeMissing;
        missing(
            run,
            iteration,
            Missing {
                line: Some(iteration.line),
                what,
                ns,
                limit_ns,
                reason,
                late_ns: 0,
                interruptible: true,
            },
        );
        last = Some(begun);
    }
}

/// A moment by the TSC and by a time stamp, both in microseconds, from different beginnings.
#[derive(Clone, Copy)]
struct Pair {
    clock: u64,
    stamp: u64,
}

impl Pair {
    /// How far the stamp is ahead of where `of` puts it; negative if it is behind.
    fn ahead(self, of: Self) -> i128 {
        let by = |pair: Self| i128::from(pair.stamp) - i128::from(pair.clock);
        by(self) - by(of)
    }

    fn ns_since(self, of: Self) -> u64 {
        self.clock.abs_diff(of.clock).saturating_mul(1_000)
    }
}

/// The stamps of `case-ready` and `case-begin`, in microseconds. That there are none, or in reverse, is a finding.
fn known(run: &mut Run<'_>, iteration: &Iteration) -> Option<(u64, u64)> {
    let Some(ready) = iteration.ready else {
        let detail = format!("{} has no `case-ready`", iteration.name());
        run.add(ReasonCode::InconsistentRecord, iteration.line, detail);
        return None;
    };
    let stamps = ready.micros().zip(iteration.begun.micros()).filter(|(ready, begun)| ready <= begun);
    if stamps.is_none() {
        let detail = format!(
            "{}: the time stamps of `case-ready` and `case-begin` are missing or in reverse",
            iteration.name()
        );
        run.add(ReasonCode::InconsistentRecord, iteration.line, detail);
    }
    stamps
}

/// `case-ready` is stamped before the clocks are read, and every `case-begin` after it, `of` soonest.
fn encloses(run: &mut Run<'_>, iteration: &Iteration, of: Pair, ready: Pair) -> bool {
    let allowed = i128::from(limit_ns(limits::STAMP_MICROS, ready.ns_since(of)) / 1_000);
    let encloses = ready.ahead(of) <= allowed;
    if !encloses {
        let detail = format!(
            "{}: the time stamps of `case-ready` and `case-begin` do not enclose its moments `ready` and `done`",
            iteration.name()
        );
        run.add(ReasonCode::InconsistentRecord, iteration.line, detail);
    }
    encloses
}
