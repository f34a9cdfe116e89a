//! What a system counts of what the tasks of a scene did.

use abi::object::Status;
use abi::task::Counter;

/// The counters of one scene. A system has no value of what it does not count.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counted {
    counters: [Option<u64>; Counter::ALL.len()],
    refused: [Option<u64>; Status::ALL.len()],
}

impl Counted {
    /// Nothing is counted: what a process of Linux learns of its kernel.
    pub const NOTHING: Self =
        Self { counters: [None; Counter::ALL.len()], refused: [None; Status::ALL.len()] };

    /// A counter.
    #[must_use]
    pub const fn get(&self, counter: Counter) -> Option<u64> {
        self.counters[counter as usize]
    }

    /// These with one more counter.
    #[must_use]
    pub const fn with(mut self, counter: Counter, value: u64) -> Self {
        self.counters[counter as usize] = Some(value);
        self
    }

    /// The calls that were refused for this reason.
    #[must_use]
    pub const fn refused(&self, status: Status) -> Option<u64> {
        self.refused[status as usize]
    }

    /// These with the calls that were refused for one reason.
    #[must_use]
    pub const fn with_refused(mut self, status: Status, value: u64) -> Self {
        self.refused[status as usize] = Some(value);
        self
    }
}
