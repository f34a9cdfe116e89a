//! The state of the worker that a CPU runs. Only that CPU uses it: the way into ring 3 sets it, traps update it.

use core::cell::Cell;

use abi::syscall::Authority;
use harness::user::{Counts, Exit};
use harness::watch::Watch;
use harness::x86::tsc;

use crate::clock::MachineClock;

/// From one disturbance of a negative control to the next, in microseconds.
const DISTURBANCE_US: u64 = 2_000;

/// The state of the worker that a CPU runs.
#[derive(Default)]
pub struct WorkerState {
    /// The kernel's RSP to return to, while a worker runs.
    pub return_rsp: Cell<u64>,
    /// How the worker came back. Set just before the return.
    pub exit: Cell<Option<Exit>>,
    /// The syscalls that it may make.
    pub authority: Cell<Authority>,
    /// The watch over its call, with its time-out.
    pub watch: Cell<Watch>,
    /// How many timer interrupts a negative control still wants in this worker.
    pub disturbances: Cell<u16>,
    /// What was counted so far.
    pub counts: Cell<Counts>,
}

impl WorkerState {
    /// The next setting of the timer: for the watch, or for the next disturbance.
    pub fn next_timer(&self, clock: &MachineClock) -> u32 {
        if self.disturbances.get() == 0 {
            clock.timer_ticks_of(self.watch.get().wait(tsc::read()))
        } else {
            clock.timer_ticks(DISTURBANCE_US)
        }
    }
}
