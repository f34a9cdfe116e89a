//! A boot's records, sorted by what they are about.

use std::collections::{BTreeMap, BTreeSet};

use abi::tsc::PLAUSIBLE_KHZ;
use abi::wire::record::{
    self, Answer, CaseBegin, CaseEnd, CaseReady, Chunks, Conditions, Counters, CpuState, Fault, Gap, Mark,
    Moment, Region, Root, Split, SystemName, Topology, Worker, WorkerEnd, WorkerStatus,
};
use abi::wire::{Message, Record, Timestamp};

use super::by_kind::ByKind;
use crate::transcript::{Boot, Located};

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

/// One iteration of a case.
#[derive(Debug)]
pub(super) struct Iteration {
    pub line: u64,
    pub case: u16,
    pub iter: u16,
    /// The TSC value of the common start, by `case-begin`; 0 if there was none.
    pub start_tsc: u64,
    /// The time stamp of its `case-ready`, emitted before its workers start; `None` if that record is missing.
    pub ready: Option<Timestamp>,
    /// The time stamp of its `case-begin`, emitted after its workers have ended.
    pub begun: Timestamp,
    /// By number. Boxed, because a map's nodes have room for eleven.
    pub workers: BTreeMap<u16, Box<WorkerFacts>>,
    /// The root over the chunks of all workers.
    pub root: Option<At<Root>>,
    pub end: Option<At<CaseEnd>>,
    /// The moments of the iteration, by `moment`.
    pub marks: Vec<At<Mark>>,
    /// The conditions of its workers, by number.
    pub conditions: BTreeMap<u16, At<Conditions>>,
    /// The counters of its workers' CPUs, by worker.
    pub counters: BTreeMap<u16, At<Counters>>,
    /// Whether a record has come that ends what belongs to it.
    pub over: bool,
}

/// The records of one worker in one iteration.
#[derive(Debug, Default)]
pub(super) struct WorkerFacts {
    pub timing: Option<At<Worker>>,
    pub answer: Option<At<Answer>>,
    pub chunks: Option<At<Chunks>>,
    pub region: Option<At<Region>>,
    pub end: Option<At<WorkerEnd>>,
    pub fault: Option<At<Fault>>,
}

impl Iteration {
    /// The clocks at this moment.
    pub fn mark(&self, moment: Moment) -> Option<At<Mark>> {
        self.marks.iter().find(|mark| mark.is.moment == moment).copied()
    }

    /// How the details of findings call it.
    pub fn name(&self) -> String {
        format!("case {} iteration {}", self.case, self.iter)
    }

    /// Whether a worker of it is done.
    pub fn has_done(&self) -> bool {
        let done = |end: At<WorkerEnd>| end.is.status == WorkerStatus::Done;
        self.workers.values().any(|worker| worker.end.is_some_and(done))
    }
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

    fn add(&mut self, place: usize, located: &Located) {
        let line = located.line;
        let record = &located.envelope.record;
        let twice = match *record {
            Record::Topology(is) => self.topology.insert(is.cpu.0, At { line, is }).is_some(),
            Record::Split(is) => {
                self.splits.entry(is.case).or_default().insert(is.worker, At { line, is }).is_some()
            }
            Record::CaseReady(is) => {
                self.close_ready();
                self.ready = Some((At { line, is }, located.envelope.ts));
                false
            }
            Record::CaseBegin(is) => {
                self.begin(line, located.envelope.ts, is);
                false
            }
            Record::Worker(is) => self.of_worker(line, (is.case, is.iter, is.worker), |worker| {
                worker.timing.replace(At { line, is }).is_some()
            }),
            Record::Answer(is) => self.of_worker(line, (is.case, is.iter, is.worker), |worker| {
                worker.answer.replace(At { line, is }).is_some()
            }),
            Record::Chunks(is) => self.of_worker(line, (is.case, is.iter, is.worker), |worker| {
                worker.chunks.replace(At { line, is }).is_some()
            }),
            Record::Root(is) => match self.open(is.case, is.iter) {
                Some(open) => open.root.replace(At { line, is }).is_some(),
                None => {
                    let is =
                        format!("a `root` of case {} iteration {}, which is not running", is.case, is.iter);
                    push(&mut self.misplaced, At { line, is })
                }
            },
            Record::Region(is) => self.of_worker(line, (is.case, is.iter, is.worker), |worker| {
                worker.region.replace(At { line, is }).is_some()
            }),
            Record::Mark(is) => self.mark(line, is),
            Record::Conditions(is) => self.of_last(line, record, (is.case, is.iter), |last| {
                last.conditions.insert(is.worker, At { line, is }).is_some()
            }),
            Record::Counters(is) => self.of_last(line, record, (is.case, is.iter), |last| {
                last.counters.insert(is.worker, At { line, is }).is_some()
            }),
            Record::Seconds(_) => self.seconds(line),
            Record::WorkerEnd(is) => self.of_worker(line, (is.case, is.iter, is.worker), |worker| {
                worker.end.replace(At { line, is }).is_some()
            }),
            Record::Fault(is) => self.fault(line, is),
            Record::CaseEnd(is) => self.end_iteration(line, is),
            // A kernel may find only after `case-ready` that it cannot run the case.
            Record::CaseSkipped(is) => {
                self.skipped.insert(is.case);
                self.ready = self.ready.filter(|(ready, _)| ready.is.case != is.case);
                false
            }
            Record::Cpu(is) => {
                if matches!(is.state, CpuState::Bsp | CpuState::Online) {
                    self.online.insert(is.cpu.0);
                    self.online_records = self.online_records.saturating_add(1);
                }
                false
            }
            _ => !may_repeat(record) && !self.records.is_first(place, record),
        };
        if twice {
            self.misplaced.push(At { line, is: second(record.name()) });
        }
    }

    /// Sorts the places of the iterations, and reports those whose numbers an earlier one has.
    fn sort_iterations(&mut self) {
        let numbered = self.iterations.iter().zip(0..);
        self.places = numbered.map(|(iteration, place)| ((iteration.case, iteration.iter), place)).collect();
        self.places.sort_unstable();
        for pair in self.places.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            self.misplaced.push(At { line: self.iterations[pair[1].1].line, is: second(CaseBegin::NAME) });
        }
    }

    /// Ends the wait for the iteration of the last `case-ready`; reports it if it has not begun.
    fn close_ready(&mut self) {
        if let Some((At { line, is }, _)) = self.ready.take() {
            let is = format!("case {} iteration {} has a `case-ready` but no `case-begin`", is.case, is.iter);
            self.misplaced.push(At { line, is });
        }
    }

    fn begin(&mut self, line: u64, begun: Timestamp, begin: CaseBegin) {
        if self.iterations.last().is_some_and(|open| open.end.is_none()) {
            let is = format!("case {} begins before the previous case has ended", begin.case);
            self.misplaced.push(At { line, is });
        }
        let CaseBegin { case, iter, start_tsc } = begin;
        let ready = self.ready.take_if(|(ready, _)| (ready.is.case, ready.is.iter) == (case, iter));
        let ready = ready.map(|(_, ts)| ts);
        self.iterations.push(Iteration {
            line,
            case,
            iter,
            start_tsc,
            ready,
            begun,
            workers: BTreeMap::new(),
            root: None,
            end: None,
            marks: Vec::new(),
            conditions: BTreeMap::new(),
            counters: BTreeMap::new(),
            over: false,
        });
        self.turns = self.turns.max(usize::from(iter) + 1);
    }

    /// The current iteration, if it is this one and has not ended.
    fn open(&mut self, case: u16, iter: u16) -> Option<&mut Iteration> {
        self.iterations.last_mut().filter(|open| open.end.is_none() && open.case == case && open.iter == iter)
    }

    fn of_worker(
        &mut self,
        line: u64,
        (case, iter, worker): (u16, u16, u16),
        put: impl FnOnce(&mut WorkerFacts) -> bool,
    ) -> bool {
        if let Some(open) = self.open(case, iter) {
            return put(open.workers.entry(worker).or_default());
        }
        let is = format!("a record of worker {worker} of case {case} iteration {iter}, which is not running");
        self.misplaced.push(At { line, is });
        false
    }

    fn fault(&mut self, line: u64, is: Fault) -> bool {
        match self.iterations.last_mut().filter(|open| open.end.is_none()) {
            Some(open) => open.workers.entry(is.worker).or_default().fault.replace(At { line, is }).is_some(),
            None => push(&mut self.misplaced, At { line, is: "a `fault` record outside a case".to_owned() }),
        }
    }

    /// Adds a moment to the iteration that has just ended.
    fn mark(&mut self, line: u64, is: Mark) -> bool {
        self.of_last(line, &is.into(), (is.case, is.iter), |last| {
            let twice = last.marks.iter().any(|mark| mark.is.moment == is.moment);
            last.marks.push(At { line, is });
            twice
        })
    }

    /// Adds a record to the iteration that has just ended. Returns whether it is there twice.
    fn of_last(
        &mut self,
        line: u64,
        record: &Record,
        (case, iter): (u16, u16),
        put: impl FnOnce(&mut Iteration) -> bool,
    ) -> bool {
        // After the next `case-ready`, the iteration is over.
        let over = self.ready.is_some();
        let last = self.iterations.last_mut().filter(|last| last.end.is_some() && !last.over && !over);
        match last.filter(|last| (last.case, last.iter) == (case, iter)) {
            Some(last) => put(last),
            None => {
                let is =
                    format!("a `{}` of case {case} iteration {iter}, which is not the last", record.name());
                push(&mut self.misplaced, At { line, is })
            }
        }
    }

    /// Keeps a reading of the real-time clock, which is made between two iterations.
    fn seconds(&mut self, line: u64) -> bool {
        let open = self.iterations.last().is_some_and(|last| last.end.is_none());
        if open || self.ready.is_some() {
            let is = "a `seconds` record inside an iteration".to_owned();
            self.misplaced.push(At { line, is });
        }
        if let Some(last) = self.iterations.last_mut() {
            last.over = true;
        }
        false
    }

    fn end_iteration(&mut self, line: u64, is: CaseEnd) -> bool {
        match self.open(is.case, is.iter) {
            Some(open) => open.end.replace(At { line, is }).is_some(),
            None => {
                let is = format!("case {} iteration {} ends but has not begun", is.case, is.iter);
                push(&mut self.misplaced, At { line, is })
            }
        }
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

fn second(name: &str) -> String {
    format!("the log has a second `{name}` record")
}

/// Whether a boot may have several records of this kind. A new kind may occur once unless it is listed here.
const fn may_repeat(record: &Record) -> bool {
    matches!(
        record,
        Record::Cpu(_)
            | Record::Dmi(_)
            | Record::TscReading(_)
            | Record::Phase(_)
            | Record::Register(_)
            | Record::Offset(_)
            | Record::Seconds(_)
            | Record::Interrupts(_)
            | Record::CaseSkipped(_)
            | Record::Gap(_)
            | Record::Problem(_)
            | Record::Config(_)
            | Record::ConfigIgnored(_)
            | Record::Series(_)
            | Record::SeriesOracle(_)
            | Record::SeriesRange(_)
            | Record::SeriesCounts(_)
            | Record::SeriesSamples(_)
            | Record::SeriesNone(_)
    )
}

/// A split's parameters.
pub(super) fn params(split: &Split) -> [u64; 4] {
    [split.p0, split.p1, split.p2, split.p3]
}

/// Adds to a list. Returns `false`: such a record may repeat.
fn push<T>(list: &mut Vec<T>, item: T) -> bool {
    list.push(item);
    false
}
