//! What a CPU can see of its host by itself: how much time passes between two readings of its clock with the same few
//! instructions between them, and how many such readings it makes.

use abi::pace::{WARM_UP_FRACTION, WINDOW_US, fill};
use abi::wire::record::Gap;

use crate::clock::Clock;
use crate::x86::tsc;

/// One pace check.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PaceCheck {
    /// The longest time between two consecutive readings of the TSC, in cycles.
    pub longest: u64,
    /// How many readings the CPU made: its pace. A CPU that is slowed down and not taken away, by a lower clock or by
    /// its core's other thread, shows no gap and fewer readings.
    pub reads: u32,
}

/// What a worker's CPU saw of its host.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HostGaps {
    /// Just before the timed run.
    pub before: PaceCheck,
    /// Just after it.
    pub after: PaceCheck,
    /// Time that the host took from this CPU in between, in ns; `None` if the host does not report it.
    pub steal_ns: Option<u64>,
}

/// Checks the pace of the CPU that runs this, for [`WINDOW_US`].
#[must_use]
pub fn check(clock: &Clock) -> PaceCheck {
    sample(clock.cycles(WINDOW_US))
}

/// How many checks [`settle`] makes at most: about 11 ms.
const SETTLING: u64 = 20;

/// Makes checks whose results are dropped, before the first one of a machine that counts.
///
/// Under TCG the code of a check runs at half its pace for the first 1 to 5.5 ms after it was translated (measured: QEMU
/// 7.2, ten boots), longer than a check's own warm-up. Only the CPU that came first met that, and which one it was changed
/// from boot to boot, so that a boot of one iteration was now and then taken for disturbed.
///
/// Two checks that are equal to the cycle end it: only a clock that counts instructions gives them (QEMU's `-icount`), and
/// to its pace translation adds nothing.
pub fn settle(clock: &Clock) {
    settle_by(|| check(clock));
}

/// Calls `check` until two results in a row are equal, [`SETTLING`] times at most.
fn settle_by(mut check: impl FnMut() -> PaceCheck) {
    let mut last = None;
    for _ in 0..SETTLING {
        let now = check();
        if last.replace(now) == Some(now) {
            break;
        }
    }
}

/// Reads the TSC for `cycles`, with the same work between any two readings.
fn sample(cycles: u64) -> PaceCheck {
    let _warm_up = read_for(cycles / WARM_UP_FRACTION);
    read_for(cycles)
}

// Not inlined: the warm-up must run the very code that is then measured.
#[inline(never)]
fn read_for(cycles: u64) -> PaceCheck {
    let begin = tsc::read();
    let (mut last, mut seen) = (begin, PaceCheck::default());
    while last.wrapping_sub(begin) < cycles {
        fill();
        let now = tsc::read();
        seen.longest = now.saturating_sub(last).max(seen.longest);
        seen.reads = seen.reads.wrapping_add(1);
        last = now;
    }
    seen
}

impl HostGaps {
    /// The record of iteration `iter` of `case`, for `worker` on `cpu`.
    #[must_use]
    pub const fn record(&self, case: u16, iter: u16, worker: u16, cpu: abi::CpuId) -> Gap {
        let Self { before, after, steal_ns } = *self;
        Gap {
            case,
            iter,
            worker,
            cpu,
            before: before.longest,
            after: after.longest,
            reads_before: before.reads,
            reads_after: after.reads,
            steal_ns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_between_readings() {
        let cycles = 1_000_000;
        let PaceCheck { longest, reads } = sample(cycles);
        assert!(longest > 0);
        assert!(
            longest * u64::from(reads) >= cycles,
            "{reads} readings, {longest} cycles at most between two"
        );
    }

    #[test]
    fn settling_ends_with_two_equal_checks_or_after_twenty() {
        let checks_of = |longest: &dyn Fn(u64) -> u64| {
            let mut checks = 0;
            settle_by(|| {
                checks += 1;
                PaceCheck { longest: longest(checks), reads: 629 }
            });
            checks
        };
        assert_eq!(checks_of(&|_| 799), 2);
        assert_eq!(checks_of(&|check| if check < 3 { 1_600 + check } else { 799 }), 4);
        assert_eq!(checks_of(&|check| 799 + check % 2), SETTLING);
    }

    #[test]
    fn makes_readings_for_as_long_as_it_samples() {
        let few = (0..5).map(|_| sample(10_000).reads).min();
        assert!(few < Some(sample(10_000_000).reads));
    }
}
