//! A boot's records, sorted by what they are about. `collect` sorts them.

mod collect;
mod iteration;

use std::collections::{BTreeMap, BTreeSet};

use abi::tsc::PLAUSIBLE_KHZ;
use abi::wire::record::{self, CaseReady, Gap, Split, SystemName, Topology};
use abi::wire::{Message, Record, Timestamp};

use super::by_kind::ByKind;
use crate::transcript::{Boot, Located};

pub(super) use iteration::{Iteration, WorkerFacts};

/// A record's fields and its line.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<T> {
    pub line: u64,
    pub is: T,
}

/// A boot's records, by subject.
#[derive(Debug, Default)]
pub(super) struct Facts<'b> {
    /// All records, by kind and in order.
    records: ByKind<'b>,
    /// By CPU.
    pub topology: BTreeMap<u16, At<Topology>>,
    /// By case and worker.
    pub splits: BTreeMap<u16, BTreeMap<u16, At<Split>>>,
    pub iterations: Vec<Iteration>,
    /// The places of the iterations, by case and iteration, each with its place.
    places: Vec<((u16, u16), usize)>,
    /// How often the case with the most iterations ran, by the iterations' own numbers.
    pub turns: usize,
    /// By case, iteration and worker; of several of one worker, in the order of the log.
    gaps: Vec<At<Gap>>,
    /// The cases that were skipped.
    pub skipped: BTreeSet<u16>,
    /// The CPUs that came up, by number.
    online: BTreeSet<u16>,
    /// How many `cpu` records are of CPUs that came up, which is more than there are CPUs if one is listed twice.
    online_records: u16,
    /// The last `case-ready` and its time stamp, until its iteration begins or its case is skipped.
    ready: Option<(At<CaseReady>, Timestamp)>,
    /// Why a record does not belong at its place, one for each such record.
    pub misplaced: Vec<At<String>>,
    /// The first record whose time stamp is not after the one before it.
    pub backwards: Option<At<String>>,
}

impl<'b> Facts<'b> {
    pub fn new(boot: &'b Boot) -> Self {
        let mut facts = Self { records: ByKind::of(&boot.records), ..Self::default() };
        for (place, located) in boot.records.iter().enumerate() {
            facts.add(place, located);
        }
        facts.close_ready();
        facts.sort_iterations();
        facts.gaps = facts.all().collect();
        facts.gaps.sort_by_key(|gap| of_worker(&gap.is));
        facts.backwards = backwards(boot);
        facts
    }

    /// The last record of a kind.
    pub fn one<T: Message<List = Record>>(&self) -> Option<At<T>> {
        self.records.of_kind::<T>().next_back()
    }

    /// All records of a kind, in order.
    pub fn all<T: Message<List = Record>>(&self) -> impl Iterator<Item = At<T>> {
        self.records.of_kind::<T>()
    }

    /// How many CPUs came up, the first included.
    pub fn online(&self) -> u16 {
        self.online_records
    }

    /// Whether the CPU with this number came up.
    pub fn is_online(&self, cpu: u16) -> bool {
        self.online.contains(&cpu)
    }

    /// An iteration of a case: of several with the same numbers, the first.
    pub fn iteration(&self, case: u16, iter: u16) -> Option<&Iteration> {
        self.iterations_of(case, iter).next()
    }

    /// All iterations with these numbers, in order: one, unless the log is wrong.
    pub fn iterations_of(&self, case: u16, iter: u16) -> impl DoubleEndedIterator<Item = &Iteration> {
        let places = run_of(&self.places, (case, iter), |&(of, _)| of);
        places.iter().map(|&(_, place)| &self.iterations[place])
    }

    /// The gaps of a worker's CPU: of several, the first.
    pub fn gap(&self, case: u16, iter: u16, worker: u16) -> Option<At<Gap>> {
        run_of(&self.gaps, (case, iter, worker), |gap| of_worker(&gap.is)).first().copied()
    }

    /// The gaps of an iteration's CPUs, by worker.
    pub fn gaps_of(&self, case: u16, iter: u16) -> &[At<Gap>] {
        run_of(&self.gaps, (case, iter), |gap| (gap.is.case, gap.is.iter))
    }

    /// The shortest time from the stamp of one record to that of the next, from the first `case-begin` on, in microseconds:
    /// none of their lines took less to print. A VMM may take more for each byte than the line's rate does. 0 if it is not
    /// known.
    pub fn fastest_line_micros(&self) -> u64 {
        let is_begin = |located: &Located| matches!(located.envelope.record, Record::CaseBegin(_));
        let begun = self.records.all().iter().position(is_begin).unwrap_or(usize::MAX);
        let stamps = self.records.all().iter().skip(begun).map(|located| located.envelope.ts.micros());
        let next = stamps.clone().skip(1);
        let times = stamps.zip(next).map(|(one, next)| Some(next?.saturating_sub(one?)));
        times.min().flatten().unwrap_or(0)
    }

    /// Whether the system guarantees that nothing interrupts a timed worker. Linux does not.
    pub fn masks_interrupts(&self) -> bool {
        self.one::<record::System>().is_none_or(|system| system.is.name == SystemName::Assay)
    }

    /// The challenge of the plan; 0 if the log is of a kernel that had none.
    pub fn challenge(&self) -> u64 {
        self.one::<record::Challenge>().map_or(0, |challenge| challenge.is.value.0)
    }

    /// The frequency of the TSC in kHz; `None` if it is unknown or implausible, which is a finding of its own.
    pub fn khz(&self) -> Option<u64> {
        self.one::<record::Tsc>().map(|tsc| tsc.is.khz).filter(|khz| PLAUSIBLE_KHZ.contains(khz))
    }

    /// The parameters of worker `worker` of `case`.
    pub fn params(&self, case: u16, worker: u16) -> Option<[u64; 4]> {
        Some(params(&self.splits.get(&case)?.get(&worker)?.is))
    }
}

/// The first record whose time stamp is before an earlier one, or is missing although an earlier record has one.
fn backwards(boot: &Boot) -> Option<At<String>> {
    let mut last = None;
    for located in &boot.records {
        let (line, stamp) = (located.line, located.envelope.ts.micros());
        let wrong = match (last, stamp) {
            (Some(before), None) => {
                Some(format!("the record has no time stamp, an earlier one has {before} us"))
            }
            (Some(before), Some(stamp)) if stamp < before => {
                Some(format!("the time stamp is {stamp} us, an earlier one is {before} us"))
            }
            _ => None,
        };
        if let Some(is) = wrong {
            return Some(At { line, is });
        }
        last = stamp.or(last);
    }
    None
}

/// The items with this key in a list that is sorted by it.
fn run_of<T, K: Ord>(sorted: &[T], key: K, key_of: impl Fn(&T) -> K) -> &[T] {
    let begin = sorted.partition_point(|item| key_of(item) < key);
    let count = sorted[begin..].partition_point(|item| key_of(item) <= key);
    &sorted[begin..begin + count]
}

/// Case, iteration and worker of a gap.
const fn of_worker(gap: &Gap) -> (u16, u16, u16) {
    (gap.case, gap.iter, gap.worker)
}

/// A split's parameters.
pub(super) fn params(split: &Split) -> [u64; 4] {
    [split.p0, split.p1, split.p2, split.p3]
}
