//! The sampler: it times operations in batches or one by one, and emits each series of samples as records. Both systems
//! measure every row of the platform with it.
//!
//! The clock is read by LFENCE; RDTSC; LFENCE at both ends. Nothing is subtracted: what an empty body takes is a row of its
//! own. A row has one place that can leave an operation out, for a control ([`Sampler::shortens`]): what its oracle counts
//! must then differ from what is due.

mod book;

use abi::plan::Platform;
use abi::series::{BATCH_US, FEWEST, SeriesRow, Shortened, Unavailable, WARM_UPS};

use crate::clock::Clock;
use crate::x86::tsc;

pub use book::{Book, Figure, Measured, Place, Range};

/// How long a row takes at most, in microseconds, whatever the machine. It then has fewer samples, and reports how many.
pub const BUDGET_US: u64 = 2_000_000;

/// What one side of a row counted, for its oracle.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Operations that were done.
    pub done: u64,
    /// Results that are wrong.
    pub wrong: u64,
}

impl Tally {
    /// Adds another.
    pub const fn add(&mut self, other: Self) {
        self.done = self.done.wrapping_add(other.done);
        self.wrong = self.wrong.saturating_add(other.wrong);
    }
}

/// How a batch row is sampled.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The samples to take.
    pub batches: u32,
    /// The least that a batch takes, in microseconds: N doubles until it does.
    pub least_us: u64,
    /// The most operations in a batch.
    pub most: u64,
    /// The longest that the row takes, in microseconds.
    pub budget_us: u64,
}

impl Shape {
    /// That of most rows.
    pub const BATCHES: Self =
        Self { batches: abi::series::BATCHES, least_us: BATCH_US, most: 1 << 30, budget_us: BUDGET_US };
}

/// What was taken besides the samples themselves.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Taken {
    /// The operations in a sample.
    pub n: u64,
    /// The first warm-up, in cycles: of one operation.
    pub cold: u64,
    /// The samples.
    pub count: usize,
    /// What the row's other side counted.
    pub tally: Tally,
}

/// Takes samples into memory that was allocated and touched before.
pub struct Sampler<'a> {
    clock: &'a Clock,
    samples: &'a mut [u64],
    short: Shortened,
}

impl<'a> Sampler<'a> {
    /// A sampler that fills `samples` and shortens the rows that the plan names.
    #[must_use]
    pub fn new(clock: &'a Clock, samples: &'a mut [u64], asked: &Platform) -> Self {
        samples.fill(u64::MAX);
        Self { clock, samples, short: asked.short }
    }

    /// The clock.
    #[must_use]
    pub const fn clock(&self) -> &'a Clock {
        self.clock
    }

    /// The most samples that a row can have.
    #[must_use]
    pub const fn room(&self) -> usize {
        self.samples.len()
    }

    /// The samples that were taken last.
    pub fn samples(&mut self, count: usize) -> &mut [u64] {
        &mut self.samples[..count]
    }

    /// Whether a row does one operation less than it reports, for a control.
    #[must_use]
    pub fn shortens(&self, row: SeriesRow) -> bool {
        self.short.has(row)
    }

    /// Times batches of `body`, which does as many operations as it is given.
    ///
    /// # Errors
    /// The machine is too slow for the fewest samples.
    pub fn batches(
        &mut self,
        row: SeriesRow,
        shape: Shape,
        body: &mut dyn FnMut(u64) -> Tally,
    ) -> Result<Taken, Unavailable> {
        let deadline = self.deadline(shape.budget_us);
        let (cold, _) = timed(1, body);
        let n = self.calibrate(shape, body);
        for _ in 0..WARM_UPS {
            if tsc::read() < deadline {
                timed(n, body);
            }
        }
        let left_out = u64::from(self.shortens(row));
        let (mut count, mut tally) = (0, Tally::default());
        let most = self.samples.len().min(usize::try_from(shape.batches).unwrap_or(usize::MAX));
        while count < most && (count < fewest() || tsc::read() < deadline) {
            let (cycles, of_batch) = timed(n - left_out, body);
            self.samples[count] = cycles;
            tally.add(of_batch);
            count += 1;
        }
        enough(count).map(|()| Taken { n, cold, count, tally })
    }

    /// Doubles the operations of a batch until it takes long enough.
    fn calibrate(&self, shape: Shape, body: &mut dyn FnMut(u64) -> Tally) -> u64 {
        let least = self.clock.cycles(shape.least_us);
        let mut n = 1;
        // A batch of one can be cut short by one: then nothing is left to time, and the oracle shows it.
        while n < shape.most && timed(n, body).0 < least {
            n *= 2;
        }
        n
    }

    /// Runs `event` as often as a row is warmed up. Returns what the first one took.
    pub fn warm_up(&mut self, mut event: impl FnMut() -> Option<u64>) -> u64 {
        let deadline = self.deadline(BUDGET_US);
        let cold = event().unwrap_or(0);
        for _ in 1..WARM_UPS {
            if tsc::read() < deadline {
                event();
            }
        }
        cold
    }

    /// Takes samples of `event`, which returns one in cycles, or `None` if there was none: the row's oracle counts that.
    /// Ends after `budget_us`. Returns the number of samples.
    ///
    /// # Errors
    /// The machine is too slow for the fewest samples.
    pub fn events(
        &mut self,
        row: SeriesRow,
        count: u32,
        budget_us: u64,
        mut event: impl FnMut() -> Option<u64>,
    ) -> Result<usize, Unavailable> {
        let deadline = self.deadline(budget_us);
        let most = self.samples.len().min(usize::try_from(count).unwrap_or(usize::MAX));
        let mut left_out = self.shortens(row);
        let mut taken = 0;
        while taken < most && (taken < fewest() || tsc::read() < deadline) {
            // The sample of an event that does not happen is that of the one before it.
            let skip = left_out && taken > 0;
            left_out &= !skip;
            self.samples[taken] =
                if skip { self.samples[taken - 1] } else { event().unwrap_or(u64::MAX >> 1) };
            taken += 1;
        }
        enough(taken).map(|()| taken)
    }

    fn deadline(&self, budget_us: u64) -> u64 {
        tsc::read().saturating_add(self.clock.cycles(budget_us))
    }
}

fn fewest() -> usize {
    usize::try_from(FEWEST).unwrap_or(usize::MAX)
}

fn enough(count: usize) -> Result<(), Unavailable> {
    if count < fewest() { Err(Unavailable::TooSlow) } else { Ok(()) }
}

/// The cycles of a batch, and what it counted.
fn timed(n: u64, body: &mut dyn FnMut(u64) -> Tally) -> (u64, Tally) {
    let begin = tsc::read_ordered();
    let tally = body(n);
    let end = tsc::read_ordered();
    (end.saturating_sub(begin), tally)
}

#[cfg(test)]
mod tests;
