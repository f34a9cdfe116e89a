//! What a worker's process leaves for its parent to read: how far it got, how the worker ended, and what its CPU saw.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};

use abi::worker::WorkerResult;
use harness::conditions::{Conditions, Counters};
use harness::emit::Around;
use harness::pace::PaceCheck;
use harness::rendezvous::Rendezvous;
use harness::user::{Counts, Exit, Fault};
use harness::watch::Seen;

use crate::second::SecondClock;

/// How a worker's process ended, as it reported itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// It has not reported.
    NotReported,
    /// A step of its set-up failed, with Linux's error number.
    SetUp(Step, i32),
    /// The workers did not all arrive at the rendezvous.
    NoStart,
    /// The worker came back.
    Came(Exit),
}

/// The steps of a process before its worker runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[repr(u32)]
pub enum Step {
    /// Arranging to be killed when its parent dies.
    #[error("cannot be tied to its parent")]
    Tie,
    /// Pinning itself to its CPU.
    #[error("cannot be pinned to its CPU")]
    Pin,
    /// Becoming a real-time process.
    #[error("cannot become a real-time process")]
    RealTime,
    /// Finding the features that the plan requires.
    #[error("its CPU lacks a feature that the plan requires")]
    Features,
    /// Mapping the worker's address space.
    #[error("cannot map the worker's address space")]
    Map,
    /// Getting pages of the plan's size.
    #[error("cannot get pages of 2 MiB")]
    Pages,
    /// Locking its memory.
    #[error("cannot lock its memory")]
    Lock,
    /// Installing handlers for the worker's faults.
    #[error("cannot set up its signals")]
    Signals,
    /// Installing the filter that refuses the worker's syscalls.
    #[error("cannot have the worker's syscalls refused (seccomp)")]
    Filter,
    /// Giving a task the descriptors of its handles.
    #[error("cannot have the descriptors of its handles")]
    Objects,
    /// Writing the worker's arguments, and setting its timer.
    #[error("cannot prepare a call of the worker")]
    Call,
}

impl Step {
    const ALL: [Self; 11] = [
        Self::Tie,
        Self::Pin,
        Self::RealTime,
        Self::Features,
        Self::Map,
        Self::Pages,
        Self::Lock,
        Self::Signals,
        Self::Filter,
        Self::Objects,
        Self::Call,
    ];
}

/// Stands for a time that is not reported.
pub const NOT_REPORTED: u64 = u64::MAX;

const SET_UP: u32 = 1;
const NO_START: u32 = 2;
const RETURNED: u32 = 3;
const FAULT: u32 = 4;
const TIMEOUT: u32 = 5;

/// Written by the process and its signal handlers, read by the parent after its end. All atomics: it lies in shared
/// memory.
#[derive(Debug, Default)]
pub struct Slot {
    end: AtomicU32,
    step: AtomicU32,
    errno: AtomicI32,
    /// The process has arrived at the rendezvous.
    pub arrived: AtomicBool,
    /// The process has come back from the timed call, or will make none.
    back: AtomicBool,
    /// The slot of the worker as its timed call left it, if a verify call follows: begin, end, and whether it is complete.
    timed: [AtomicU64; 3],
    /// The TSC just before the worker's timed call.
    pub entered_tsc: AtomicU64,
    /// The TSC just after it.
    pub returned_tsc: AtomicU64,
    /// The pace check before the worker's timed call.
    pub before: PaceSlot,
    /// The pace check after it.
    pub after: PaceSlot,
    /// How long the process waited for its CPU around the timed call, in ns; or [`NOT_REPORTED`].
    pub waited_ns: AtomicU64,
    /// The conditions of the timed call.
    pub conditions: ConditionsSlot,
    /// Interrupts that its CPU took around the timed call.
    pub irqs: AtomicU64,
    refused: AtomicU32,
    first_refused: AtomicU64,
    fault: [AtomicU64; 4],
}

/// A pace check in shared memory.
#[derive(Debug, Default)]
pub struct PaceSlot {
    longest: AtomicU64,
    reads: AtomicU32,
}

/// Conditions in shared memory. A count that is not known is [`NOT_REPORTED`].
#[derive(Debug, Default)]
pub struct ConditionsSlot {
    warm_up: AtomicU64,
    watched: AtomicBool,
    watches: AtomicU32,
    late: AtomicU64,
    counters: [AtomicU64; 3],
}

impl ConditionsSlot {
    /// Stores the conditions.
    pub fn store(&self, conditions: &Conditions) {
        let Conditions { warm_up, watch, counters: Counters { aperf, mperf, smis } } = *conditions;
        let seen = watch.unwrap_or_default();
        self.warm_up.store(warm_up, Ordering::Relaxed);
        self.watched.store(watch.is_some(), Ordering::Relaxed);
        self.watches.store(seen.count, Ordering::Relaxed);
        self.late.store(seen.late, Ordering::Relaxed);
        for (to, count) in self.counters.iter().zip([aperf, mperf, smis]) {
            to.store(count.unwrap_or(NOT_REPORTED), Ordering::Relaxed);
        }
    }

    /// The conditions. To be read after the process has ended.
    #[must_use]
    pub fn load(&self) -> Conditions {
        let count = |at: usize| {
            Some(self.counters[at].load(Ordering::Acquire)).filter(|&count| count != NOT_REPORTED)
        };
        let seen =
            Seen { count: self.watches.load(Ordering::Acquire), late: self.late.load(Ordering::Acquire) };
        let warm_up = self.warm_up.load(Ordering::Acquire);
        // A process that never stored any has counted nothing either.
        let counters = if warm_up == 0 {
            Counters::default()
        } else {
            Counters { aperf: count(0), mperf: count(1), smis: count(2) }
        };
        let watch = self.watched.load(Ordering::Acquire).then_some(seen);
        Conditions { warm_up, watch, counters }
    }
}

impl PaceSlot {
    /// Stores a check.
    pub fn store(&self, check: PaceCheck) {
        self.longest.store(check.longest, Ordering::Relaxed);
        self.reads.store(check.reads, Ordering::Relaxed);
    }

    /// The check. To be read after the process has ended.
    #[must_use]
    pub fn load(&self) -> PaceCheck {
        PaceCheck { longest: self.longest.load(Ordering::Acquire), reads: self.reads.load(Ordering::Acquire) }
    }
}

impl Slot {
    /// The process ends here, without a worker's run.
    pub fn cannot(&self, step: Step, errno: i32) {
        self.step.store(step as u32, Ordering::Relaxed);
        self.errno.store(errno, Ordering::Relaxed);
        self.end.store(SET_UP, Ordering::Release);
    }

    /// Counts the process as back from its timed call.
    pub fn come_back(&self, rendezvous: &Rendezvous, second: SecondClock) {
        if !self.back.swap(true, Ordering::AcqRel) {
            rendezvous.come_back(|| second.mark());
        }
    }

    /// Keeps what the timed call left.
    pub fn keep_timed(&self, result: &WorkerResult) {
        let words = [result.begin_tsc, result.end_tsc, result.complete];
        self.timed.iter().zip(words).for_each(|(to, word)| to.store(word, Ordering::Release));
    }

    /// The result of a worker that left `last` in its slot. To be read after the process has ended.
    #[must_use]
    pub fn result(&self, last: WorkerResult, verify: bool) -> WorkerResult {
        if !verify {
            return last;
        }
        let [begin_tsc, end_tsc, complete] = [0, 1, 2].map(|i: usize| self.timed[i].load(Ordering::Acquire));
        WorkerResult { begin_tsc, end_tsc, complete, ..WorkerResult::default() }.verified_by(last)
    }

    /// The process ends here: no start was given.
    pub fn no_start(&self) {
        self.end.store(NO_START, Ordering::Release);
    }

    /// The worker came back. Async-signal-safe.
    pub fn came(&self, exit: Exit) {
        let end = match exit {
            Exit::Returned => RETURNED,
            Exit::Timeout => TIMEOUT,
            Exit::Fault(Fault { vector, error, rip, address }) => {
                let words = self.fault.iter().zip([vector, error, rip, address]);
                words.for_each(|(to, word)| to.store(word, Ordering::Relaxed));
                FAULT
            }
        };
        self.end.store(end, Ordering::Release);
    }

    /// A syscall of the worker was refused. Async-signal-safe.
    pub fn refuse(&self, number: u64) {
        if self.refused.fetch_add(1, Ordering::Relaxed) == 0 {
            self.first_refused.store(number, Ordering::Relaxed);
        }
    }

    /// When the process entered the timed call and came back. To be read after the process has ended.
    #[must_use]
    pub fn around(&self) -> Around {
        Around {
            entered_tsc: self.entered_tsc.load(Ordering::Acquire),
            returned_tsc: self.returned_tsc.load(Ordering::Acquire),
        }
    }

    /// The conditions of its timed call. To be read after the process has ended.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        self.conditions.load()
    }

    /// How it ended.
    #[must_use]
    pub fn end(&self) -> End {
        match self.end.load(Ordering::Acquire) {
            SET_UP => {
                let number = self.step.load(Ordering::Relaxed);
                let step = Step::ALL.into_iter().find(|&step| step as u32 == number);
                step.map_or(End::NotReported, |step| End::SetUp(step, self.errno.load(Ordering::Relaxed)))
            }
            NO_START => End::NoStart,
            RETURNED => End::Came(Exit::Returned),
            TIMEOUT => End::Came(Exit::Timeout),
            FAULT => {
                let [vector, error, rip, address] =
                    [0, 1, 2, 3].map(|i: usize| self.fault[i].load(Ordering::Relaxed));
                End::Came(Exit::Fault(Fault { vector, error, rip, address }))
            }
            _ => End::NotReported,
        }
    }

    /// The counts: interrupts in the timed call, refused syscalls in both calls.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            irqs: u16::try_from(self.irqs.load(Ordering::Relaxed)).unwrap_or(u16::MAX),
            refused: self.refused.load(Ordering::Relaxed),
            first_refused: self.first_refused.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_what_was_reported() {
        let fault = Fault { vector: 14, error: 6, rip: 0x1000_1234, address: 0x3100_1000 };
        for exit in [Exit::Returned, Exit::Timeout, Exit::Fault(fault)] {
            let slot = Slot::default();
            assert_eq!(slot.end(), End::NotReported);
            slot.came(exit);
            assert_eq!(slot.end(), End::Came(exit));
        }
        for step in Step::ALL {
            let slot = Slot::default();
            slot.cannot(step, 12);
            assert_eq!(slot.end(), End::SetUp(step, 12));
        }
    }

    #[test]
    fn keeps_conditions_with_what_is_not_known() {
        let slot = Slot::default();
        assert_eq!(slot.conditions(), Conditions::default());
        let counters = Counters { aperf: Some(0), mperf: None, smis: Some(3) };
        let watch = Some(Seen { count: 2, late: 99 });
        for conditions in [
            Conditions { warm_up: 7, watch, counters },
            Conditions { warm_up: 7, watch: None, counters: Counters::default() },
        ] {
            slot.conditions.store(&conditions);
            assert_eq!(slot.conditions(), conditions);
        }
    }

    #[test]
    fn remembers_the_first_refused_syscall_and_counts_them_all() {
        let slot = Slot::default();
        slot.refuse(39);
        slot.refuse(60);
        assert_eq!(slot.counts(), Counts { irqs: 0, refused: 2, first_refused: 39 });
    }
}
