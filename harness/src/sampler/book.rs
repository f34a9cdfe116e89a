//! The records of a series, and the figures that the console page needs of them.

use abi::CpuId;
use abi::plan::Platform;
use abi::series::{Counts, Packer, SeriesClass, SeriesRow, Unavailable, bucket};
use abi::wire::Text;
use abi::wire::record::{
    Series as SeriesRecord, SeriesCounts, SeriesNone, SeriesOracle, SeriesRange, SeriesSamples,
};
use alloc::vec::Vec;

use super::{Taken, Tally};
use crate::sink::Sink;

/// The row of a series, and where it is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The row.
    pub row: SeriesRow,
    /// The CPU whose clock is read.
    pub cpu: CpuId,
    /// The other CPU, if there is one.
    pub peer: Option<CpuId>,
    /// The argument of the row.
    pub arg: u64,
}

impl Place {
    /// A row on one CPU without an argument.
    #[must_use]
    pub const fn of(row: SeriesRow, cpu: CpuId) -> Self {
        Self { row, cpu, peer: None, arg: 0 }
    }

    /// The same with another CPU.
    #[must_use]
    pub const fn with(self, peer: CpuId) -> Self {
        Self { peer: Some(peer), ..self }
    }

    /// The same with an argument.
    #[must_use]
    pub const fn arg(self, arg: u64) -> Self {
        Self { arg, ..self }
    }

    fn peer(self) -> Option<u32> {
        self.peer.map(|CpuId(peer)| u32::from(peer))
    }
}

/// A series that was measured, but for its samples.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Measured {
    /// The operations in a sample.
    pub n: u64,
    /// The first warm-up, in cycles.
    pub cold: u64,
    /// What must have been done.
    pub due: u64,
    /// What was done.
    pub tally: Tally,
}

impl From<Taken> for Measured {
    fn from(Taken { n, cold, count, tally }: Taken) -> Self {
        Self { n, cold, due: n.wrapping_mul(count as u64), tally }
    }
}

/// The figures of a series, for a person at the machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Figure {
    /// The series.
    pub place: Place,
    /// The operations in a sample.
    pub n: u64,
    /// The samples.
    pub count: u64,
    /// The least sample, in cycles.
    pub min: u64,
    /// The median: the sample below which half of them are.
    pub median: u64,
    /// The sample below which 99 of 100 are.
    pub p99: u64,
    /// The greatest sample.
    pub max: u64,
    /// The sum of all samples.
    pub sum: u64,
    /// What was to be done; for gaps the length of the window, in cycles.
    pub due: u64,
    /// Whether the oracle holds.
    pub holds: bool,
}

/// Numbers the series and emits them.
#[derive(Debug, Default)]
pub struct Book {
    next: u16,
    prints_samples: bool,
    figures: Vec<Figure>,
}

impl Book {
    /// A book for a plan.
    #[must_use]
    pub fn new(asked: &Platform) -> Self {
        Self { prints_samples: asked.samples, ..Self::default() }
    }

    /// A book that goes on after these figures.
    #[must_use]
    pub fn after(figures: Vec<Figure>, prints_samples: bool) -> Self {
        Self { next: u16::try_from(figures.len()).unwrap_or(u16::MAX), prints_samples, figures }
    }

    /// The number of the next series.
    #[must_use]
    pub const fn next(&self) -> u16 {
        self.next
    }

    /// The figures, when nothing follows.
    #[must_use]
    pub fn into_figures(self) -> Vec<Figure> {
        self.figures
    }

    /// The figures of all series that were measured.
    #[must_use]
    pub fn figures(&self) -> &[Figure] {
        &self.figures
    }

    /// Emits a series of samples. Sorts them.
    pub fn emit<S: Sink + ?Sized>(
        &mut self,
        sink: &mut S,
        place: Place,
        measured: Measured,
        samples: &mut [u64],
    ) {
        if self.prints_samples {
            self.emit_samples(sink, samples);
        }
        samples.sort_unstable();
        let at = |per_mille: usize| {
            samples.get((samples.len() * per_mille / 1000).min(samples.len().saturating_sub(1)))
        };
        let (median, p99) = (at(500).copied().unwrap_or(0), at(990).copied().unwrap_or(0));
        let range = Range {
            count: samples.len() as u64,
            min: samples.first().copied().unwrap_or(0),
            max: samples.last().copied().unwrap_or(0),
            sum: samples.iter().fold(0, |sum: u64, &sample| sum.saturating_add(sample)),
        };
        let pairs = samples.chunk_by(|a, b| bucket(*a) == bucket(*b));
        let pairs = pairs.filter_map(|same| Some((bucket(*same.first()?), same.len() as u64)));
        self.emit_histogram(sink, place, measured, range, (median, p99), pairs);
    }

    /// Emits a series that was counted in buckets.
    pub fn emit_gaps<S: Sink + ?Sized>(
        &mut self,
        sink: &mut S,
        place: Place,
        measured: Measured,
        range: Range,
        buckets: impl Iterator<Item = (u16, u64)>,
    ) {
        self.emit_histogram(sink, place, measured, range, (0, 0), buckets);
    }

    /// Emits that there is no such series.
    pub fn none<S: Sink + ?Sized>(&mut self, sink: &mut S, place: Place, reason: Unavailable) {
        let Place { row, cpu, arg, .. } = place;
        sink.record(SeriesNone { row, cpu, peer: place.peer(), arg, reason }.into());
    }

    fn emit_histogram<S: Sink + ?Sized>(
        &mut self,
        sink: &mut S,
        place: Place,
        measured: Measured,
        range: Range,
        (median, p99): (u64, u64),
        buckets: impl Iterator<Item = (u16, u64)>,
    ) {
        let (id, Place { row, cpu, arg, .. }) = (self.next, place);
        self.next = self.next.saturating_add(1);
        let Measured { n, cold, due, tally: Tally { done, wrong } } = measured;
        let Range { count, min, max, sum } = range;
        let (class, count_32) = (row.class(), u32::try_from(count).unwrap_or(u32::MAX));
        sink.record(SeriesRecord { id, row, cpu, peer: place.peer(), arg, class, n, count: count_32 }.into());
        sink.record(SeriesOracle { id, due, done, wrong }.into());
        sink.record(SeriesRange { id, cold, min, max, sum }.into());
        let mut counts = Counts::default();
        emit_packed(buckets.map(|(bucket, count)| counts.pair(bucket, count)), |part, text| {
            sink.record(SeriesCounts { id, part, counts: Text::new(text) }.into());
        });
        let empty_gaps = class == SeriesClass::Gaps && count == 0;
        let holds = due == done && wrong == 0 && (min > 0 || empty_gaps);
        self.figures.push(Figure { place, n, count, min, median, p99, max, sum, due, holds });
    }

    fn emit_samples<S: Sink + ?Sized>(&self, sink: &mut S, samples: &[u64]) {
        let id = self.next;
        emit_packed(samples.iter().map(|&sample| [sample]), |part, text| {
            sink.record(SeriesSamples { id, part, samples: Text::new(text) }.into());
        });
    }
}

/// The number of samples, and their range, in cycles.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Range {
    /// The samples.
    pub count: u64,
    /// The least; 0 if there is none.
    pub min: u64,
    /// The greatest; 0 if there is none.
    pub max: u64,
    /// The sum.
    pub sum: u64,
}

/// Packs groups of numbers into as few texts as hold them, each group whole.
fn emit_packed<const GROUP: usize>(
    groups: impl Iterator<Item = [u64; GROUP]>,
    mut emit: impl FnMut(u16, &str),
) {
    let (mut packer, mut part) = (Packer::<128>::default(), 0);
    for group in groups {
        if !packer.push(&group) {
            emit(part, packer.as_str());
            part = part.saturating_add(1);
            packer = Packer::default();
            // Two numbers of 64 bits take 26 characters.
            let _fits = packer.push(&group);
        }
    }
    if !packer.is_empty() {
        emit(part, packer.as_str());
    }
}
