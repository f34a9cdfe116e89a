//! Measures the TSC against counters of known frequency.

use abi::wire::record::TscSource;
use alloc::vec::Vec;
use harness::clock::{Clock, Mark, Reading};
use harness::x86::tsc;

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

/// The reciprocal of the longest window, per second: 10 ms, well within a 24-bit PM timer's 4.7 s and a PIT's 55 ms.
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
/// How sharp the reading must be that becomes the frequency in use, per million, for the window to end before its longest
/// time: ten times sharper than what two sources may differ by. A reading that only checks a stated frequency need be
/// [`SHARP_PPM`].
const FINE_PPM: u64 = 100;

/// Measures the TSC against all of `counters`, the best of them first, over the same time; again, if one of them could not
/// be read sharply. The sharpest reading of each counts. A counter that stands still yields none. `stated` is whether a
/// source states the frequency, so that the readings only check it.
///
/// The window ends once every reading is as sharp as its use needs, and after 10 ms at the latest. If a counter is read
/// within 100 ns that is after 2 ms, for the tick of the PIT is 838 ns. If each reading is an exit to a hypervisor, the
/// window has its full length.
pub fn measure(counters: &[&dyn Counter], stated: bool) -> Vec<Reading> {
    let mut best = attempt(counters, stated);
    for _ in 1..ATTEMPTS {
        if best.iter().all(|span| span.blur_ppm() <= SHARP_PPM) {
            break;
        }
        for span in attempt(counters, stated) {
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
fn attempt(counters: &[&dyn Counter], stated: bool) -> Vec<Span> {
    if counters.is_empty() {
        return Vec::new();
    }
    let needs = (0..).map(|place| if place == 0 && !stated { FINE_PPM } else { SHARP_PPM });
    let window: Vec<_> =
        counters.iter().zip(needs).map(|(counter, need)| Watched::begin(*counter, need)).collect();
    if !Clock::AT_MOST.spin_until(PATIENCE_US, || is_over(&window)) {
        return Vec::new();
    }
    let mut spans: Vec<_> = window.iter().map(Span::end).collect();
    // If this vCPU was descheduled for long, a counter may have wrapped around.
    let longest = spans.iter().map(Span::micros).max().unwrap_or(0);
    spans.retain(|span| longest < span.wrap_micros());
    spans
}

/// Whether every reading is as sharp as it must be, or any counter has counted for the longest window.
fn is_over(window: &[Watched<'_>]) -> bool {
    let now = tsc::read_ordered();
    window.iter().all(|watched| watched.is_sharp(now)) || window.iter().any(Watched::has_counted_enough)
}

/// A counter in the window.
struct Watched<'a> {
    counter: &'a dyn Counter,
    start: Mark,
    /// How many cycles passed around the reading at the start.
    start_width: u64,
    /// How sharp its reading must be, per million.
    need_ppm: u64,
}

impl<'a> Watched<'a> {
    /// From now on.
    fn begin(counter: &'a dyn Counter, need_ppm: u64) -> Self {
        let (start_width, start) = Mark::take_with_width(|| counter.now());
        Self { counter, start, start_width, need_ppm }
    }

    /// Ticks until now.
    fn ticks(&self) -> u64 {
        elapsed(self.counter, self.start.count, self.counter.now())
    }

    /// Whether a reading at the TSC value `now` is sharp enough.
    fn is_sharp(&self, now: u64) -> bool {
        let cycles = now.saturating_sub(self.start.tsc);
        unsharp_ppm(self.start_width, cycles, self.ticks()) <= self.need_ppm
    }

    fn has_counted_enough(&self) -> bool {
        self.ticks() >= self.counter.hz() / WINDOW_PER_SECOND
    }
}

/// By how much a frequency may be wrong, in parts per million, that comes from `ticks` in `cycles`: by one tick, and by the
/// `width` in which the counter was read.
fn unsharp_ppm(width: u64, cycles: u64, ticks: u64) -> u64 {
    match (width.saturating_mul(1_000_000).checked_div(cycles), 1_000_000_u64.checked_div(ticks)) {
        (Some(by_width), Some(by_tick)) => by_width.saturating_add(by_tick),
        _ => u64::MAX,
    }
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
    /// From the start of the window to now.
    fn end(window: &Watched<'_>) -> Self {
        let Watched { counter, start, start_width, .. } = *window;
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
#[path = "reference_tests.rs"]
mod tests;
