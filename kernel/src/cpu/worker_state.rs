//! What a CPU keeps while it runs ring 3. Only that CPU uses it: the way into ring 3 sets it, traps update it.

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::AtomicBool;

use harness::user::Counts;
use harness::watch::Watch;
use harness::x86::tsc;

use super::ThreadFrame;
use crate::clock::MachineClock;

/// From one disturbance of a negative control to the next, in microseconds.
const DISTURBANCE_US: u64 = 2_000;

/// The state of the threads that a CPU runs.
pub struct WorkerState {
    /// The frame of the thread that runs. The entry code saves registers there at a call that may switch.
    pub thread: Cell<*mut ThreadFrame>,
    /// The threads of this CPU: an island of `task`, while one of them runs.
    pub island: Cell<*const ()>,
    /// The kernel's RSP to return to, while ring 3 runs.
    pub return_rsp: Cell<u64>,
    /// The CPU halts until one of its threads can go on. Other CPUs read it.
    pub asleep: AtomicBool,
    /// The watch over its call, with its time-out.
    pub watch: Cell<Watch>,
    /// How many timer interrupts a negative control still wants in this worker.
    pub disturbances: Cell<u16>,
    /// What was counted so far.
    pub counts: Cell<Counts>,
}

impl Default for WorkerState {
    fn default() -> Self {
        Self {
            thread: Cell::new(ptr::null_mut()),
            island: Cell::new(ptr::null()),
            return_rsp: Cell::default(),
            asleep: AtomicBool::new(false),
            watch: Cell::default(),
            disturbances: Cell::default(),
            counts: Cell::default(),
        }
    }
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
