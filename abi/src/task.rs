//! The tasks of a mechanism row, and what they agree on with the driver: their parameters, and what the client leaves in its
//! memory.
//!
//! All tasks of a row run the same ELF, a worker like the others. [`WorkerArgs::worker`] is the number of the task, and says
//! which part it plays. The client times the operations; its partner answers until it gets the word [`END`].

use crate::wire::value::words;
use crate::worker::{PARAMS, WorkerArgs};

words! {
    /// A task of a row, by its part. Its place here is its number.
    pub enum TaskName {
        /// Does the operations and times them, on the first CPU.
        Client = "client",
        /// The client's partner on the same CPU.
        Server = "server",
        /// The client's partner on another CPU.
        Remote = "remote",
        /// What the client starts.
        Child = "child",
    }
}

words! {
    /// What a kernel counts while the tasks of a scene run, of all of them together.
    pub enum Counter {
        /// Null calls.
        Null = "null",
        /// Calls that identified a handle.
        Identify = "identify",
        /// Calls that passed words to a server.
        Call = "call",
        /// Words that a server received.
        Serve = "serve",
        /// Signals.
        Signal = "signal",
        /// Waits that returned bits.
        Wait = "wait",
        /// Yields.
        Yield = "yield",
        /// Times that a CPU went from one task to another.
        Switch = "switch",
        /// Sleeps that ended.
        Sleep = "sleep",
        /// Tasks that were started by a task.
        Spawn = "spawn",
        /// Page faults that the kernel resolved.
        Fault = "fault",
        /// Pages that were mapped.
        Map = "map",
        /// Pages whose rights were changed.
        Protect = "protect",
        /// Pages that were taken out of an address space.
        Unmap = "unmap",
        /// Operations of rings.
        Ring = "ring",
    }
}

impl TaskName {
    /// The task of a number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| *name as u64 == number)
    }
}

/// The word, or the bits, with which the client asks its partner to end. No other message has the uppermost bit.
pub const END: u64 = 1 << 63;

/// What a task is to do: the parameters of its call.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Orders {
    /// The row, by its number.
    pub row: u64,
    /// The row's argument.
    pub arg: u64,
    /// The handle of its operation.
    pub handle: u64,
    /// A second handle: of the notification that comes back, or one that is looked at as well.
    pub other: u64,
    /// What the operation returns if all is well.
    pub right: u64,
    /// The most samples.
    pub samples: u64,
    /// The cycles that a batch takes at least.
    pub batch_cycles: u64,
    /// The cycles after which the row ends with fewer samples.
    pub budget_cycles: u64,
    /// 1 if the row leaves one operation out, for a control.
    pub short: u64,
    /// A length of time in cycles that the row is about, such as that to a deadline.
    pub ahead_cycles: u64,
}

/// The words of [`Orders`].
const WORDS: usize = size_of::<Orders>() / 8;
const _: () = assert!(WORDS == PARAMS + crate::worker::MORE);

impl Orders {
    /// The arguments of the task `name`. The challenge is the plan's.
    #[must_use]
    pub fn args(&self, name: TaskName, challenge: u64) -> WorkerArgs {
        WorkerArgs {
            worker: name as u64,
            params: [self.row, self.arg, self.handle, self.other],
            more: [
                self.right,
                self.samples,
                self.batch_cycles,
                self.budget_cycles,
                self.short,
                self.ahead_cycles,
            ],
            challenge,
            ..WorkerArgs::for_phase(crate::worker::Phase::Timed)
        }
    }

    /// What `args` order.
    #[must_use]
    pub const fn of(args: &WorkerArgs) -> Self {
        let [row, arg, handle, other] = args.params;
        let [right, samples, batch_cycles, budget_cycles, short, ahead_cycles] = args.more;
        Self { row, arg, handle, other, right, samples, batch_cycles, budget_cycles, short, ahead_cycles }
    }
}

/// What the client leaves at the start of its memory, before its samples.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Header {
    /// The operations in a sample.
    pub n: u64,
    /// The first warm-up, in cycles.
    pub cold: u64,
    /// The samples.
    pub count: u64,
    /// Operations that were made in no sample: warm-ups, and batches for the choice of `n`.
    pub outside: u64,
    /// Operations of the samples that the client itself found done.
    pub done: u64,
    /// Answers that are not the right one, anywhere.
    pub wrong: u64,
    /// The first of them; 0 if there is none.
    pub first_wrong: u64,
}

/// The words of a [`Header`], and some more: the first sample begins a line.
pub const HEADER_WORDS: usize = 8;

impl Header {
    /// Its words.
    #[must_use]
    pub const fn words(&self) -> [u64; HEADER_WORDS] {
        let Self { n, cold, count, outside, done, wrong, first_wrong } = *self;
        [n, cold, count, outside, done, wrong, first_wrong, 0]
    }

    /// The header of these words.
    #[must_use]
    pub const fn from_words(words: [u64; HEADER_WORDS]) -> Self {
        let [n, cold, count, outside, done, wrong, first_wrong, _] = words;
        Self { n, cold, count, outside, done, wrong, first_wrong }
    }
}

/// Where the client's memory has what it touches and what it maps over, in bytes from its start. The header and the samples
/// are before it.
pub const TOUCHED_AT: u64 = 256 << 10;

/// The server's answer to a word: a function of it and of the challenge, which is no word that was sent before.
#[must_use]
pub const fn answer(word: u64, challenge: u64) -> u64 {
    (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ challenge) & !END
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_headers_survive_their_words() {
        let orders =
            Orders { row: 1, arg: 2, handle: 3, other: 4, right: 5, samples: 6, ..Orders::default() };
        let orders = Orders { batch_cycles: 7, budget_cycles: 8, short: 9, ahead_cycles: 10, ..orders };
        let args = orders.args(TaskName::Remote, 11);
        assert_eq!((args.worker, args.challenge), (2, 11));
        assert_eq!(Orders::of(&args), orders);
        let header = Header { n: 1, cold: 2, count: 3, outside: 4, done: 5, wrong: 6, first_wrong: 7 };
        assert_eq!(Header::from_words(header.words()), header);
    }

    #[test]
    fn a_task_has_the_number_of_its_place() {
        assert_eq!(TaskName::from_number(2), Some(TaskName::Remote));
        assert_eq!(TaskName::from_number(4), None);
    }
}
