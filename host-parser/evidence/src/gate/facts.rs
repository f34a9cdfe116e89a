//! A boot's records, put where they belong.

use std::collections::{BTreeMap, HashSet};

use abi::wire::record::{
    Answer, Blob, Brand, CaseBegin, CaseEnd, CaseReady, CaseSkipped, Control, Cpu, CpuState, Dmi, End,
    Experiment, Fault, Features, Gap, Machine, Memory, Panic, Phase, Platform, Problem, Split, Start, Sweep,
    System, SystemName, Topology, Tsc, TscReading, Warp, Worker, WorkerEnd,
};
use abi::wire::{Record, Timestamp};

use crate::transcript::{Boot, Located};

/// A record's fields and its line.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<T> {
    pub line: u64,
    pub is: T,
}

/// What a boot said, by subject.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub start: Option<At<Start>>,
    pub machine: Option<At<Machine>>,
    pub system: Option<At<System>>,
    pub brand: Option<At<Brand>>,
    pub features: Option<At<Features>>,
    pub memory: Option<At<Memory>>,
    pub cpus: Vec<At<Cpu>>,
    /// By CPU.
    pub topology: BTreeMap<u16, At<Topology>>,
    pub platform: Option<At<Platform>>,
    pub dmi: Vec<At<Dmi>>,
    pub readings: Vec<At<TscReading>>,
    pub tsc: Option<At<Tsc>>,
    pub warp: Option<At<Warp>>,
    pub phases: Vec<Phase>,
    pub control: Option<At<Control>>,
    pub experiment: Option<At<Experiment>>,
    pub sweep: Option<At<Sweep>>,
    pub blob: Option<At<Blob>>,
    /// By case and worker.
    pub splits: BTreeMap<u16, BTreeMap<u16, At<Split>>>,
    pub iterations: Vec<Iteration>,
    begun: HashSet<(u16, u16)>,
    /// The last `case-ready` and its stamp, until its iteration begins or its case is skipped.
    ready: Option<(At<CaseReady>, Timestamp)>,
    pub skipped: Vec<At<CaseSkipped>>,
    pub gaps: Vec<At<Gap>>,
    pub problems: Vec<At<Problem>>,
    pub panic: Option<At<Panic>>,
    pub end: Option<At<End>>,
    /// Records that have no place where they stand, and why.
    pub misplaced: Vec<At<String>>,
}

/// One iteration of a case.
#[derive(Debug)]
pub(super) struct Iteration {
    pub line: u64,
    pub case: u16,
    pub iter: u16,
    /// The stamp of its `case-ready`, before its workers are set to work; none where it has no such record.
    pub ready: Option<Timestamp>,
    /// The stamp of its `case-begin`, when they are done.
    pub begun: Timestamp,
    /// By number.
    pub workers: BTreeMap<u16, WorkerFacts>,
    pub end: Option<At<CaseEnd>>,
}

/// What was said of one worker in one iteration.
#[derive(Debug, Default)]
pub(super) struct WorkerFacts {
    pub timing: Option<At<Worker>>,
    pub answer: Option<At<Answer>>,
    pub end: Option<At<WorkerEnd>>,
    pub fault: Option<At<Fault>>,
}

impl Facts {
    pub fn new(boot: &Boot<'_>) -> Self {
        let mut facts = Self::default();
        for located in &boot.records {
            facts.add(located);
        }
        facts.close_ready();
        facts
    }

    /// How many CPUs came up, the first included.
    pub fn online(&self) -> u16 {
        let up = |cpu: &&At<Cpu>| matches!(cpu.is.state, CpuState::Bsp | CpuState::Online);
        u16::try_from(self.cpus.iter().filter(up).count()).unwrap_or(u16::MAX)
    }

    /// Whether the system promises that nothing interrupts a timed worker. Linux does not, and is not held to it.
    pub fn promises_quiet(&self) -> bool {
        self.system.is_none_or(|system| system.is.name == SystemName::Assay)
    }

    /// What worker `worker` of `case` was given.
    pub fn params(&self, case: u16, worker: u16) -> Option<[u64; 4]> {
        Some(params(&self.splits.get(&case)?.get(&worker)?.is))
    }

    fn add(&mut self, located: &Located) {
        let line = located.line;
        let name = located.envelope.record.name();
        let twice = match located.envelope.record {
            Record::Start(is) => self.start.replace(At { line, is }).is_some(),
            Record::Machine(is) => self.machine.replace(At { line, is }).is_some(),
            Record::System(is) => self.system.replace(At { line, is }).is_some(),
            Record::Brand(is) => self.brand.replace(At { line, is }).is_some(),
            Record::Features(is) => self.features.replace(At { line, is }).is_some(),
            Record::Memory(is) => self.memory.replace(At { line, is }).is_some(),
            Record::Tsc(is) => self.tsc.replace(At { line, is }).is_some(),
            Record::Warp(is) => self.warp.replace(At { line, is }).is_some(),
            Record::Control(is) => self.control.replace(At { line, is }).is_some(),
            Record::Experiment(is) => self.experiment.replace(At { line, is }).is_some(),
            Record::Blob(is) => self.blob.replace(At { line, is }).is_some(),
            Record::Panic(is) => self.panic.replace(At { line, is }).is_some(),
            Record::End(is) => self.end.replace(At { line, is }).is_some(),
            Record::Cpu(is) => push(&mut self.cpus, At { line, is }),
            Record::Topology(is) => self.topology.insert(is.cpu.0, At { line, is }).is_some(),
            Record::Platform(is) => self.platform.replace(At { line, is }).is_some(),
            Record::Dmi(is) => push(&mut self.dmi, At { line, is }),
            Record::Sweep(is) => self.sweep.replace(At { line, is }).is_some(),
            Record::TscReading(is) => push(&mut self.readings, At { line, is }),
            Record::Phase(is) => push(&mut self.phases, is),
            Record::Split(is) => {
                self.splits.entry(is.case).or_default().insert(is.worker, At { line, is }).is_some()
            }
            Record::CaseSkipped(is) => {
                // Some find out only when the case should begin.
                self.ready = self.ready.filter(|(ready, _)| ready.is.case != is.case);
                push(&mut self.skipped, At { line, is })
            }
            Record::Problem(is) => push(&mut self.problems, At { line, is }),
            // How the guest was set up to talk and to end; nothing that is measured depends on it.
            Record::Config(_) | Record::ConfigIgnored(_) => false,
            Record::CaseReady(is) => {
                self.close_ready();
                self.ready = Some((At { line, is }, located.envelope.ts));
                false
            }
            Record::CaseBegin(is) => self.begin(line, located.envelope.ts, is),
            Record::Gap(is) => push(&mut self.gaps, At { line, is }),
            Record::Worker(is) => self.of_worker(line, (is.case, is.iter, is.worker), |worker| {
                worker.timing.replace(At { line, is }).is_some()
            }),
            Record::Answer(is) => self.of_worker(line, (is.case, is.iter, is.worker), |worker| {
                worker.answer.replace(At { line, is }).is_some()
            }),
            Record::WorkerEnd(is) => self.of_worker(line, (is.case, is.iter, is.worker), |worker| {
                worker.end.replace(At { line, is }).is_some()
            }),
            Record::Fault(is) => self.fault(line, is),
            Record::CaseEnd(is) => self.end_iteration(line, is),
        };
        if twice {
            self.misplaced.push(At { line, is: format!("a second `{name}`") });
        }
    }

    /// An iteration that was ready and is no longer waited for.
    fn close_ready(&mut self) {
        if let Some((At { line, is }, _)) = self.ready.take() {
            let is = format!("case {} iteration {} is ready, and does not begin", is.case, is.iter);
            self.misplaced.push(At { line, is });
        }
    }

    fn begin(&mut self, line: u64, begun: Timestamp, begin: CaseBegin) -> bool {
        if self.iterations.last().is_some_and(|open| open.end.is_none()) {
            let is = format!("case {} begins before the one before it has ended", begin.case);
            self.misplaced.push(At { line, is });
        }
        let CaseBegin { case, iter, .. } = begin;
        let ready = self.ready.take_if(|(ready, _)| (ready.is.case, ready.is.iter) == (case, iter));
        let ready = ready.map(|(_, ts)| ts);
        self.iterations.push(Iteration {
            line,
            case,
            iter,
            ready,
            begun,
            workers: BTreeMap::new(),
            end: None,
        });
        !self.begun.insert((case, iter))
    }

    /// The iteration at hand, if it is this one.
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
        let is = format!("worker {worker} of case {case} iteration {iter}, which is not the one at hand");
        self.misplaced.push(At { line, is });
        false
    }

    fn fault(&mut self, line: u64, is: Fault) -> bool {
        match self.iterations.last_mut().filter(|open| open.end.is_none()) {
            Some(open) => open.workers.entry(is.worker).or_default().fault.replace(At { line, is }).is_some(),
            None => push(&mut self.misplaced, At { line, is: "a fault outside of any case".to_owned() }),
        }
    }

    fn end_iteration(&mut self, line: u64, is: CaseEnd) -> bool {
        match self.open(is.case, is.iter) {
            Some(open) => open.end.replace(At { line, is }).is_some(),
            None => {
                let is = format!("case {} iteration {} ends and had not begun", is.case, is.iter);
                push(&mut self.misplaced, At { line, is })
            }
        }
    }
}

/// A split's parameters.
pub(super) fn params(split: &Split) -> [u64; 4] {
    [split.p0, split.p1, split.p2, split.p3]
}

/// Adds to a list, which any number of records may do.
fn push<T>(list: &mut Vec<T>, item: T) -> bool {
    list.push(item);
    false
}
