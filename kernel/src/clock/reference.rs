//! Measures the TSC against counters of known frequency.

use abi::wire::record::TscSource;
use alloc::vec::Vec;
use harness::clock::{Clock, Mark, Reading};

/// A counter that runs at a known rate.
pub trait Counter {
    /// The source that its reading is attributed to.
    fn source(&self) -> TscSource;
    /// Ticks in a second.
    fn hz(&self) -> u64;
    /// The count now, modulo [`Counter::mask`] + 1, counting up.
    fn now(&self) -> u64;
    /// A mask of all its bits.
    fn mask(&self) -> u64;
}

/// The reciprocal of the window, per second: 10 ms, well within a 24-bit PM timer's 4.7 s and a PIT's 55 ms.
const WINDOW_PER_SECOND: u64 = 100;
/// How long the counters are watched before all of them are taken as standing still, in microseconds. It is a time and not
/// a number of polls: a poll takes half a microsecond on one machine, and a hundred of them where a VMM answers each port.
const PATIENCE_US: u64 = 100_000;

/// How often the counters are measured at most, if a reading is not sharp.
const ATTEMPTS: u32 = 4;
/// A reading is sharp if the moments at which its counter was read are known to this part of the time between them, per
/// million: half of what the gate allows two sources to differ by. On a busy host a vCPU may be slow at each of several
/// tries.
const SHARP_PPM: u64 = 500;

/// Measures the TSC against all of `counters` over the same time; again, if one of them could not be read sharply. The
/// sharpest reading of each counts. A counter that stands still yields none.
pub fn measure(counters: &[&dyn Counter]) -> Vec<Reading> {
    let mut best = attempt(counters);
    for _ in 1..ATTEMPTS {
        if best.iter().all(|span| span.blur_ppm() <= SHARP_PPM) {
            break;
        }
        for span in attempt(counters) {
            match best.iter_mut().find(|other| other.source == span.source) {
                Some(other) if span.blur_ppm() < other.blur_ppm() => *other = span,
                Some(_) => {}
                None => best.push(span),
            }
        }
    }
    best.iter().filter_map(Span::reading).collect()
}

/// Measures once.
fn attempt(counters: &[&dyn Counter]) -> Vec<Span> {
    if counters.is_empty() {
        return Vec::new();
    }
    let starts: Vec<_> = counters.iter().map(|counter| Mark::take_with_width(|| counter.now())).collect();
    if !Clock::AT_MOST.spin_until(PATIENCE_US, || window_is_over(counters, &starts)) {
        return Vec::new();
    }
    let mut spans: Vec<_> = counters.iter().zip(&starts).map(|(c, &start)| Span::end(*c, start)).collect();
    // If this vCPU was descheduled for long, a counter may have wrapped around.
    let longest = spans.iter().map(Span::micros).max().unwrap_or(0);
    spans.retain(|span| longest < span.wrap_micros());
    spans
}

/// Whether any counter has counted for the whole window.
fn window_is_over(counters: &[&dyn Counter], starts: &[(u64, Mark)]) -> bool {
    let mut each = counters.iter().zip(starts);
    each.any(|(c, (_, start))| elapsed(*c, start.count, c.now()) >= c.hz() / WINDOW_PER_SECOND)
}

/// One counter's ticks and the TSC's cycles over the same time.
struct Span {
    source: TscSource,
    hz: u64,
    mask: u64,
    cycles: u64,
    ticks: u64,
    /// By how many cycles the time may be wrong.
    blur: u64,
}

impl Span {
    /// From `start` to now.
    fn end(counter: &dyn Counter, (start_width, start): (u64, Mark)) -> Self {
        let (end_width, end) = Mark::take_with_width(|| counter.now());
        Self {
            source: counter.source(),
            hz: counter.hz(),
            mask: counter.mask(),
            cycles: end.tsc.saturating_sub(start.tsc),
            ticks: elapsed(counter, start.count, end.count),
            blur: start_width.midpoint(end_width),
        }
    }

    fn micros(&self) -> u64 {
        micros(self.ticks, self.hz)
    }

    /// How long the counter takes to wrap around.
    fn wrap_micros(&self) -> u64 {
        micros(self.mask, self.hz)
    }

    /// By how much the reading may be wrong, in parts per million.
    fn blur_ppm(&self) -> u64 {
        self.blur.saturating_mul(1_000_000) / self.cycles.max(1)
    }

    fn reading(&self) -> Option<Reading> {
        let khz = khz(self.cycles, self.ticks, self.hz).filter(|&khz| khz > 0)?;
        Some(Reading { source: self.source, khz })
    }
}

fn micros(ticks: u64, hz: u64) -> u64 {
    let micros = (u128::from(ticks) * 1_000_000).checked_div(u128::from(hz));
    micros.and_then(|micros| u64::try_from(micros).ok()).unwrap_or(u64::MAX)
}

fn elapsed(counter: &dyn Counter, from: u64, to: u64) -> u64 {
    to.wrapping_sub(from) & counter.mask()
}

/// The TSC's frequency in kHz from `cycles` in the time of `ticks` at `hz`; `None` without ticks.
fn khz(cycles: u64, ticks: u64, hz: u64) -> Option<u64> {
    let scaled = u128::from(cycles) * u128::from(hz);
    u64::try_from(scaled.checked_div(u128::from(ticks) * 1000)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a counter is read for its first mark, at most.
    const FIRST_MARK: u32 = 8;

    /// A counter that has advanced by `ticks` after its first mark.
    struct Advanced {
        hz: u64,
        mask: u64,
        ticks: u64,
        reads: core::cell::Cell<u32>,
    }

    impl Advanced {
        fn by(ms: u64, hz: u64, mask: u64) -> Self {
            Self { hz, mask, ticks: hz * ms / 1000, reads: 0.into() }
        }
    }

    impl Counter for Advanced {
        fn source(&self) -> TscSource {
            if self.mask == 0xffff { TscSource::Pit } else { TscSource::Hpet }
        }

        fn hz(&self) -> u64 {
            self.hz
        }

        fn now(&self) -> u64 {
            self.reads.set(self.reads.get() + 1);
            if self.reads.get() <= FIRST_MARK { 0 } else { self.ticks & self.mask }
        }

        fn mask(&self) -> u64 {
            self.mask
        }
    }

    /// The sources that yield a reading when both counters have advanced by this time.
    fn sources(ms: u64) -> Vec<TscSource> {
        let (hpet, pit) = (Advanced::by(ms, 100_000_000, u64::MAX), Advanced::by(ms, 1_193_182, 0xffff));
        measure(&[&hpet, &pit]).iter().map(|reading| reading.source).collect()
    }

    #[test]
    fn ignores_a_counter_that_may_have_wrapped_around() {
        assert_eq!(sources(20), [TscSource::Hpet, TscSource::Pit]);
        assert_eq!(sources(60), [TscSource::Hpet]);
    }

    #[test]
    fn states_how_sharp_a_reading_is() {
        let span = |blur| Span {
            source: TscSource::Pit,
            hz: 1_193_182,
            mask: 0xffff,
            cycles: 30_000_000,
            ticks: 11_931,
            blur,
        };
        assert_eq!(span(15_000).blur_ppm(), SHARP_PPM);
        assert!(span(15_031).blur_ppm() > SHARP_PPM);
        assert_eq!(span(u64::MAX).blur_ppm(), u64::MAX / 30_000_000);
    }

    /// A counter that stands still, and takes half a millisecond for each answer.
    struct Still {
        reads: core::cell::Cell<u32>,
    }

    impl Counter for Still {
        fn source(&self) -> TscSource {
            TscSource::PmTimer
        }

        fn hz(&self) -> u64 {
            3_579_545
        }

        fn now(&self) -> u64 {
            self.reads.set(self.reads.get() + 1);
            std::thread::sleep(core::time::Duration::from_micros(500));
            0
        }

        fn mask(&self) -> u64 {
            0xff_ffff
        }
    }

    /// By a number of polls, as it once was, this took minutes.
    #[test]
    fn gives_up_by_time_however_slowly_a_counter_answers() {
        let still = Still { reads: 0.into() };
        assert_eq!(measure(&[&still]), []);
        assert!(still.reads.get() < 5_000, "{}", still.reads.get());
        assert_eq!(measure(&[]), []);
    }

    #[test]
    fn turns_counts_into_a_frequency() {
        assert_eq!(khz(30_000_000, 35_795, 3_579_545), Some(3_000_037));
        assert_eq!(khz(30_000_000, 0, 3_579_545), None);
        assert_eq!(khz(u64::MAX, 1, u64::MAX), None);
    }
}
