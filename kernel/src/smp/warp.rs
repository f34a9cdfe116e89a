//! Are the CPUs' TSCs in step?
//!
//! All CPUs at once read their TSC and publish it as the latest reading known, each as soon as it sees another's. A
//! reading that is behind one which another CPU had already published proves that two TSCs differ by at least that
//! much. It cannot prove that they do not: what it cannot see is a difference smaller than the time in which one CPU
//! sees the other's write. So it counts the hand-overs, readings that followed another CPU's, and for each CPU how
//! often it followed and how often it was followed: a clock that is behind shows in the first direction only, one that
//! is ahead in the second, and a CPU without either was not tested.

use core::hint;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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
/// How long a CPU goes on, from its own first reading, once all have seen enough.
const LIMIT_US: u64 = 20_000;
/// How long it goes on at most: where vCPUs share a host CPU, one of them runs at a time.
const LONG_LIMIT_US: u64 = 300_000;
/// So many hand-overs of each CPU in each direction are enough: no CPU stops before, but for the time.
const ENOUGH: u64 = 64;
/// How long the others are waited for; a guest's vCPU may not be scheduled for a while.
const TIMEOUT_US: u64 = 2_000_000;

/// The latest reading and who took it, packed into one word so that they change together: the reading shifted left
/// by [`CPU_BITS`], the CPU's number below, of which the MADT's reader takes no more. The high bits of a reading are
/// lost: a TSC that passes a multiple of 2^52 cycles, 14 days at 3.6 GHz, in the middle of the test looks behind. That
/// is on the safe side: it takes a makespan away, and never lends one.
const CPU_BITS: u32 = 12;
const CPU_MASK: u64 = (1 << CPU_BITS) - 1;

/// What the test found.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Warp {
    /// CPUs that took part and came back.
    pub cpus: u16,
    /// Readings.
    pub samples: u64,
    /// Readings that followed another CPU's.
    pub handovers: u64,
    /// The fewest hand-overs of any CPU that took part, in either direction.
    pub least: u64,
    /// The furthest a reading was behind, in cycles.
    pub max_warp: u64,
}

/// What the CPUs of one test have in common.
#[derive(Debug)]
pub struct Shared {
    expected: u64,
    arrived: AtomicU64,
    /// CPUs that take no further reading.
    done: AtomicU64,
    latest: AtomicU64,
    samples: AtomicU64,
    max_warp: AtomicU64,
    /// How many of the parts' counts have come to [`ENOUGH`]; each has two.
    content: AtomicU64,
    /// By the CPU's number.
    parts: Vec<Part>,
}

/// One CPU's share, in a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Part {
    took_part: AtomicBool,
    followed: AtomicU64,
    was_followed: AtomicU64,
}

/// Runs the test on every CPU that is up.
#[must_use]
pub fn test(clock: &'static Clock) -> Warp {
    let cpus: Vec<_> = PerCpu::online().collect();
    let shared = Arc::new(Shared::new(cpus.iter().map(|cpu| cpu.id)));
    let on_each = {
        let shared = Arc::clone(&shared);
        move |cpu: CpuId| shared.take_part(cpu, clock)
    };
    let job: Job = Arc::new(on_each);
    let lost = run_on(&cpus, clock, TIMEOUT_US, &job);
    shared.found(u16::try_from(cpus.len() - lost.len()).unwrap_or(u16::MAX))
}

impl Shared {
    /// For a test on these CPUs.
    #[must_use]
    pub fn new(cpus: impl Iterator<Item = CpuId> + Clone) -> Self {
        let numbers = cpus.clone().map(|cpu| usize::from(cpu.0) + 1).max().unwrap_or(0);
        Self {
            expected: cpus.count() as u64,
            arrived: AtomicU64::new(0),
            done: AtomicU64::new(0),
            latest: AtomicU64::new(0),
            samples: AtomicU64::new(0),
            max_warp: AtomicU64::new(0),
            content: AtomicU64::new(0),
            parts: (0..numbers).map(|_| Part::default()).collect(),
        }
    }

    /// The part of CPU `cpu`. Called on that CPU.
    pub fn take_part(&self, cpu: CpuId, clock: &Clock) {
        self.arrived.fetch_add(1, Ordering::AcqRel);
        clock.spin_until(LIMIT_US, || self.arrived.load(Ordering::Acquire) >= self.expected);
        self.sample(cpu, clock);
    }

    fn sample(&self, cpu: CpuId, clock: &Clock) {
        let own = u64::from(cpu.0) & CPU_MASK;
        let ahead = control::tsc_ahead(cpu);
        let begin = tsc::read() + ahead;
        let (limit, long_limit) = (begin + clock.cycles(LIMIT_US), begin + clock.cycles(LONG_LIMIT_US));
        let others = |latest: u64| latest != 0 && latest & CPU_MASK != own;
        let (mut samples, mut max_warp) = (0, 0);
        loop {
            let before = self.wait_for(&others);
            // Ordered: a reading taken before the load would see a warp that is not there.
            let now = tsc::read_ordered() + ahead;
            self.latest.fetch_max(now << CPU_BITS | own, Ordering::AcqRel);
            samples += 1;
            if others(before) {
                max_warp = max_warp.max(behind(now, before));
                self.count(own, before & CPU_MASK);
            }
            let all_done = self.done.load(Ordering::Acquire) + 1 >= self.expected;
            let tried = samples >= SAMPLES || now > limit;
            if all_done || tried && self.all_have_enough() || now > long_limit {
                break;
            }
        }
        if let Some(part) = self.part(own) {
            part.took_part.store(true, Ordering::Release);
        }
        self.samples.fetch_add(samples, Ordering::AcqRel);
        self.max_warp.fetch_max(max_warp, Ordering::AcqRel);
        self.done.fetch_add(1, Ordering::AcqRel);
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

    fn part(&self, cpu: u64) -> Option<&Part> {
        usize::try_from(cpu).ok().and_then(|cpu| self.parts.get(cpu))
    }

    /// A reading of CPU `own` followed one of CPU `other`.
    fn count(&self, own: u64, other: u64) {
        let (own, other) = (self.part(own), self.part(other));
        for count in
            [own.map(|part| &part.followed), other.map(|part| &part.was_followed)].into_iter().flatten()
        {
            if count.fetch_add(1, Ordering::AcqRel) + 1 == ENOUGH {
                self.content.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    fn all_have_enough(&self) -> bool {
        self.content.load(Ordering::Acquire) >= 2 * self.expected
    }

    /// What was found, once `cpus` have taken part.
    #[must_use]
    pub fn found(&self, cpus: u16) -> Warp {
        let count = |count: &AtomicU64| count.load(Ordering::Acquire);
        let took_part = self.parts.iter().filter(|part| part.took_part.load(Ordering::Acquire));
        let least = took_part.map(|part| count(&part.followed).min(count(&part.was_followed))).min();
        Warp {
            cpus,
            samples: count(&self.samples),
            handovers: self.parts.iter().map(|part| count(&part.followed)).sum(),
            least: least.unwrap_or(0),
            max_warp: count(&self.max_warp),
        }
    }
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

    #[test]
    fn a_cpu_that_nobody_followed_was_not_tested() {
        let shared = Shared::new([0, 1, 5].map(CpuId).into_iter());
        for cpu in [0, 1, 5] {
            shared.part(cpu).expect("a part").took_part.store(true, Ordering::Release);
        }
        // The third came late: what it read was behind nothing, and nobody read what it published.
        for (own, other) in [(0, 1), (1, 0)].into_iter().cycle().take(1_000).chain([(5, 0), (5, 1)]) {
            shared.count(own, other);
        }
        assert_eq!((shared.found(3).handovers, shared.found(3).least), (1_002, 0));
        assert!(!shared.all_have_enough());
        for _ in 0..ENOUGH {
            shared.count(5, 1);
            shared.count(1, 5);
        }
        assert_eq!(shared.found(3).least, ENOUGH);
        assert!(shared.all_have_enough());
    }

    #[test]
    fn every_cpu_takes_part_in_both_directions() {
        let clock = Clock::AT_MOST;
        let shared = Shared::new([0, 1].map(CpuId).into_iter());
        std::thread::scope(|scope| {
            let _ = [0, 1].map(|cpu| {
                scope.spawn({
                    let shared = &shared;
                    move || shared.take_part(CpuId(cpu), &clock)
                })
            });
        });
        let found = shared.found(2);
        assert_eq!((found.cpus, found.max_warp), (2, 0));
        assert!(
            found.least > 0 && found.handovers >= 2 * found.least && found.samples >= found.handovers,
            "{found:?}"
        );
    }
}
