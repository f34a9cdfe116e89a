//! Whether as much time went by as the workers say that they took, by clocks that are not theirs: the stamps of the
//! guest's records, and the host's own clock. Less is impossible. More means that something waited, or that the
//! workers' times are too short. Either way it is unknown what was measured.

use super::{Run, basis, exceeds, limits, span};
use crate::gate::evidence::VcpuDelay;
use crate::gate::facts::Iteration;
use crate::gate::measurement::{Basis, Cycles};
use crate::gate::reason::ReasonCode;
use abi::wire::record;

/// Judges the guest's stamps against its workers' times. Needs a whole stream.
pub(in crate::gate) fn stamps(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    for iteration in &run.facts.iterations {
        let who = format!("case {} iteration {}", iteration.case, iteration.iter);
        let (Some(ready), begun) = (iteration.ready, iteration.begun) else {
            run.add(ReasonCode::InconsistentRecord, iteration.line, format!("{who}: no `case-ready`"));
            continue;
        };
        let Some(claimed_ns) = claimed_ns(run, iteration) else { continue };
        let passed = ready.micros().zip(begun.micros()).map(|(ready, begun)| begun.checked_sub(ready));
        let Some(Some(passed_us)) = passed else {
            let detail = format!("{who}: its records do not tell how long it took");
            run.add(ReasonCode::InconsistentRecord, iteration.line, detail);
            continue;
        };
        let passed_ns = passed_us.saturating_mul(1_000);
        let words = format!("{} us by its workers, {passed_us} us by its records", claimed_ns / 1_000);
        if is_short(passed_ns, claimed_ns) {
            run.add(ReasonCode::InconsistentRecord, iteration.line, format!("{who} took {words}"));
        } else if is_long(passed_ns, claimed_ns) && !run.waits_by_nature() {
            let detail = format!("{who} took {words}: nothing says what the rest went to");
            run.note(iteration.iter, ReasonCode::VcpuPreempted, Some(iteration.line), detail);
        }
    }
}

/// Whether the host's account of an iteration can be one of it, by its length; says why not.
pub(in crate::gate) fn unaccounted(
    run: &Run<'_>,
    iteration: &Iteration,
    seen: &[&VcpuDelay],
) -> Option<String> {
    let claimed_ns = claimed_ns(run, iteration)?;
    let claimed_us = claimed_ns / 1_000;
    for delay in seen {
        let wall_us = delay.wall_ns / 1_000;
        if is_short(delay.wall_ns, claimed_ns) {
            return Some(format!("watched for {wall_us} us, its workers took {claimed_us} us"));
        }
        if is_long(delay.wall_ns, claimed_ns) {
            let detail = format!("watched for {wall_us} us, its workers account for {claimed_us} us of them");
            return Some(detail);
        }
    }
    silent(run, iteration, seen)
}

/// The first account that has next to nothing of what its vCPU's worker did. Which vCPU had which worker does not
/// matter: the longest account has to do for the longest worker, and so on.
fn silent(run: &Run<'_>, iteration: &Iteration, seen: &[&VcpuDelay]) -> Option<String> {
    let khz = run.facts.one::<record::Tsc>()?.is.khz;
    let nanos = |cycles| Cycles(cycles).nanos(khz).map_or(u64::MAX, |nanos| nanos.0);
    let timings = iteration.workers.values().filter_map(|worker| worker.timing);
    let mut took: Vec<u64> = timings.map(|timing| nanos(timing.is.cycles)).collect();
    let mut accounts: Vec<u64> =
        seen.iter().map(|delay| delay.run_ns.saturating_add(delay.delay_ns)).collect();
    took.sort_unstable_by(|a, b| b.cmp(a));
    accounts.sort_unstable_by(|a, b| b.cmp(a));
    let short = |&(took, account): &(u64, u64)| {
        account < took / 2 && took - account > limits::ACCOUNT_LAG_MICROS * 1_000
    };
    let (took, account) = took.into_iter().zip(accounts).find(short)?;
    let (took, account) = (took / 1_000, account / 1_000);
    Some(format!("a vCPU ran or waited for {account} us, its worker took {took} us"))
}

/// The time that an iteration would be given, in ns; `None` if it has none, or no clock.
fn claimed_ns(run: &Run<'_>, iteration: &Iteration) -> Option<u64> {
    let span = span(iteration)?;
    let cycles = match basis(run.facts, iteration.case) {
        Basis::Makespan => span.makespan,
        Basis::LongestWorker => span.longest,
    };
    Some(Cycles(cycles).nanos(run.facts.one::<record::Tsc>()?.is.khz)?.0)
}

/// Whether less time went by than was claimed, even by a clock that is as far off as a frequency may be.
fn is_short(passed_ns: u64, claimed_ns: u64) -> bool {
    let at_most = u128::from(passed_ns) * u128::from(1_000_000 + limits::TSC_SPREAD_PPM);
    at_most < u128::from(claimed_ns) * 1_000_000
}

/// Whether more went by than it takes to set workers to work.
fn is_long(passed_ns: u64, claimed_ns: u64) -> bool {
    let rest = passed_ns.saturating_sub(claimed_ns);
    rest > limits::REST_MICROS * 1_000 && exceeds(rest, limits::REST_PER_MILLE, claimed_ns)
}
