//! What a worker's process leaves for its parent to read: how far it came, and what was seen of the worker.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};

use kernel::smp::gaps::Seen;
use kernel::user::{Counts, Exit, Fault};

/// How a worker's process ended, as far as it said so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// It has not said.
    Unsaid,
    /// Something that it needs could not be had: which, and Linux's error number.
    SetUp(Step, i32),
    /// The workers did not all come to the meeting.
    NoStart,
    /// The worker came back.
    Came(Exit),
}

/// What a process has to do before its worker runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[repr(u32)]
pub enum Step {
    /// To die with its parent.
    #[error("cannot be tied to its parent")]
    Tie,
    /// To be on its CPU.
    #[error("cannot be pinned to its CPU")]
    Pin,
    /// To lock its memory.
    #[error("cannot lock its memory")]
    Lock,
    /// To map the worker's address space.
    #[error("cannot map the worker's address space")]
    Map,
    /// To take the worker's faults.
    #[error("cannot set up its signals")]
    Signals,
    /// To have the worker's syscalls refused.
    #[error("cannot have the worker's syscalls refused (seccomp)")]
    Filter,
    /// To hand the worker its arguments, and to limit its time.
    #[error("cannot prepare a call of the worker")]
    Call,
}

impl Step {
    const ALL: [Self; 7] =
        [Self::Tie, Self::Pin, Self::Lock, Self::Map, Self::Signals, Self::Filter, Self::Call];
}

/// No time that a process can wait.
pub const UNTOLD: u64 = u64::MAX;

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
    /// The process has come to the meeting.
    pub arrived: AtomicBool,
    /// What its CPU saw before the worker.
    pub before: SeenSlot,
    /// The same, after the worker.
    pub after: SeenSlot,
    /// How long the process waited for its CPU around the timed call, in ns; [`UNTOLD`] where that is not told.
    pub waited_ns: AtomicU64,
    /// Interrupts that its CPU took around the timed call.
    pub irqs: AtomicU64,
    refused: AtomicU32,
    first_refused: AtomicU64,
    fault: [AtomicU64; 4],
}

/// What a CPU saw of its host.
#[derive(Debug, Default)]
pub struct SeenSlot {
    longest: AtomicU64,
    reads: AtomicU32,
}

impl SeenSlot {
    /// Keeps it.
    pub fn store(&self, seen: Seen) {
        self.longest.store(seen.longest, Ordering::Relaxed);
        self.reads.store(seen.reads, Ordering::Relaxed);
    }

    /// What was kept. To be read after the process has ended.
    #[must_use]
    pub fn load(&self) -> Seen {
        Seen { longest: self.longest.load(Ordering::Acquire), reads: self.reads.load(Ordering::Acquire) }
    }
}

impl Slot {
    /// The process ends here, without a worker's run.
    pub fn cannot(&self, step: Step, errno: i32) {
        self.step.store(step as u32, Ordering::Relaxed);
        self.errno.store(errno, Ordering::Relaxed);
        self.end.store(SET_UP, Ordering::Release);
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

    /// How it ended.
    #[must_use]
    pub fn end(&self) -> End {
        match self.end.load(Ordering::Acquire) {
            SET_UP => {
                let number = self.step.load(Ordering::Relaxed);
                let step = Step::ALL.into_iter().find(|&step| step as u32 == number);
                step.map_or(End::Unsaid, |step| End::SetUp(step, self.errno.load(Ordering::Relaxed)))
            }
            NO_START => End::NoStart,
            RETURNED => End::Came(Exit::Returned),
            TIMEOUT => End::Came(Exit::Timeout),
            FAULT => {
                let [vector, error, rip, address] =
                    [0, 1, 2, 3].map(|i: usize| self.fault[i].load(Ordering::Relaxed));
                End::Came(Exit::Fault(Fault { vector, error, rip, address }))
            }
            _ => End::Unsaid,
        }
    }

    /// What was counted: interrupts in the timed call, refused syscalls in both.
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
    fn gives_back_what_was_said() {
        let fault = Fault { vector: 14, error: 6, rip: 0x1000_1234, address: 0x3100_1000 };
        for exit in [Exit::Returned, Exit::Timeout, Exit::Fault(fault)] {
            let slot = Slot::default();
            assert_eq!(slot.end(), End::Unsaid);
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
    fn remembers_the_first_refused_syscall_and_counts_them_all() {
        let slot = Slot::default();
        slot.refuse(39);
        slot.refuse(60);
        assert_eq!(slot.counts(), Counts { irqs: 0, refused: 2, first_refused: 39 });
    }
}
