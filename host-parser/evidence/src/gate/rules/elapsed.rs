//! Whether as much time passed as the workers report, by two clocks that are not the workers': the time stamps of the
//! guest's records, and the host's clock. Less is impossible. More means that something waited, or that the workers'
//! times are too short: either way, it is unknown what was measured.

use super::{Run, basis, exceeds, limit_of, limits, span};
use crate::gate::evidence::VcpuDelay;
use crate::gate::facts::Iteration;
use crate::gate::measurement::{Basis, Cycles};
use crate::gate::reason::ReasonCode;
use abi::wire::record;

/// Compares the time stamps of the guest's records with its workers' times. Needs a log without losses.
pub(in crate::gate) fn elapsed(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    for iteration in &run.facts.iterations {
        let who = format!("case {} iteration {}", iteration.case, iteration.iter);
        let (Some(ready), begun) = (iteration.ready, iteration.begun) else {
            run.add(ReasonCode::InconsistentRecord, iteration.line, format!("{who} has no `case-ready`"));
            continue;
        };
        let Some(claimed_ns) = claimed_ns(run, iteration) else { continue };
        let passed = ready.micros().zip(begun.micros()).map(|(ready, begun)| begun.checked_sub(ready));
        let Some(Some(passed_us)) = passed else {
            let detail =
                format!("{who}: the time stamps of `case-ready` and `case-begin` are missing or in reverse");
            run.add(ReasonCode::InconsistentRecord, iteration.line, detail);
            continue;
        };
        let passed_ns = passed_us.saturating_mul(1_000);
        let claimed_us = claimed_ns / 1_000;
        if is_short(passed_ns, claimed_ns) {
            let detail = format!(
                "{who}: its workers report {claimed_us} us, but only {passed_us} us passed between `case-ready` and \
                 `case-begin`"
            );
            run.add(ReasonCode::InconsistentRecord, iteration.line, detail);
        } else if is_long(passed_ns, claimed_ns) && !run.is_functional_only() {
            let detail = format!(
                "{who}: {passed_us} us passed between `case-ready` and `case-begin`, its workers account for \
                 {claimed_us} us (limit for the rest: {} us)",
                rest_limit_ns(claimed_ns) / 1_000
            );
            run.disturb(iteration.iter, ReasonCode::VcpuPreempted, Some(iteration.line), detail);
        }
    }
}

/// Why the host's account cannot be that of the whole iteration; `None` if it can be.
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
            return Some(format!(
                "the host watched for {wall_us} us, but its workers report {claimed_us} us"
            ));
        }
        if is_long(delay.wall_ns, claimed_ns) {
            let limit_us = rest_limit_ns(claimed_ns) / 1_000;
            return Some(format!(
                "the host watched for {wall_us} us, its workers account for {claimed_us} us (limit for the rest: \
                 {limit_us} us)"
            ));
        }
    }
    silent(run, iteration, seen)
}

/// Finds an account that lacks most of its worker's time. The host does not know which vCPU ran which worker, so the
/// longest account is compared with the longest worker, and so on.
fn silent(run: &Run<'_>, iteration: &Iteration, seen: &[&VcpuDelay]) -> Option<String> {
    let khz = run.facts.one::<record::Tsc>()?.is.khz;
    let nanos = |cycles| Cycles(cycles).nanos(khz).map_or(u64::MAX, |nanos| nanos.0);
    let timings = iteration.workers.values().filter_map(|worker| worker.timing);
    let mut took: Vec<u64> = timings.map(|timing| nanos(timing.is.cycles)).collect();
    let mut accounts: Vec<u64> =
        seen.iter().map(|delay| delay.run_ns.saturating_add(delay.delay_ns)).collect();
    took.sort_unstable_by(|a, b| b.cmp(a));
    accounts.sort_unstable_by(|a, b| b.cmp(a));
    let (took, account) =
        took.into_iter().zip(accounts).find(|&(took, account)| lacks_most(account, took))?;
    let (took, account) = (took / 1_000, account / 1_000);
    Some(format!("the host saw a vCPU run or wait for {account} us, but its worker took {took} us"))
}

/// Whether a thread's account lacks most of the time that its worker took (both in ns), and more than it may lag behind.
fn lacks_most(account: u64, took: u64) -> bool {
    account < took / 2 && took - account > limits::ACCOUNT_LAG_MICROS * 1_000
}

/// The time of an iteration by its workers, in ns; `None` if a worker has none, or the clock's frequency is unknown.
fn claimed_ns(run: &Run<'_>, iteration: &Iteration) -> Option<u64> {
    let span = span(iteration)?;
    let cycles = match basis(run.facts, iteration.case) {
        Basis::Makespan => span.makespan,
        Basis::LongestWorker => span.longest,
    };
    Some(Cycles(cycles).nanos(run.facts.one::<record::Tsc>()?.is.khz)?.0)
}

/// Whether less time passed than the workers report, even if the clock is as far off as the limit allows.
fn is_short(passed_ns: u64, claimed_ns: u64) -> bool {
    let at_most = u128::from(passed_ns) * u128::from(1_000_000 + limits::TSC_SPREAD_PPM);
    at_most < u128::from(claimed_ns) * 1_000_000
}

/// Whether so much more time passed that starting the workers does not explain it.
fn is_long(passed_ns: u64, claimed_ns: u64) -> bool {
    let rest = passed_ns.saturating_sub(claimed_ns);
    rest > limits::REST_MICROS * 1_000 && exceeds(rest, limits::REST_PER_MILLE, claimed_ns)
}

/// How much more time than `claimed_ns` may pass.
fn rest_limit_ns(claimed_ns: u64) -> u64 {
    limit_of(limits::REST_PER_MILLE, claimed_ns, limits::REST_MICROS * 1_000)
}
