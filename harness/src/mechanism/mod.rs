//! The rows of the kernel's mechanisms: what an operation of a kernel costs a program in ring 3.
//!
//! The program that reads the clock is one ELF, the same on every system. It does the operation by calling a stub
//! ([`abi::stub`]), which each system supplies in the page of the return stub. A row is a scene: its tasks, each with its
//! CPU, and the handles that the plan grants them. The system builds the tasks, runs them to their end and counts what they
//! did; this module orders the scenes, reads what the client left, and emits the records.
//!
//! For `fault_zero` the client has [`LAZY_PAGES`](abi::task::LAZY_PAGES) pages at [`LAZY_AT`](abi::task::LAZY_AT) that are
//! mapped when they are touched. For `call_cross` the argument says whether the partner's CPU polls or halts while it has
//! nothing to do.

mod cast;
mod counted;
mod rows;

use abi::CpuId;
use abi::object::Status;
use abi::plan::Profile;
use abi::series::{SeriesRow, Unavailable};
use abi::stub::Op;
use abi::task::TaskName;
use abi::worker::{WorkerArgs, WorkerResult};
use alloc::vec::Vec;

use crate::sink::Sink;
use crate::user::{Exit, Program};

pub use counted::Counted;
pub use rows::{Errand, run, without};

/// A task of a scene.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Role {
    /// Its name in the profile.
    pub name: TaskName,
    /// Its CPU.
    pub cpu: CpuId,
    /// What it is called with. The system adds what the program is granted ([`Program::granted`]).
    pub args: WorkerArgs,
}

/// Tasks that run together: one row at one place.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The row.
    pub row: SeriesRow,
    /// Its argument.
    pub arg: u64,
    /// What all tasks run. [`TaskName::Child`], which the client may start, runs it too.
    pub program: &'a Program<'a>,
    /// The objects that there are, and the handles of each task. The system makes the objects anew for each scene.
    pub profile: &'a Profile<'a>,
    /// The tasks that are there from the start. The first is the client.
    pub tasks: &'a [Role],
    /// How long all of them may take, in microseconds.
    pub timeout_us: u64,
}

/// How a task of a scene ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ended {
    /// How it came back.
    pub exit: Exit,
    /// What was in its result slot then.
    pub result: WorkerResult,
}

/// A scene that ran to its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Played {
    /// The tasks, in the scene's order.
    pub ended: Vec<Ended>,
    /// What the system counted.
    pub counted: Counted,
}

/// What a system supplies to the rows of the mechanisms.
pub trait System: Sink {
    /// The CPUs that tasks can run on. The first is the one that calls.
    fn cpus(&self) -> Vec<CpuId>;

    /// Whether the system has the operations of a row with this argument.
    ///
    /// # Errors
    /// Why it does not.
    fn offers(&self, row: SeriesRow, arg: u64) -> Result<(), Unavailable>;

    /// What an operation returns if all is well. For [`Op::Wait`] what it returns after two signals of bit 0: 1 if bits are
    /// kept, 2 if signals are added up.
    fn right_answer(&self, op: Op) -> u64;

    /// What an operation returns that is refused for this reason; `None` if the system never refuses it so.
    fn refusal(&self, op: Op, reason: Status) -> Option<u64>;

    /// Whether page faults go to a server. If not, the client's own process handles them.
    fn has_fault_server(&self) -> bool {
        true
    }

    /// The code of an operation's stub.
    fn stub(&self, op: Op) -> &[u8];

    /// Runs the tasks of `scene` from their entry to their end, and takes everything down again. Copies the first words of
    /// the client's memory into `results`, as many as fit.
    ///
    /// A task that faults, or does not end in time, is no error: the tasks that are left are ended, and the report says how.
    ///
    /// # Errors
    /// The tasks cannot be built or started.
    fn run(&mut self, scene: &Scene<'_>, results: &mut [u64]) -> Result<Played, Unavailable>;
}

#[cfg(test)]
mod tests;
