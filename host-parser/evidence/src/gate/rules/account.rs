//! What the host itself accounts for: how much time it took from an iteration, by evidence that is independent of the
//! guest's times.
//!
//! Time that is missing in a log is the host's only if the host's own account is as long. Else it is the guest's.

use std::collections::HashMap;
use std::fmt;

use abi::wire::record::{Gap, Moment};

use super::{Run, limits};
use crate::gate::facts::Iteration;
use crate::gate::measurement::Cycles;
use crate::gate::reason::ReasonCode;

/// The time that the host took, in ns.
pub(super) struct HostAccount {
    /// By case and iteration: the run delay of all vCPUs, the steal of all workers' CPUs, their gaps, how late the
    /// timers came that watch them, and the time that the host did not watch because it was late.
    iterations: HashMap<(u16, u16), u64>,
    /// What the hypervisor under the host took from one of its CPUs during the whole run.
    run: u64,
}

impl HostAccount {
    pub(super) fn of(run: &Run<'_>) -> Self {
        let mut iterations: HashMap<(u16, u16), u64> = HashMap::new();
        let mut add = |iteration, ns: u64| {
            let sum = iterations.entry(iteration).or_default();
            *sum = sum.saturating_add(ns);
        };
        let khz = run.facts.khz().unwrap_or(0);
        let mut watched = HashMap::new();
        for delay in &run.evidence.delays {
            add((delay.case, delay.iteration), delay.delay_ns);
            watched.insert((delay.case, delay.iteration), delay.wall_ns);
        }
        // A watcher that came late waited for a CPU itself.
        for iteration in &run.facts.iterations {
            let of_it = (iteration.case, iteration.iter);
            if let Some((length, wall)) = length_ns(iteration, khz).zip(watched.get(&of_it)) {
                add(of_it, length.saturating_sub(*wall));
            }
        }
        for gap in run.facts.all::<Gap>().map(|gap| gap.is) {
            let gaps = Cycles(gap.before.saturating_add(gap.after)).nanos(khz).map_or(0, |nanos| nanos.0);
            add((gap.case, gap.iter), gaps.saturating_add(gap.steal_ns.unwrap_or(0)));
        }
        for iteration in &run.facts.iterations {
            for conditions in iteration.conditions.values().map(|at| at.is) {
                let late = Cycles(conditions.late.unwrap_or(0)).nanos(khz).map_or(0, |nanos| nanos.0);
                add((iteration.case, iteration.iter), late);
            }
        }
        let stolen = run.evidence.host_steal.map_or(0, |steal| steal.stolen_ms.saturating_mul(1_000_000));
        Self { iterations, run: stolen }
    }

    /// How much of an iteration's time the host took, by what it accounts for that iteration alone.
    pub(super) fn took_ns(&self, iteration: (u16, u16)) -> u64 {
        self.iterations.get(&iteration).copied().unwrap_or(0)
    }

    /// Takes `ns` from what the hypervisor under the host took during the whole run, which is not known by iteration. Returns whether there was as much left: time that explains one gap does not explain a second one.
    pub(super) fn spend(&mut self, ns: u64) -> bool {
        let left = self.run.checked_sub(ns);
        self.run = left.unwrap_or(self.run);
        left.is_some()
    }

    /// How much of all iterations' time the host took.
    pub(super) fn total_ns(&self) -> u64 {
        self.iterations.values().fold(self.run, |sum, &ns| sum.saturating_add(ns))
    }
}

/// How long an iteration took from `ready` to `done` by the TSC, in ns.
pub(super) fn length_ns(iteration: &Iteration, khz: u64) -> Option<u64> {
    let (ready, done) = (iteration.mark(Moment::Ready)?, iteration.mark(Moment::Done)?);
    Some(Cycles(done.is.tsc.checked_sub(ready.is.tsc)?).nanos(khz)?.0)
}

/// Time of an iteration that no record accounts for: two clock readings are farther apart than what lay between them.
///
/// It is put into words only if it counts: nearly none does.
#[derive(Debug)]
pub(in crate::gate) struct Missing<Words = String> {
    /// The line that shows it.
    pub line: Option<u64>,
    /// Where, as a clause with the times.
    pub what: Words,
    /// How much is missing, in ns.
    pub ns: u64,
    /// How much may be missing, in ns.
    pub limit_ns: u64,
    /// The reason if the host does not account for it.
    pub reason: ReasonCode,
    /// What one of the two readings itself waited for a CPU, in ns, if it is the host's.
    pub late_ns: u64,
    /// Whether it looks like this if a CPU is taken away between the two readings. Two clocks that are read as one are not
    /// pulled apart by that (`harness::clock::Mark` takes the tightest of several readings).
    pub interruptible: bool,
}

/// Takes time that is missing beyond its limit: until then it is the way between two readings. Whose it is, is decided
/// when every rule has looked at every iteration (`settle`).
pub(super) fn missing(run: &mut Run<'_>, iteration: &Iteration, missing: Missing<fmt::Arguments<'_>>) {
    // Of a guest with more CPUs than the host has for it, no time is claimed.
    if missing.ns > missing.limit_ns && !run.is_functional_only() {
        let Missing { line, what, ns, limit_ns, reason, late_ns, interruptible } = missing;
        let missing = Missing { line, what: what.to_string(), ns, limit_ns, reason, late_ns, interruptible };
        run.open.push(((iteration.case, iteration.iter), missing));
    }
}

/// A limit that grows with the time between two readings: `micros`, and what two clocks may differ by in `interval_ns`.
pub(super) fn limit_ns(micros: u64, interval_ns: u64) -> u64 {
    let drift = u128::from(interval_ns) * u128::from(limits::CLOCK_PPM) / 1_000_000;
    u64::try_from(drift).unwrap_or(u64::MAX).saturating_add(micros * 1_000)
}
