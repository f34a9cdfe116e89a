//! The sampler with operations that the tests play, and its records against exact percentiles.

use abi::CpuId;
use abi::series::{Counts, SeriesRow, bounds};
use abi::wire::Record;
use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;
use crate::clock::Choice;
use crate::sink::tests::Kept;

fn clock() -> Clock {
    let source = abi::wire::record::TscSource::Hpet;
    Clock::of(&Choice { source, khz: 1_000_000, sources: 1, spread_ppm: 0 })
}

const fn asked(short: Shortened) -> Platform {
    Platform { noise_ms: 0, short, samples: true }
}

const PLACE: Place = Place::of(SeriesRow::ExitCpuid, CpuId(0));

/// The buckets of a histogram as its records have them.
fn buckets(records: &[Record]) -> Vec<(u16, u64)> {
    let (mut counts, mut all) = (Counts::default(), Vec::new());
    for record in records {
        if let Record::SeriesCounts(part) = record {
            counts.read(part.counts.decoded(), |bucket, count| all.push((bucket, count))).unwrap();
        }
    }
    all
}

/// The bucket in which the sample of this rank is.
fn of_rank(buckets: &[(u16, u64)], rank: u64) -> u16 {
    let mut below = 0;
    let found = buckets.iter().find(|(_, count)| {
        below += count;
        below > rank
    });
    found.unwrap().0
}

#[test]
fn a_batch_row_counts_what_its_body_did() {
    let (clock, mut memory) = (clock(), [0; 16]);
    let mut sampler = Sampler::new(&clock, &mut memory, &asked(Shortened::None));
    let shape = Shape { batches: 10, least_us: 1, most: 64, budget_us: 1_000_000 };
    let taken = sampler.batches(SeriesRow::ExitCpuid, shape, &mut |n| {
        clock.spin_us(1);
        Tally { done: n, wrong: 0 }
    });
    let taken = taken.unwrap();
    assert_eq!((taken.n, taken.count), (1, 10));
    assert_eq!(taken.tally, Tally { done: 10, wrong: 0 });
    assert_eq!(Measured::from(taken).due, 10);
}

#[test]
fn a_shortened_row_does_less_than_is_due() {
    let (clock, mut memory) = (clock(), [0; 16]);
    let short = asked(Shortened::One(SeriesRow::IpiRt));
    let mut sampler = Sampler::new(&clock, &mut memory, &short);
    let shape = Shape { batches: 10, least_us: 0, most: 64, budget_us: 1_000_000 };
    let mut done = |n| Tally { done: n, wrong: 0 };
    assert_eq!(sampler.batches(SeriesRow::ExitCpuid, shape, &mut done).unwrap().tally.done, 10);
    assert_eq!(sampler.batches(SeriesRow::IpiRt, shape, &mut done).unwrap().tally.done, 0);
    let mut events = 0;
    let taken = sampler.events(SeriesRow::IpiRt, 10, 1_000_000, || {
        events += 1;
        Some(events)
    });
    assert_eq!((taken, events), (Ok(10), 9));
}

#[test]
fn a_machine_that_is_too_slow_has_the_fewest_samples_at_least() {
    let (clock, mut memory) = (clock(), [0; 100]);
    let mut sampler = Sampler::new(&clock, &mut memory, &asked(Shortened::None));
    let taken = sampler.events(SeriesRow::IpiRt, 100, 0, || Some(1));
    assert_eq!(taken, Ok(8));
    let mut memory = [0; 7];
    let mut sampler = Sampler::new(&clock, &mut memory, &asked(Shortened::None));
    assert_eq!(sampler.events(SeriesRow::IpiRt, 100, 0, || Some(1)), Err(Unavailable::TooSlow));
}

#[test]
fn ten_thousand_samples_take_about_two_kilobytes() {
    let mut random = abi::random::SplitMix64::new(3);
    // A body of 5 percent around 2,000 cycles, and a tail up to a hundred times that.
    let mut samples: Vec<u64> = (0..10_000)
        .map(|n| 2_000 + random.draw() % 100 + if n % 50 == 0 { random.draw() % 200_000 } else { 0 })
        .collect();
    let (mut kept, mut book) = (Kept::default(), Book::default());
    let measured = Measured { n: 1, cold: 9, due: 10_000, tally: Tally { done: 10_000, wrong: 0 } };
    book.emit(&mut kept, PLACE, measured, &mut samples);
    let mut bytes = 0;
    for record in &kept.0 {
        let envelope = abi::wire::Envelope {
            seq: 1000,
            ts: abi::wire::Timestamp::from_micros(9_000_000),
            record: *record,
        };
        bytes += abi::wire::encode(&envelope).as_bytes().len();
    }
    assert!(bytes < 2_200, "{bytes}");
}

proptest! {
    #[test]
    fn percentiles_of_the_histogram_are_those_of_the_samples(
        samples in prop::collection::vec(prop_oneof![1_u64..200, 1_u64..1 << 40, any::<u64>()], 1..500)
    ) {
        let (mut kept, mut book) = (Kept::default(), Book::new(&asked(Shortened::None)));
        let mut sorted = samples.clone();
        let measured = Measured { n: 1, cold: 1, due: 0, tally: Tally::default() };
        book.emit(&mut kept, PLACE, measured, &mut sorted);
        let buckets = buckets(&kept.0);
        prop_assert_eq!(buckets.iter().map(|(_, count)| count).sum::<u64>(), samples.len() as u64);
        for rank in [0, samples.len() / 2, samples.len() * 99 / 100, samples.len() - 1] {
            let exact = sorted[rank];
            let (least, greatest) = bounds(of_rank(&buckets, rank as u64)).unwrap();
            prop_assert!(least <= exact && exact <= greatest);
        }
        let printed = kept.0.iter().filter_map(|record| match record {
            Record::SeriesSamples(part) => Some(*part),
            _ => None,
        });
        let printed: Vec<u64> = printed
            .flat_map(|part| {
                abi::series::Numbers::of(part.samples.decoded()).map(Result::unwrap).collect::<Vec<_>>()
            })
            .collect();
        prop_assert_eq!(printed, samples);
    }
}
