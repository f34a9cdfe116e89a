//! The warp test: are the CPUs' TSCs in step?
//!
//! All CPUs at once read their TSC and publish it as the latest reading known, each as soon as it sees another's. A
//! reading that is behind one which another CPU had already published proves that two TSCs differ by at least that
//! much. The test cannot prove that they do not differ: it does not see a difference smaller than the time in which one
//! CPU sees another's write. So it counts the hand-overs, readings that followed another CPU's, and for each CPU how
//! often it followed and how often it was followed. A clock that is behind shows in the first direction only, one that
//! is ahead in the second, and a CPU with neither was not tested.

use core::hint;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use abi::CpuId;
use abi::wire::record::Warp as WarpRecord;
use alloc::vec::Vec;

use crate::clock::Clock;
use crate::x86::tsc;

/// Readings that each CPU takes.
const SAMPLES: u64 = 2_000;
/// How often a CPU polls for another's reading before it takes one of its own nevertheless.
const POLLS: u32 = 1_000;
/// How long a CPU goes on, from its own first reading, once all have seen enough.
const LIMIT_US: u64 = 20_000;
/// How long a CPU goes on at most. If vCPUs share a host CPU, only one of them runs at a time.
const LONG_LIMIT_US: u64 = 300_000;
/// Hand-overs of each CPU in each direction that are enough. Only the time limit stops a CPU with fewer.
const ENOUGH: u64 = 64;

/// The latest reading and the CPU that took it are packed into one word, so that they change together: the reading
/// shifted left by [`CPU_BITS`], the CPU's number below. The MADT's reader yields no number with more bits. The high
/// bits of a reading are lost: a TSC that passes a multiple of 2^52 cycles (14 days at 3.6 GHz) in the middle of the
/// test seems to be behind. That is on the safe side: it can void a good makespan, and never pass a bad one.
const CPU_BITS: u32 = 12;
const CPU_MASK: u64 = (1 << CPU_BITS) - 1;

/// The test's result.
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

/// The state that the CPUs of one test share.
#[derive(Debug)]
pub struct WarpTest {
    expected: u64,
    arrived: AtomicU64,
    /// CPUs that take no further reading.
    done: AtomicU64,
    latest: AtomicU64,
    samples: AtomicU64,
    max_warp: AtomicU64,
    /// How many of the parts' counts have reached [`ENOUGH`]; each part has two.
    satisfied: AtomicU64,
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

impl Part {
    /// The CPU's hand-overs in the direction that has fewer.
    fn least(&self) -> u64 {
        self.followed.load(Ordering::Acquire).min(self.was_followed.load(Ordering::Acquire))
    }
}

impl From<Warp> for WarpRecord {
    fn from(Warp { cpus, samples, handovers, least, max_warp }: Warp) -> Self {
        Self { cpus, samples, handovers, least, max_warp }
    }
}

impl WarpTest {
    /// A test on these CPUs.
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
            satisfied: AtomicU64::new(0),
            parts: (0..numbers).map(|_| Part::default()).collect(),
        }
    }

    /// Takes the readings of CPU `cpu`. Called on that CPU. `ahead` cycles are added to each reading: 0, unless a
    /// negative control puts this CPU's clock ahead.
    pub fn take_part(&self, cpu: CpuId, clock: &Clock, ahead: u64) {
        self.arrived.fetch_add(1, Ordering::AcqRel);
        clock.spin_until(LIMIT_US, || self.arrived.load(Ordering::Acquire) >= self.expected);
        self.sample(cpu, clock, ahead);
    }

    fn sample(&self, cpu: CpuId, clock: &Clock, ahead: u64) {
        let own = u64::from(cpu.0) & CPU_MASK;
        let begin = tsc::read() + ahead;
        let (limit, long_limit) = (begin + clock.cycles(LIMIT_US), begin + clock.cycles(LONG_LIMIT_US));
        let (mut samples, mut max_warp) = (0, 0);
        loop {
            let before = self.wait_for_another(own);
            // Ordered: a reading taken before the load would see a warp that is not there.
            let now = tsc::read_ordered() + ahead;
            self.latest.fetch_max(now << CPU_BITS | own, Ordering::AcqRel);
            samples += 1;
            if is_anothers(before, own) {
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

    /// The latest reading: another CPU's, or after [`POLLS`] its own or none.
    fn wait_for_another(&self, own: u64) -> u64 {
        let mut latest = 0;
        for _ in 0..POLLS {
            latest = self.latest.load(Ordering::Acquire);
            if is_anothers(latest, own) {
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
                self.satisfied.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    fn all_have_enough(&self) -> bool {
        self.satisfied.load(Ordering::Acquire) >= 2 * self.expected
    }

    /// The result, once `cpus` have taken part.
    #[must_use]
    pub fn result(&self, cpus: u16) -> Warp {
        let took_part = self.parts.iter().filter(|part| part.took_part.load(Ordering::Acquire));
        Warp {
            cpus,
            samples: self.samples.load(Ordering::Acquire),
            handovers: self.parts.iter().map(|part| part.followed.load(Ordering::Acquire)).sum(),
            least: took_part.map(Part::least).min().unwrap_or(0),
            max_warp: self.max_warp.load(Ordering::Acquire),
        }
    }
}

/// Whether the published word `latest` is a reading of another CPU than `own`.
const fn is_anothers(latest: u64, own: u64) -> bool {
    latest != 0 && latest & CPU_MASK != own
}

/// How far the reading `now` is behind the published word `before`; 0 if it is not.
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
    fn a_cpu_that_no_other_followed_was_not_tested() {
        let test = WarpTest::new([0, 1, 5].map(CpuId).into_iter());
        for cpu in [0, 1, 5] {
            test.part(cpu).expect("a part").took_part.store(true, Ordering::Release);
        }
        // The third came late: its readings were behind none, and no CPU read what it published.
        for (own, other) in [(0, 1), (1, 0)].into_iter().cycle().take(1_000).chain([(5, 0), (5, 1)]) {
            test.count(own, other);
        }
        assert_eq!((test.result(3).handovers, test.result(3).least), (1_002, 0));
        assert!(!test.all_have_enough());
        for _ in 0..ENOUGH {
            test.count(5, 1);
            test.count(1, 5);
        }
        assert_eq!(test.result(3).least, ENOUGH);
        assert!(test.all_have_enough());
    }

    #[test]
    fn a_clock_that_is_ahead_shows_as_a_warp() {
        let test = WarpTest::new([0, 1].map(CpuId).into_iter());
        std::thread::scope(|scope| {
            for (cpu, ahead) in [(0, 1 << 30), (1, 0)] {
                let test = &test;
                scope.spawn(move || test.take_part(CpuId(cpu), &Clock::AT_MOST, ahead));
            }
        });
        // The CPU behind never publishes: a maximum is kept. Its readings are behind by nearly all of the lead.
        assert!(test.result(2).max_warp > 1 << 29, "{:?}", test.result(2));
    }

    #[test]
    fn every_cpu_takes_part_in_both_directions() {
        let clock = Clock::AT_MOST;
        let test = WarpTest::new([0, 1].map(CpuId).into_iter());
        std::thread::scope(|scope| {
            let _ = [0, 1].map(|cpu| {
                scope.spawn({
                    let test = &test;
                    move || test.take_part(CpuId(cpu), &clock, 0)
                })
            });
        });
        let found = test.result(2);
        assert_eq!((found.cpus, found.max_warp), (2, 0));
        assert!(
            found.least > 0 && found.handovers >= 2 * found.least && found.samples >= found.handovers,
            "{found:?}"
        );
    }
}
