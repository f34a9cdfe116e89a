//! Whose the time is that no record accounts for: the host's, or the guest's.
//!
//! A busy host can take a CPU away between any two clock readings, for any length of time. A guest that reports times
//! shorter than it measured leaves the same gap. Two kinds of evidence distinguish them:
//!
//! - the host's own account covers the gap: what is left of it is within the limit;
//! - the workers' times are not short: the same work took no less in iterations whose readings have no such gap. Then the
//!   gap hides nothing, for it lies beside times that are as long as they should be. Gaps that the host does not account
//!   for are rare, because little time lies between those readings. So only a small part of the iterations is believed.
//!
//! Otherwise the claim is too short, and that is the guest's fault.

use std::collections::HashMap;

use abi::Digest;
use abi::wire::Hex64;
use abi::wire::record::{self, SystemName};

use super::account::{HostAccount, Missing};
use super::{Run, exceeds, limits};
use crate::gate::facts::{Facts, Iteration};
use crate::gate::measurement::Cycles;
use crate::gate::reason::ReasonCode;

/// One iteration of one case.
type Turn = (u16, u16);

/// The times that need no belief, of all runs so far: the measure for those that do.
#[derive(Debug, Default)]
pub(in crate::gate) struct SoundTimes {
    of_work: HashMap<Work, OfWork>,
}

/// What takes the same time whenever it is done: one case of one plan, by one program under one kernel.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Work {
    system: SystemName,
    build: Hex64,
    program: Digest,
    plan: Option<Digest>,
    case: u16,
}

#[derive(Debug, Default)]
struct OfWork {
    /// The shortest time of each worker in an iteration without a gap, in ns.
    shortest: Vec<u64>,
    /// How many iterations there were.
    iterations: u64,
    /// How many of them had a gap and were believed.
    believed: u64,
}

/// How many kinds of work are remembered, whatever the logs name.
const MOST_WORKS: usize = 4_096;

impl SoundTimes {
    fn of(&mut self, work: Work) -> Option<&mut OfWork> {
        if self.of_work.len() >= MOST_WORKS && !self.of_work.contains_key(&work) {
            return None;
        }
        Some(self.of_work.entry(work).or_default())
    }
}

impl OfWork {
    /// Takes the times of an iteration without a gap.
    fn add_sound(&mut self, times: Vec<u64>) {
        if self.shortest.len() != times.len() {
            self.shortest = times;
            return;
        }
        for (shortest, time) in self.shortest.iter_mut().zip(times) {
            *shortest = time.min(*shortest);
        }
    }

    /// Whether these times are as long as the work takes.
    fn are_full(&self, times: &[u64]) -> bool {
        let is_full = |(&time, &shortest): (&u64, &u64)| {
            !exceeds(shortest.saturating_sub(time), limits::SHORT_PER_MILLE, shortest)
        };
        self.shortest.len() == times.len() && times.iter().zip(&self.shortest).all(is_full)
    }

    /// Whether one more iteration may be believed.
    fn may_believe(&self) -> bool {
        let most = (self.iterations * limits::BELIEVED_PER_MILLE / 1_000).max(limits::BELIEVED);
        self.believed < most
    }
}

/// Decides whose every open gap is. Needs a log without losses, like the rules that found them.
pub(in crate::gate) fn settle(run: &mut Run<'_>, sound: &mut SoundTimes) {
    if !run.whole || run.refused() {
        return;
    }
    let facts = run.facts;
    let mut open: HashMap<Turn, Vec<Missing>> = HashMap::new();
    for (turn, missing) in std::mem::take(&mut run.open) {
        open.entry(turn).or_default().push(missing);
    }
    let honest = run.findings.are_the_hosts();
    let turn = |iteration: &Iteration| (iteration.case, iteration.iter);
    for iteration in &facts.iterations {
        let Some(known) = work(facts, iteration.case).and_then(|work| sound.of(work)) else { continue };
        known.iterations += 1;
        if let Some(times) =
            times(facts, iteration).filter(|_| honest && !open.contains_key(&turn(iteration)))
        {
            known.add_sound(times);
        }
    }
    if open.is_empty() {
        return;
    }
    let mut host = HostAccount::of(run);
    for iteration in &facts.iterations {
        let Some(open) = open.remove(&turn(iteration)) else { continue };
        let known = work(facts, iteration.case).and_then(|work| sound.of(work));
        of_iteration(run, &mut host, iteration, open, known);
    }
}

/// Decides whose the gaps of an iteration are.
fn of_iteration(
    run: &mut Run<'_>,
    host: &mut HostAccount,
    iteration: &Iteration,
    open: Vec<Missing>,
    known: Option<&mut OfWork>,
) {
    let took = host.took_ns((iteration.case, iteration.iter));
    // What is left of a gap beyond its limit.
    let rest = |missing: &Missing| {
        let accounted = took.saturating_add(missing.late_ns).saturating_add(missing.limit_ns);
        missing.ns.saturating_sub(accounted)
    };
    // The gaps of one iteration may be one and the same, seen by several readings.
    let most = open.iter().map(rest).max().unwrap_or(0);
    let is_spent = most > 0 && host.spend(most);
    let accounted = |missing: &Missing| is_spent || rest(missing) == 0;
    let times = times(run.facts, iteration);
    let doubted = open.iter().any(|missing| is_doubted(missing) && !accounted(missing));
    let full = |known: &OfWork| times.as_ref().is_some_and(|times| known.are_full(times));
    let known = known.filter(|known| doubted && known.may_believe() && full(known));
    let believed = known.is_some();
    if let Some(known) = known {
        known.believed += 1;
    }
    for missing in open {
        let took_us = took.saturating_add(missing.late_ns) / 1_000;
        let is_the_hosts = accounted(&missing) || missing.reason == ReasonCode::VcpuPreempted;
        let believed = believed && is_doubted(&missing);
        let Missing { line, what, limit_ns, reason, .. } = missing;
        let gap = format!("{}: {what} (limit {} us)", iteration.name(), limit_ns / 1_000);
        if is_the_hosts {
            let detail = format!("{gap}; the host accounts for {took_us} us");
            run.disturb(iteration.iter, ReasonCode::VcpuPreempted, line, detail);
        } else if believed {
            let detail = format!(
                "{gap}; the host accounts for {took_us} us, but the workers' times are as long as without such a gap"
            );
            run.disturb(iteration.iter, ReasonCode::VcpuPreempted, line, detail);
        } else {
            let detail = format!("{gap}, and the host accounts for {took_us} us");
            // A late start is in the times of its own iteration and in no other. Time that is missing shows that the guest's
            // readings are wrong, and those of its other iterations are of the same guest.
            if reason == ReasonCode::LateStart {
                run.disturb(iteration.iter, reason, line, detail);
            } else {
                run.add(reason, line, detail);
            }
        }
    }
}

/// Whether a gap that the host does not account for is the host's or the guest's, depending on the workers' times. A late
/// start is no claim.
fn is_doubted(missing: &Missing) -> bool {
    missing.interruptible && missing.reason == ReasonCode::TimeMissing
}

/// The work of a case; `None` if the log does not say what it is.
fn work(facts: &Facts, case: u16) -> Option<Work> {
    Some(Work {
        system: facts.one::<record::System>()?.is.name,
        build: facts.one::<record::Start>()?.is.build,
        program: facts.one::<record::Blob>()?.is.sha256,
        plan: facts.one::<record::Challenge>().map(|challenge| challenge.is.work),
        case,
    })
}

/// The time of each worker of an iteration, in ns; `None` if one has none.
fn times(facts: &Facts, iteration: &Iteration) -> Option<Vec<u64>> {
    let khz = facts.khz()?;
    let time = |cycles: u64| Some(Cycles(cycles).nanos(khz)?.0);
    let times = iteration.workers.values().map(|worker| time(worker.timing?.is.cycles));
    times.collect::<Option<Vec<_>>>().filter(|times| !times.is_empty())
}
