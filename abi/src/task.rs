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

words! {
    /// What a task tries in a row `attack`. Its place here, from 1, is the row's argument.
    pub enum Attack {
        /// An old handle to a slot that is used again.
        ReusedSlot = "reused-slot",
        /// Handles of other tasks, and numbers that are none.
        ForeignHandle = "foreign-handle",
        /// More rights by copies.
        MoreRights = "more-rights",
        /// More handles than a table has slots.
        FullTable = "full-table",
        /// A mapping over another, or at an address that ring 3 cannot have.
        MapOver = "map-over",
        /// A page that can be written to and executed.
        WriteAndExecute = "write-and-execute",
        /// A caller that is ended before it has its answer.
        DeadCaller = "dead-caller",
        /// An object that is revoked while a server waits at it.
        Revoked = "revoked",
        /// Tasks that are started and ended at once.
        SpawnStorm = "spawn-storm",
        /// Calls with random numbers.
        RandomCalls = "random-calls",
        /// A server that ends with a call in its hands, and calls after it.
        DeadServer = "dead-server",
        /// A ring with bad indices, and with operations that a ring does not have.
        BadRing = "bad-ring",
        /// Faults that a server answers with what cannot be mapped.
        BadAnswer = "bad-answer",
    }

    /// What a task tries in a row `attack_cross`, with its server on another CPU. Its place here, from 1, is the row's argument.
    pub enum FarAttack {
        /// As [`Attack::DeadServer`].
        DeadServer = "dead-server",
        /// An endpoint that is revoked from the CPU of its callers while its server waits.
        Revoked = "revoked",
        /// As [`Attack::DeadCaller`].
        DeadCaller = "dead-caller",
        /// A ring whose words change while the kernel reads them.
        ChangedRing = "changed-ring",
        /// Pages that two CPUs map, touch and unmap at once.
        UnmapAndFault = "unmap-and-fault",
    }
}

impl FarAttack {
    /// Whether the other task answers calls.
    #[must_use]
    pub const fn has_server(self) -> bool {
        !matches!(self, Self::ChangedRing | Self::UnmapAndFault)
    }

    /// The attack of a row's argument.
    #[must_use]
    pub fn of_argument(arg: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|attack| *attack as u64 + 1 == arg)
    }
}

impl Attack {
    /// The attack of a row's argument.
    #[must_use]
    pub fn of_argument(arg: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|attack| *attack as u64 + 1 == arg)
    }

    /// Whether a server takes part.
    #[must_use]
    pub const fn has_server(self) -> bool {
        !matches!(
            self,
            Self::MapOver | Self::WriteAndExecute | Self::SpawnStorm | Self::RandomCalls | Self::BadRing
        )
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

/// The word after which the server of an attack ends without an answer. No other message has this bit.
pub const LAST: u64 = 1 << 62;

/// What a server passes to [`crate::stub::Op::Serve`] when it has no caller to answer.
pub const NO_ANSWER: u64 = u64::MAX;

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

/// Where a task's memory has what it touches between two yields, in bytes from its start. The header and the samples are
/// before it.
pub const TOUCHED_AT: u64 = 256 << 10;

/// Where the client maps pages of an object. Nothing else is mapped up to 1 GiB after it.
pub const MAPPED_AT: u64 = 0x30_0000_0000;

/// Where the client of `fault_zero` has pages that are mapped when they are touched, and zero then.
pub const LAZY_AT: u64 = 0x31_0000_0000;
/// How many there are.
pub const LAZY_PAGES: u64 = 2048;

/// The words of shared memory in which the tasks of a row keep what they agree on, each in a line of its own. Data follows.
pub const SHARED_WORDS: usize = 512;
/// The turns that the client's partner has had.
pub const TURNS: usize = 0;
/// Not 0: the partner is to end.
pub const STOP: usize = 8;
/// The sum that the partner has worked out.
pub const SUM: usize = 16;

/// The arguments that a child can have: a visible character, since Linux passes it as text.
#[must_use]
pub const fn child_argument(number: u64) -> u64 {
    0x40 | number & 0x3f
}

/// The argument of a child that passes its faults to the handle that it is given, and makes one.
pub const FAULTING: u64 = child_argument(0x3f);

/// What a child answers to its argument, which is [`Orders::arg`] in its own call. Seven bits, as a process of Linux
/// returns them.
#[must_use]
pub const fn child_answer(argument: u64) -> u64 {
    argument ^ CHILD_XOR
}

/// See [`child_answer`].
pub const CHILD_XOR: u64 = 0x2a;

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
