//! The state of the worker that a CPU runs. Only that CPU uses it: the way into ring 3 sets it, traps update it.

use core::cell::Cell;

use abi::syscall::Authority;
use harness::user::{Counts, Exit};

/// The state of the worker that a CPU runs.
#[derive(Default)]
pub struct WorkerState {
    /// The kernel's RSP to return to, while a worker runs.
    pub return_rsp: Cell<u64>,
    /// How the worker came back. Set just before the return.
    pub exit: Cell<Option<Exit>>,
    /// The syscalls that it may make.
    pub authority: Cell<Authority>,
    /// Its time-out, in ticks of the local APIC's timer.
    pub timeout: Cell<u32>,
    /// How many timer interrupts a negative control still wants in this worker.
    pub disturbances: Cell<u16>,
    /// What was counted so far.
    pub counts: Cell<Counts>,
}

impl WorkerState {
    /// The next setting of the timer: the time-out, or a small part of it while disturbances are to come.
    pub fn next_timer(&self) -> u32 {
        if self.disturbances.get() == 0 { self.timeout.get() } else { (self.timeout.get() / 10_000).max(1) }
    }
}
