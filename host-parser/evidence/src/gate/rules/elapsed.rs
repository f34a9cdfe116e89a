//! Whether the host's clock saw as much time pass as the guest reports for an iteration, from both sides. The host reads
//! its clock when the guest prints `case-ready` and `case-begin`, just before the guest reads its own clocks for `ready`
//! and just after it read them for `done`.

use std::collections::HashMap;

use abi::wire::record::Moment;

use super::account::{HostAccount, Missing, length_ns, limit_ns, missing};
use super::{Run, limits};
use crate::gate::evidence::VcpuDelay;
use crate::gate::facts::Iteration;
use crate::gate::measurement::Cycles;
use crate::gate::reason::ReasonCode;

/// Compares the host's clock with the guest's readings. Needs a log without losses.
pub(in crate::gate) fn elapsed(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    let (facts, evidence) = (run.facts, run.evidence);
    let khz = facts.khz().unwrap_or(0);
    let mut watched = HashMap::new();
    for delay in &evidence.delays {
        watched.entry((delay.case, delay.iteration)).or_insert(delay.wall_ns);
    }
    let mut late: HashMap<(u16, u16), u64> = HashMap::new();
    for watcher in &evidence.watcher {
        late.entry((watcher.case, watcher.iteration)).or_insert(watcher.delay_ns);
    }
    let mut total = Total::default();
    for iteration in &facts.iterations {
        let of_it = (iteration.case, iteration.iter);
        let wall = watched.get(&of_it);
        let Some((&wall, length)) = wall.zip(length_ns(iteration, khz)) else { continue };
        let late_ns = late.get(&of_it).copied().unwrap_or(0);
        let ns = wall.saturating_sub(length);
        let limit_ns = limit_ns(limits::WATCH_MICROS, length);
        // What is too much in one iteration is judged by itself.
        if ns <= limit_ns {
            total.add(wall, length, late_ns);
        }
        let what = format!(
            "{} us passed from `ready` to `done`, but {} us by the host's clock",
            length / 1_000,
            wall / 1_000
        );
        let (line, reason) = (Some(iteration.line), ReasonCode::TimeMissing);
        missing(run, iteration, Missing { line, what, ns, limit_ns, reason, late_ns, interruptible: true });
    }
    total.judge(run);
}

/// All watched iterations of a boot, in ns.
#[derive(Default)]
struct Total {
    iterations: u64,
    /// By the host's clock.
    wall: u64,
    /// By the guest's readings.
    length: u64,
    /// What the watcher waited for a CPU.
    late: u64,
}

impl Total {
    fn add(&mut self, wall: u64, length: u64, late: u64) {
        self.iterations += 1;
        self.wall = self.wall.saturating_add(wall);
        self.length = self.length.saturating_add(length);
        self.late = self.late.saturating_add(late.min(wall.saturating_sub(length)));
    }

    /// Too much is the host's fault if the host took as much from the vCPUs, and the guest's if not. In either case there
    /// is no measurement.
    fn judge(&self, run: &mut Run<'_>) {
        let Self { iterations, wall, length, late } = *self;
        let micros =
            limits::WATCH_MICROS.saturating_add(iterations.saturating_mul(limits::WATCH_MEAN_MICROS));
        let (limit_ns, more) = (limit_ns(micros, length), wall.saturating_sub(length).saturating_sub(late));
        // A single iteration is judged above.
        if iterations < 2 || more <= limit_ns || run.is_functional_only() {
            return;
        }
        let took = HostAccount::of(run).total_ns();
        let is_the_hosts = more.saturating_sub(took) <= limit_ns;
        let reason = if is_the_hosts { ReasonCode::VcpuPreempted } else { ReasonCode::TimeMissing };
        let detail = format!(
            "the {iterations} iterations took {} us by the guest's readings, but {} us by the host's clock (limit {} us \
             more); the host accounts for {} us",
            length / 1_000,
            wall / 1_000,
            limit_ns / 1_000,
            took.saturating_add(late) / 1_000
        );
        run.add(reason, None, detail);
    }
}

fn nanos(run: &Run<'_>, cycles: u64) -> Option<u64> {
    Some(Cycles(cycles).nanos(run.facts.khz()?)?.0)
}

/// Why the host's account cannot be that of the whole iteration; `None` if it can be.
pub(in crate::gate) fn unaccounted(
    run: &Run<'_>,
    iteration: &Iteration,
    seen: &[&VcpuDelay],
) -> Option<String> {
    // From the common start on, the workers' times count.
    let counted = iteration.mark(Moment::Done)?.is.tsc.checked_sub(iteration.start_tsc)?;
    let counted = nanos(run, counted)?;
    let least = counted.saturating_sub(limit_ns(limits::UNWATCHED_MICROS, counted));
    if let Some(delay) = seen.iter().find(|delay| delay.wall_ns < least) {
        let (wall, counted) = (delay.wall_ns / 1_000, counted / 1_000);
        return Some(format!(
            "the host watched for {wall} us, but {counted} us passed from the common start to the end"
        ));
    }
    silent(run, iteration, seen)
}

/// Finds an account that lacks most of its worker's time. The host does not know which vCPU ran which worker, so the
/// longest account is compared with the longest worker, and so on.
fn silent(run: &Run<'_>, iteration: &Iteration, seen: &[&VcpuDelay]) -> Option<String> {
    let timings = iteration.workers.values().filter_map(|worker| worker.timing);
    let mut took: Vec<u64> = timings.map(|timing| nanos(run, timing.is.cycles).unwrap_or(u64::MAX)).collect();
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
