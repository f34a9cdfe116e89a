//! The rows of the kernel's mechanisms on Linux: each task is a process, each operation a system call.

mod company;
mod objects;
mod pager;
mod ring;
mod stubs;
mod task;

use std::fmt;
use std::process;

use abi::CpuId;
use abi::object::Status;
use abi::series::place::is_on_linux;
use abi::series::{SeriesRow, Unavailable};
use abi::stub::Op;
use abi::task::MAPPED_AT;
use abi::wire::Record;
use harness::Sink;
use harness::clock::Clock;
use harness::mechanism::{Played, Scene, System};

use crate::console::Console;
use crate::cpus::Cpu;

/// The CPUs and the console, as the rows use them.
pub struct Linux<'a> {
    /// The CPUs, in worker order.
    cpus: &'a [Cpu],
    /// The output.
    console: &'a mut Console,
    /// The program of the tasks as a file, which a child executes.
    elf: &'a [u8],
    /// The code of the stubs.
    stubs: Vec<u8>,
}

impl<'a> Linux<'a> {
    /// Linux, as the rows use it.
    #[must_use]
    pub fn new(cpus: &'a [Cpu], console: &'a mut Console, elf: &'a [u8], clock: &Clock) -> Self {
        Self { cpus, console, elf, stubs: stubs::code(clock.khz()) }
    }
}

impl Sink for Linux<'_> {
    fn record(&mut self, record: Record) {
        self.console.record(record);
    }

    fn progress(&mut self, text: fmt::Arguments<'_>) {
        self.console.text(text);
    }
}

impl System for Linux<'_> {
    fn cpus(&self) -> Vec<CpuId> {
        self.cpus.iter().map(|cpu| cpu.id).collect()
    }

    fn offers(&self, row: SeriesRow, arg: u64) -> Result<(), Unavailable> {
        match row {
            _ if !is_on_linux(row, arg) => Err(Unavailable::NotApplicable),
            SeriesRow::RingNop if !ring::is_offered() => Err(Unavailable::NotOffered),
            _ => Ok(()),
        }
    }

    fn right_answer(&self, op: Op) -> u64 {
        match op {
            // The parent of every task.
            Op::Null => process::id().into(),
            Op::Identify => u64::from(libc::FD_CLOEXEC.cast_unsigned()),
            Op::Signal => 8,
            // An eventfd adds up.
            Op::Wait => 2,
            Op::Map | Op::MapLazy => MAPPED_AT,
            _ => 0,
        }
    }

    fn refusal(&self, op: Op, reason: Status) -> Option<u64> {
        let error = |number: i32| u64::from(number.cast_unsigned());
        match (op, reason) {
            (Op::NoCall, Status::NoCall) => Some(error(libc::ENOSYS).wrapping_neg()),
            (Op::Identify, Status::Index) => Some(error(libc::EBADF).wrapping_neg()),
            (Op::Spawn, Status::Argument) => Some(stubs::NOT_EXECUTED | error(libc::ENOEXEC)),
            (Op::Spawn, Status::Index) => Some(stubs::NOT_EXECUTED | error(libc::EBADF)),
            _ => None,
        }
    }

    fn has_fault_server(&self) -> bool {
        false
    }

    fn stub(&self, op: Op) -> &[u8] {
        stubs::of(&self.stubs, op)
    }

    fn run(&mut self, scene: &Scene<'_>, results: &mut [u64]) -> Result<Played, Unavailable> {
        // The UART's interrupts for what was printed must not fall into a sample.
        self.console.drain();
        company::run(scene, self.cpus, self.elf, &self.stubs, results).map_err(|error| {
            let (row, arg) = (scene.row, scene.arg);
            self.console.text(format_args!("assay-twin: {row} {arg} cannot run: {error}\n"));
            Unavailable::NotOffered
        })
    }
}
