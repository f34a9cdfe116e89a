//! Whether the workers' times fill the time between the kernel's own clock readings around them, from both sides and in
//! microseconds, however short the iteration is.
//!
//! ```text
//! ready .. warm-up .. warm | lead | start .. skew | cycles | way out .. returned | pace check .. done
//! ```
//!
//! Every reading is of the TSC: `mark` has ready, warm and done; `case-begin` the common start; `region` the way in and the
//! return of each worker; `worker` its skew and its cycles.

use abi::pace::{WARM_UP_FRACTION, WINDOW_US};
use abi::tsc::{self, LEAD_US};
use abi::wire::record::{Moment, Region, System, SystemName, Warp, Worker};

use super::account::{Missing, missing};
use super::{Run, basis, limits};
use crate::gate::facts::{At, Facts, Iteration};
use crate::gate::measurement::Cycles;
use crate::gate::reason::ReasonCode;
use crate::gate::sample::Basis;

/// Judges the brackets of every iteration. Needs a log without losses.
pub(in crate::gate) fn brackets(run: &mut Run<'_>) {
    let Some(khz) = run.facts.khz() else { return };
    if !run.whole || run.refused() {
        return;
    }
    let facts = run.facts;
    let clock =
        Clocks { khz, warp: facts.one::<Warp>().map_or(0, |warp| warp.is.max_warp.saturating_mul(2)) };
    let mut before: Option<&Iteration> = None;
    for iteration in &facts.iterations {
        overlap(run, before, iteration);
        before = Some(iteration);
        let sound = start(run, &clock, iteration);
        for (timing, region) in regions(iteration) {
            inside(run, &clock, iteration, timing, region);
            way_out(run, &clock, iteration, timing, region);
        }
        first_start(run, &clock, iteration);
        // From a wrong start, every time to the end is wrong too.
        if sound {
            end(run, &clock, iteration);
        }
    }
}

/// The clocks of the CPUs.
struct Clocks {
    khz: u64,
    /// By how much two CPUs' clocks may be apart, in cycles: twice what the warp test saw. A clock that is ahead shows when
    /// another CPU reads after it, and so by less than it is.
    warp: u64,
}

impl Clocks {
    fn ns(&self, cycles: u64) -> u64 {
        Cycles(cycles).nanos(self.khz).map_or(u64::MAX, |nanos| nanos.0)
    }

    fn us(&self, cycles: u64) -> u64 {
        self.ns(cycles) / 1_000
    }
}

/// The times of the workers that have both.
fn regions(iteration: &Iteration) -> impl Iterator<Item = (At<Worker>, At<Region>)> {
    iteration.workers.values().filter_map(|worker| worker.timing.zip(worker.region))
}

fn wrong(run: &mut Run<'_>, iteration: &Iteration, line: u64, detail: &str) {
    run.add(ReasonCode::InconsistentRecord, line, format!("{}: {detail}", iteration.name()));
}

/// An iteration begins after the one before it has ended.
fn overlap(run: &mut Run<'_>, before: Option<&Iteration>, iteration: &Iteration) {
    let done = before.and_then(|before| before.mark(Moment::Done));
    let Some((ready, done)) = iteration.mark(Moment::Ready).zip(done) else { return };
    if ready.is.tsc < done.is.tsc {
        let cycles = done.is.tsc - ready.is.tsc;
        wrong(
            run,
            iteration,
            ready.line,
            &format!("began {cycles} cycles before the end of the one before it"),
        );
    }
}

/// The moments are in order, and the start follows from the end of the last warm-up. Returns whether the start does.
fn start(run: &mut Run<'_>, clock: &Clocks, iteration: &Iteration) -> bool {
    let (ready, done) = (iteration.mark(Moment::Ready), iteration.mark(Moment::Done));
    let Some(warm) = iteration.mark(Moment::Warm) else {
        // If a worker is done, the moment is missing.
        if iteration.start_tsc != 0 && !iteration.has_done() {
            wrong(run, iteration, iteration.line, "has a common start, but its workers did not meet");
        }
        return false;
    };
    let late = ready.is_some_and(|ready| ready.is.tsc > warm.is.tsc.saturating_add(clock.warp));
    let early = done.is_some_and(|done| warm.is.tsc > done.is.tsc.saturating_add(clock.warp));
    if late || early {
        wrong(run, iteration, warm.line, "the moments `ready`, `warm` and `done` are not in this order");
    }
    let due = warm.is.tsc.checked_add(tsc::cycles(LEAD_US, clock.khz));
    if due != Some(iteration.start_tsc) {
        let due = due.map_or("none".to_owned(), |due| due.to_string());
        let detail = format!("the common start is {}, due after `warm` was {due}", iteration.start_tsc);
        wrong(run, iteration, iteration.line, &detail);
    }
    due == Some(iteration.start_tsc)
}

/// A worker runs inside the kernel's own readings: it is entered after the start was settled, and it has ended when it
/// comes back.
fn inside(run: &mut Run<'_>, clock: &Clocks, iteration: &Iteration, timing: At<Worker>, region: At<Region>) {
    let (worker, lead) = (timing.is.worker, tsc::cycles(LEAD_US, clock.khz));
    if region.is.cpu != timing.is.cpu {
        let detail =
            format!("worker {worker} ran on CPU {}, its `region` has CPU {}", timing.is.cpu, region.is.cpu);
        wrong(run, iteration, region.line, &detail);
    }
    if region.is.entered > lead.saturating_add(clock.warp) {
        let detail = format!(
            "worker {worker} was entered {} cycles before the common start, which was settled {lead} cycles before",
            region.is.entered
        );
        wrong(run, iteration, region.line, &detail);
    }
    if ended(timing).is_none_or(|ended| ended > region.is.returned) {
        let detail = format!(
            "worker {worker} started after {} and took {} cycles, but it was back after {}",
            timing.is.skew, timing.is.cycles, region.is.returned
        );
        wrong(run, iteration, region.line, &detail);
    }
}

/// From the common start to a worker's last reading.
fn ended(timing: At<Worker>) -> Option<u64> {
    timing.is.skew.checked_add(timing.is.cycles)
}

/// A worker comes back soon after its last reading.
fn way_out(run: &mut Run<'_>, clock: &Clocks, iteration: &Iteration, timing: At<Worker>, region: At<Region>) {
    // A worker that took no time is a finding already.
    let timed = Some(timing).filter(|timing| timing.is.cycles > 0);
    let Some(out) = timed.and_then(ended).and_then(|ended| region.is.returned.checked_sub(ended)) else {
        return;
    };
    let what = format_args!(
        "worker {} reports {} us, but it was back {} us after that",
        timing.is.worker,
        clock.us(timing.is.cycles),
        clock.us(out)
    );
    let (ns, limit_ns) = (clock.ns(out), limits::WAY_OUT_MICROS * 1_000);
    // Shorter than any gap that an account must show: a slice of the host's scheduler. It never counts either way.
    let is_slice = ns <= limits::GAP_MICROS * 1_000;
    let reason = if is_slice { ReasonCode::VcpuPreempted } else { ReasonCode::TimeMissing };
    missing(
        run,
        iteration,
        Missing { line: Some(timing.line), what, ns, limit_ns, reason, late_ns: 0, interruptible: true },
    );
}

/// The time of a case begins with its first worker's first reading, which follows the common start at once. If the clocks
/// are not in step, each worker's time is by itself, and so is its start.
fn first_start(run: &mut Run<'_>, clock: &Clocks, iteration: &Iteration) {
    let timings = || iteration.workers.values().filter_map(|worker| worker.timing);
    let start = match basis(run.facts, iteration.case) {
        Basis::Makespan => timings().min_by_key(|timing| timing.is.skew),
        Basis::LongestWorker => timings().max_by_key(|timing| timing.is.skew),
    };
    let Some(timing) = start else { return };
    let what = format_args!(
        "worker {} began {} us after the common start",
        timing.is.worker,
        clock.us(timing.is.skew)
    );
    let (ns, limit_ns, reason) =
        (clock.ns(timing.is.skew), limits::LATE_MICROS * 1_000, ReasonCode::LateStart);
    missing(
        run,
        iteration,
        Missing { line: Some(timing.line), what, ns, limit_ns, reason, late_ns: 0, interruptible: true },
    );
}

/// The timed calls are over when the last worker is back. A log without the moment `back` is of an older kernel, whose
/// `done` follows the pace check of the last worker's CPU.
fn end(run: &mut Run<'_>, clock: &Clocks, iteration: &Iteration) {
    let last = regions(iteration).map(|(_, region)| region.is.returned).max();
    let (back, done) = (iteration.mark(Moment::Back), iteration.mark(Moment::Done));
    if let Some((back, done)) =
        back.zip(done).filter(|(back, done)| back.is.tsc > done.is.tsc.saturating_add(clock.warp))
    {
        let detail = format!("`done` is {} cycles before `back`", back.is.tsc - done.is.tsc);
        return wrong(run, iteration, done.line, &detail);
    }
    let (Some(end), Some(last)) = (back.or(done), last) else { return };
    let moment = end.is.moment;
    // The last worker's CPU may be another than the one that read the clocks.
    let last = iteration.start_tsc.saturating_add(last);
    if last > end.is.tsc.saturating_add(clock.warp) {
        let detail = format!("`{moment}` is {} cycles before the last worker is back", last - end.is.tsc);
        return wrong(run, iteration, end.line, &detail);
    }
    // A worker without a time may have come back later, and the run does not pass because of it.
    if regions(iteration).count() < iteration.workers.len() {
        return;
    }
    let rest = end.is.tsc.saturating_sub(last);
    let check_us = if back.is_none() { WINDOW_US + WINDOW_US / WARM_UP_FRACTION } else { 0 };
    // Natively no account shows how long the process that waits for the workers waits for a CPU itself.
    let reason = if is_native(run.facts) { ReasonCode::VcpuPreempted } else { ReasonCode::TimeMissing };
    let limit_ns = (check_us + end_micros(run.facts)) * 1_000;
    let what = format_args!("{} us passed from the last worker's return to `{moment}`", clock.us(rest));
    let ns = clock.ns(rest);
    missing(
        run,
        iteration,
        Missing { line: Some(end.line), what, ns, limit_ns, reason, late_ns: 0, interruptible: true },
    );
}

fn is_native(facts: &Facts) -> bool {
    facts.one::<System>().is_some_and(|system| system.is.name == SystemName::Native)
}

/// How long a system may take after its last worker's return, and its pace check if that is in between.
fn end_micros(facts: &Facts) -> u64 {
    if facts.masks_interrupts() { limits::END_MICROS } else { limits::LINUX_END_MICROS }
}
