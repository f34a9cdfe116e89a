//! Are the CPUs' TSCs in step?
//!
//! All CPUs at once read their TSC and publish it as the latest reading known, each as soon as it sees another's. A
//! reading that is behind one which another CPU had already published proves that two TSCs differ by at least that
//! much. It cannot prove that they do not: what it cannot see is a difference smaller than the time in which one CPU
//! sees the other's write. So it counts the hand-overs, readings that followed another CPU's: without them nothing was
//! tested.

use core::hint;
use core::sync::atomic::{AtomicU64, Ordering};

use abi::CpuId;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Job, PerCpu, run_on};
use crate::clock::Clock;
use crate::control;
use crate::x86::tsc;

/// Readings that each CPU takes.
const SAMPLES: u64 = 2_000;
/// How often a CPU looks for another's reading before it takes one of its own nevertheless.
const LOOKS: u32 = 1_000;
/// How long a CPU goes on, from its own first reading, once it has seen enough.
const LIMIT_US: u64 = 20_000;
/// How long it goes on at most: where vCPUs share a host CPU, one of them runs at a time.
const LONG_LIMIT_US: u64 = 300_000;
/// So many hand-overs are enough where there is no time for all.
const ENOUGH: u64 = 64;
/// How long the others are waited for; a guest's vCPU may not be scheduled for a while.
const TIMEOUT_US: u64 = 2_000_000;

/// The latest reading and who took it, packed into one word so that they change together: the reading shifted left
/// by [`CPU_BITS`], the CPU's number below. 2^54 cycles last 57 days at 3.6 GHz; the high bits that are lost are
/// the same for all readings of one test, or nearly so, and the comparison wraps.
const CPU_BITS: u32 = 10;

/// What the test found.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Warp {
    /// CPUs that took part and came back.
    pub cpus: u16,
    /// Readings.
    pub samples: u64,
    /// Readings that followed another CPU's.
    pub handovers: u64,
    /// The furthest a reading was behind, in cycles.
    pub max_warp: u64,
}

/// What the CPUs of one test have in common.
#[derive(Debug, Default)]
pub struct Shared {
    arrived: AtomicU64,
    /// CPUs that take no further reading.
    done: AtomicU64,
    latest: AtomicU64,
    samples: AtomicU64,
    handovers: AtomicU64,
    max_warp: AtomicU64,
}

/// Runs the test on every CPU that is up.
#[must_use]
pub fn test(clock: &'static Clock) -> Warp {
    let cpus: Vec<_> = PerCpu::online().collect();
    let shared = Arc::new(Shared::default());
    let expected = cpus.len() as u64;
    let on_each = {
        let shared = Arc::clone(&shared);
        move |cpu: CpuId| shared.take_part(cpu, expected, clock)
    };
    let job: Job = Arc::new(on_each);
    let lost = run_on(&cpus, clock, TIMEOUT_US, &job);
    shared.found(u16::try_from(cpus.len() - lost.len()).unwrap_or(u16::MAX))
}

impl Shared {
    /// The part of CPU `cpu`, out of `expected`. Called on that CPU.
    pub fn take_part(&self, cpu: CpuId, expected: u64, clock: &Clock) {
        self.arrived.fetch_add(1, Ordering::AcqRel);
        clock.spin_until(LIMIT_US, || self.arrived.load(Ordering::Acquire) >= expected);
        sample(self, cpu, expected, clock);
    }

    /// The latest reading, once it is such a one, or after some looks whatever it is.
    fn wait_for(&self, wanted: &impl Fn(u64) -> bool) -> u64 {
        let mut latest = 0;
        for _ in 0..LOOKS {
            latest = self.latest.load(Ordering::Acquire);
            if wanted(latest) {
                break;
            }
            hint::spin_loop();
        }
        latest
    }

    /// What was found, once `cpus` have taken part.
    #[must_use]
    pub fn found(&self, cpus: u16) -> Warp {
        Warp {
            cpus,
            samples: self.samples.load(Ordering::Acquire),
            handovers: self.handovers.load(Ordering::Acquire),
            max_warp: self.max_warp.load(Ordering::Acquire),
        }
    }
}

fn sample(shared: &Shared, cpu: CpuId, expected: u64, clock: &Clock) {
    let own = u64::from(cpu.0) & ((1 << CPU_BITS) - 1);
    let ahead = control::tsc_ahead(cpu);
    let begin = tsc::read() + ahead;
    let (limit, long_limit) = (begin + clock.cycles(LIMIT_US), begin + clock.cycles(LONG_LIMIT_US));
    let others = |latest: u64| latest != 0 && latest & ((1 << CPU_BITS) - 1) != own;
    let (mut samples, mut handovers, mut max_warp) = (0, 0, 0);
    while samples < SAMPLES {
        let before = shared.wait_for(&others);
        // Ordered: a reading taken before the load would see a warp that is not there.
        let now = tsc::read_ordered() + ahead;
        samples += 1;
        if others(before) {
            handovers += 1;
            max_warp = max_warp.max(behind(now, before));
        }
        shared.latest.fetch_max(now << CPU_BITS | own, Ordering::AcqRel);
        let all_done = shared.done.load(Ordering::Acquire) + 1 >= expected;
        if all_done || now > limit && handovers >= ENOUGH || now > long_limit {
            break;
        }
    }
    shared.done.fetch_add(1, Ordering::AcqRel);
    shared.samples.fetch_add(samples, Ordering::AcqRel);
    shared.handovers.fetch_add(handovers, Ordering::AcqRel);
    shared.max_warp.fetch_max(max_warp, Ordering::AcqRel);
}

/// How far the reading `now` is behind the published word `before`; 0 where it is not.
fn behind(now: u64, before: u64) -> u64 {
    (before >> CPU_BITS).saturating_sub(now << CPU_BITS >> CPU_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_behind_by_the_difference_or_not_at_all() {
        assert_eq!(behind(1_000, 1_007 << CPU_BITS | 3), 7);
        assert_eq!(behind(1_007, 1_007 << CPU_BITS | 3), 0);
        assert_eq!(behind(2_000, 1_007 << CPU_BITS | 3), 0);
    }
}
