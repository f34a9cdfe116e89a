//! The warp test: are the CPUs' TSCs in step, and by how much can they differ?
//!
//! Each CPU is tested with the first one, a pair after the other, while the other CPUs halt: with all of them on one cache
//! line, a reading would be old when it arrives. Both CPUs of a pair read their TSC and publish the reading, each as soon
//! as it sees a reading of the other. A reading was taken after the one that it followed. So their difference is at least
//! the offset of the two clocks, and the least difference in each direction bounds the offset from one side:
//!
//! ```text
//! -(least difference from this CPU to the first) <= offset <= (least difference from the first CPU to this one)
//! ```
//!
//! A negative difference, a warp, proves that the clocks differ. The interval is as wide as two readings take to arrive.

use core::hint;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use abi::CpuId;
use abi::wire::record::{Offset as OffsetRecord, Warp as WarpRecord};
use alloc::vec::Vec;

use crate::clock::Clock;
use crate::sink::Sink;
use crate::x86::tsc;

/// Hand-overs in each direction after which a pair ends.
const SAMPLES: u64 = 500;
/// Hand-overs in each direction that are enough. Only the time limit ends a pair with fewer.
const ENOUGH: u64 = 64;
/// How often a CPU polls for another's reading before it publishes a new one of its own nevertheless.
const POLLS: u32 = 1_000;
/// How long a pair goes on, from each CPU's own first reading, if it has enough.
const LIMIT_US: u64 = 20_000;
/// How long a pair goes on at most. If its vCPUs share a host CPU, only one of them runs at a time.
const LONG_LIMIT_US: u64 = 300_000;
/// How long all pairs together may wait in vain.
const TOTAL_US: u64 = 3_000_000;

/// What the test of all CPUs has found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Warp {
    /// CPUs that took part and came back.
    pub cpus: u16,
    /// What each pair found, by the number of its second CPU.
    pub pairs: Vec<(CpuId, Pair)>,
}

/// What a pair of CPUs has found.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Pair {
    /// Readings of both CPUs.
    pub samples: u64,
    /// Readings of the second CPU that followed one of the first, and of the first that followed one of the second.
    pub handovers: [u64; 2],
    /// The least that the second CPU's TSC can be ahead of the first one's, and the most, in cycles. `None` if no reading
    /// followed another in one of the directions.
    pub offset: Option<(i64, i64)>,
    /// The furthest a reading was behind the one that it followed, in cycles.
    pub max_warp: u64,
}

/// The state that the two CPUs of one test share.
#[derive(Debug, Default)]
pub struct PairTest {
    arrived: AtomicU64,
    /// The latest reading, shifted left by one, and the side that took it below; 0 if there is none.
    latest: AtomicU64,
    long_limit_us: u64,
    sides: [Side; 2],
}

/// One CPU's share, in a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct Side {
    done: AtomicBool,
    samples: AtomicU64,
    /// Readings that followed the other CPU's.
    followed: AtomicU64,
    /// The least difference of such a reading to the one that it followed.
    least: AtomicI64,
}

impl Default for Side {
    fn default() -> Self {
        Self {
            done: AtomicBool::new(false),
            samples: AtomicU64::new(0),
            followed: AtomicU64::new(0),
            least: AtomicI64::new(i64::MAX),
        }
    }
}

impl PairTest {
    /// A test of one of `pairs` pairs.
    #[must_use]
    pub fn new(pairs: usize) -> Self {
        let share = TOTAL_US / u64::try_from(pairs.max(1)).unwrap_or(u64::MAX);
        Self { long_limit_us: share.clamp(LIMIT_US, LONG_LIMIT_US), ..Self::default() }
    }

    /// Takes the readings of one CPU of the pair, the first or the second. Called on that CPU. `ahead` cycles are added to
    /// each reading: 0, unless a negative control puts this CPU's clock ahead.
    pub fn take_part(&self, second: bool, clock: &Clock, ahead: u64) {
        self.arrived.fetch_add(1, Ordering::AcqRel);
        clock.spin_until(self.long_limit_us, || self.arrived.load(Ordering::Acquire) >= 2);
        let (own, other) = (&self.sides[usize::from(second)], &self.sides[usize::from(!second)]);
        let begin = tsc::read();
        let (limit, long_limit) = (begin + clock.cycles(LIMIT_US), begin + clock.cycles(self.long_limit_us));
        let mut last = 0;
        loop {
            let before = self.wait_for_another(second, last);
            // Ordered: a reading taken before the load would see a warp that is not there.
            let now = tsc::read_ordered();
            let reading = now.wrapping_add(ahead);
            self.latest.store(reading << 1 | u64::from(second), Ordering::Release);
            own.samples.fetch_add(1, Ordering::AcqRel);
            if let Some(before) = before {
                last = before;
                own.least.fetch_min(difference(reading, before), Ordering::AcqRel);
                own.followed.fetch_add(1, Ordering::AcqRel);
            }
            let seen = [own, other].map(|side| side.followed.load(Ordering::Acquire));
            let all = |count| seen.iter().all(|&seen| seen >= count);
            let over = other.done.load(Ordering::Acquire);
            if over || all(SAMPLES) || now > limit && all(ENOUGH) || now > long_limit {
                break;
            }
        }
        own.done.store(true, Ordering::Release);
    }

    /// The other CPU's latest reading, as it is published, if it is not the one that was seen `last`; `None` after
    /// [`POLLS`].
    fn wait_for_another(&self, second: bool, last: u64) -> Option<u64> {
        for _ in 0..POLLS {
            let latest = self.latest.load(Ordering::Acquire);
            if latest != 0 && latest & 1 != u64::from(second) && latest != last {
                return Some(latest);
            }
            hint::spin_loop();
        }
        None
    }

    /// What both have found. To be read when they have ended.
    #[must_use]
    pub fn result(&self) -> Pair {
        let [first, second] = &self.sides;
        let followed = [second, first].map(|side| side.followed.load(Ordering::Acquire));
        let [to_second, to_first] = [second, first].map(|side| side.least.load(Ordering::Acquire));
        let tested = followed.iter().all(|&followed| followed > 0);
        Pair {
            samples: [first, second].iter().map(|side| side.samples.load(Ordering::Acquire)).sum(),
            handovers: followed,
            offset: tested.then_some((to_first.saturating_neg(), to_second)),
            max_warp: to_second.min(to_first).min(0).unsigned_abs(),
        }
    }
}

/// From the reading that was published as `before` to `reading`, in cycles. The highest bit of a reading is lost.
fn difference(reading: u64, before: u64) -> i64 {
    ((reading << 1).wrapping_sub(before & !1)).cast_signed() >> 1
}

impl Warp {
    /// The records: a summary, and the offset of each CPU.
    pub fn report(&self, clock: &Clock, sink: &mut impl Sink) {
        sink.record(self.summary().into());
        for &(cpu, Pair { handovers, offset, .. }) in &self.pairs {
            let Some((least, most)) = offset else { continue };
            let handovers = handovers.into_iter().min().unwrap_or(0);
            let (least_ns, most_ns) = (ns(least, clock.khz(), false), ns(most, clock.khz(), true));
            sink.record(OffsetRecord { cpu, handovers, least_ns, most_ns }.into());
        }
    }

    fn summary(&self) -> WarpRecord {
        let pairs = || self.pairs.iter().map(|(_, pair)| pair);
        WarpRecord {
            cpus: self.cpus,
            samples: pairs().map(|pair| pair.samples).sum(),
            handovers: pairs().flat_map(|pair| pair.handovers).sum(),
            least: pairs().flat_map(|pair| pair.handovers).min().unwrap_or(0),
            max_warp: pairs().map(|pair| pair.max_warp).max().unwrap_or(0),
        }
    }
}

/// Cycles in ns, rounded up or down, so that a bound stays a bound.
fn ns(cycles: i64, khz: u64, up: bool) -> i64 {
    let scaled = i128::from(cycles) * 1_000_000;
    let khz = i128::from(khz.max(1));
    let down = scaled.div_euclid(khz);
    let rounds = up && scaled.rem_euclid(khz) != 0;
    i64::try_from(down + i128::from(rounds)).unwrap_or(if cycles < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use abi::wire::Record;
    use abi::wire::record::TscSource;

    use super::*;
    use crate::clock::Choice;
    use crate::sink::tests::Kept;

    fn clock() -> Clock {
        Clock::of(&Choice { source: TscSource::Hpet, khz: 2_000_000, sources: 1, spread_ppm: 0 })
    }

    /// What two threads find whose clocks are ahead by this much.
    fn pair(ahead: [u64; 2]) -> Pair {
        let test = PairTest::new(1);
        std::thread::scope(|scope| {
            for (second, ahead) in [false, true].into_iter().zip(ahead) {
                let test = &test;
                scope.spawn(move || test.take_part(second, &Clock::AT_MOST, ahead));
            }
        });
        test.result()
    }

    #[test]
    fn clocks_in_step_have_an_offset_of_nearly_nothing() {
        let found = pair([0, 0]);
        let (least, most) = found.offset.unwrap();
        assert!(least <= 0 && 0 <= most && found.max_warp == 0, "{found:?}");
        assert!(found.samples >= found.handovers.iter().sum(), "{found:?}");
    }

    #[test]
    fn a_clock_that_is_ahead_is_found_from_both_sides() {
        const AHEAD: i64 = 1 << 30;
        let (in_step, second) = (pair([0, 0]), pair([0, 1 << 30]));
        let (least, most) = second.offset.unwrap();
        assert!(least <= AHEAD && AHEAD <= most, "{second:?}");
        // The interval is as wide as readings take to arrive.
        assert!(least > AHEAD / 2 && most < AHEAD * 2, "{second:?}, {in_step:?}");
        assert_eq!(second.max_warp, least.unsigned_abs());
        let (least, most) = pair([1 << 30, 0]).offset.unwrap();
        assert!(least <= -AHEAD && (-AHEAD..0).contains(&most));
    }

    #[test]
    fn a_cpu_that_is_alone_ends_in_time_and_was_not_tested() {
        let test = PairTest::new(1_000);
        test.take_part(false, &Clock::AT_MOST, 0);
        let alone = test.result();
        assert_eq!((alone.offset, alone.handovers, alone.max_warp), (None, [0, 0], 0));
        assert!(alone.samples > 0);
    }

    #[test]
    fn differences_pass_the_highest_bit() {
        assert_eq!(difference(1_007, 1_000 << 1 | 1), 7);
        assert_eq!(difference(1_000, 1_007 << 1), -7);
        assert_eq!(difference(1 << 63 | 3, ((1 << 63) - 4) << 1), 7);
    }

    #[test]
    fn bounds_are_rounded_outwards() {
        assert_eq!((ns(3, 2_000_000, true), ns(3, 2_000_000, false)), (2, 1));
        assert_eq!((ns(-3, 2_000_000, true), ns(-3, 2_000_000, false)), (-1, -2));
        assert_eq!((ns(4, 2_000_000, true), ns(-4, 2_000_000, false)), (2, -2));
        assert_eq!(ns(i64::MIN, 1, false), i64::MIN);
    }

    #[test]
    fn reports_the_worst_pair_and_every_offset() {
        let good = Pair { samples: 20, handovers: [9, 8], offset: Some((-40, 61)), max_warp: 0 };
        let bad = Pair { samples: 10, handovers: [3, 4], offset: Some((100, 161)), max_warp: 100 };
        let none = Pair { samples: 5, handovers: [2, 0], offset: None, max_warp: 0 };
        let warp = Warp { cpus: 4, pairs: Vec::from([(CpuId(1), good), (CpuId(2), bad), (CpuId(3), none)]) };
        let mut kept = Kept::default();
        warp.report(&clock(), &mut kept);
        assert_eq!(kept.names(), ["warp", "offset", "offset"]);
        let Record::Warp(summary) = kept.0[0] else { panic!("{:?}", kept.names()) };
        assert_eq!(summary, WarpRecord { cpus: 4, samples: 35, handovers: 26, least: 0, max_warp: 100 });
        let Record::Offset(offset) = kept.0[1] else { panic!("{:?}", kept.names()) };
        assert_eq!(offset, OffsetRecord { cpu: CpuId(1), handovers: 8, least_ns: -20, most_ns: 31 });
    }
}
