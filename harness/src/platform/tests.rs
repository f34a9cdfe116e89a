//! All rows on the host: threads play the CPUs.

use abi::series::place::Places;
use abi::series::{EVENTS, Shortened, Tier};
use abi::wire::Record;
use alloc::boxed::Box;
use std::collections::BTreeMap;
use std::thread;

use super::*;
use crate::clock::Choice;
use crate::sink::tests::Kept;

/// Two CPUs that are threads.
#[derive(Default)]
struct Threads {
    kept: Kept,
}

impl Sink for Threads {
    fn record(&mut self, record: Record) {
        self.kept.record(record);
    }
}

impl Field for Threads {
    fn cpus(&self) -> Vec<CpuId> {
        alloc::vec![CpuId(0), CpuId(1)]
    }

    fn run_on(&mut self, cpus: &[CpuId], _: u64, job: &Job) -> bool {
        thread::scope(|scope| {
            for &cpu in cpus {
                scope.spawn(move || job(cpu));
            }
        });
        true
    }

    fn memory(&mut self, bytes: u64, _: Pages) -> Option<Words> {
        let words = usize::try_from(bytes / 8).ok()?;
        Some(Box::leak((0..words).map(|_| AtomicU64::new(0)).collect()))
    }

    fn memory_twice(&mut self, _: u64) -> [Option<Words>; 2] {
        [self.memory(1 << 16, Pages::Small), self.memory(1 << 16, Pages::Large)]
    }

    fn disturbances(&mut self) -> Disturbances {
        Disturbances { steal_ns: Some(1), smis: None, nmis: 0 }
    }

    fn own_rows(&mut self, _: &mut Sampler<'_>, _: &mut Book) {}
}

fn figures(short: Shortened) -> (Vec<Figure>, Kept) {
    let source = abi::wire::record::TscSource::Hpet;
    let clock = Clock::of(&Choice { source, khz: 1_000_000, sources: 1, spread_ppm: 0 });
    let mut threads = Threads::default();
    let figures = run(&Platform { noise_ms: 20, short, samples: false }, EVENTS, &clock, &mut threads);
    (figures, threads.kept)
}

/// Whether each row's series hold.
fn held(figures: &[Figure]) -> BTreeMap<SeriesRow, bool> {
    let mut held = BTreeMap::new();
    for figure in figures {
        *held.entry(figure.place.row).or_insert(true) &= figure.holds;
    }
    held
}

#[test]
fn every_row_of_a_process_holds() {
    let (figures, kept) = figures(Shortened::None);
    let held = held(&figures);
    for spec in
        SeriesRow::of_tier(Tier::Platform).map(SeriesRow::spec).filter(|spec| spec.not_on_linux.is_empty())
    {
        let none = kept.0.iter().any(|record| matches!(record, Record::SeriesNone(it) if it.row == spec.row));
        assert_eq!(held.get(&spec.row), (!none).then_some(&true), "{}", spec.row);
    }
    assert_eq!(kept.names().first(), Some(&"platform-rows"));
    assert_eq!(kept.names().last(), Some(&"platform-note"));
}

#[test]
fn every_row_is_at_each_of_its_places() {
    let (_, kept) = figures(Shortened::None);
    for spec in
        SeriesRow::of_tier(Tier::Platform).map(SeriesRow::spec).filter(|spec| spec.not_on_linux.is_empty())
    {
        let places = kept.0.iter().filter_map(|record| match record {
            Record::Series(it) if it.row == spec.row => Some(it.arg),
            Record::SeriesNone(it) if it.row == spec.row => Some(it.arg),
            _ => None,
        });
        let places: Vec<u64> = places.collect();
        let all = Places::of(spec.row);
        // The buffers of this test have 64 KiB: sizes from 4 KiB on.
        assert_eq!(places.len(), all.count(2).unwrap_or(5), "{}", spec.row);
        assert!(places.iter().all(|&arg| all.has_argument(arg, 2)), "{}: {places:?}", spec.row);
    }
}

#[test]
fn every_row_that_does_less_is_caught_by_its_oracle() {
    let (figures, _) = figures(Shortened::All);
    assert!(figures.len() > 10);
    for (row, holds) in held(&figures) {
        assert!(!holds, "{row} did one operation less, and its oracle holds");
    }
}

#[test]
fn one_row_that_does_less_leaves_the_others_alone() {
    let (figures, _) = figures(Shortened::One(SeriesRow::ExitCpuid));
    for (row, holds) in held(&figures) {
        assert_eq!(holds, row != SeriesRow::ExitCpuid, "{row}");
    }
}
