//! The threads of one CPU, and which of them runs.
//!
//! There is no preemption: a thread runs until it makes a call that waits, ends, or reaches its time-out. A call through an
//! endpoint goes to the server directly. All else goes through one queue.
#![expect(unsafe_code, reason = "finds the island of the CPU that took a trap")]

use abi::object::Status;
use abi::task::Counter;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::counters::Counters;
use super::enter::{leave, resume_trapped};
use super::objects::Endpoint;
use super::queue::Queue;
use super::thread::{State, Thread};
use super::waits::Waiting;
use crate::cpu::{PerCpu, ThreadFrame};
use crate::mem::{kernel_cr3, phys};

/// The most tasks of a CPU at a time that others started, ended ones with a handle to them included.
pub const MOST_STARTED: usize = 32;

/// The threads of one CPU.
pub struct Island {
    pub(super) cpu: &'static PerCpu,
    pub(super) current: Cell<Option<Rc<Thread>>>,
    pub(super) ready: Queue<Thread>,
    pub(super) waiting: RefCell<Waiting>,
    /// The endpoints that other CPUs call.
    pub(super) served: RefCell<Vec<Rc<Endpoint>>>,
    /// How many of both there are: none, as a rule, and then there is nothing to look at.
    pub(super) outside: Cell<usize>,
    /// Whether the CPU halts when there is nothing to do. If not, it looks all the time.
    pub(super) halts: bool,
    /// Held by the island and by each task that another started here, until nothing refers to it any more: so it counts
    /// them.
    census: Rc<()>,
    /// The run is over: no thread can go on.
    is_over: Cell<bool>,
    /// The page tables in force.
    cr3: Cell<u64>,
    /// What is counted.
    pub counters: Counters,
}

impl Island {
    /// An island on `cpu`, on which the kernel's own page tables are in force, for `threads` threads and those that they
    /// start: 0 if none of them can wait. It halts when there is nothing to do, or looks all the time.
    #[must_use]
    pub fn new(cpu: &'static PerCpu, threads: usize, halts: bool) -> Self {
        Self {
            cpu,
            current: Cell::default(),
            ready: Queue::default(),
            waiting: RefCell::new(Waiting::for_threads(threads)),
            served: RefCell::default(),
            outside: Cell::new(0),
            halts,
            census: Rc::new(()),
            is_over: Cell::new(false),
            cr3: Cell::new(kernel_cr3()),
            counters: Counters::default(),
        }
    }

    /// The island whose thread made a trap on this CPU.
    ///
    /// # Safety
    /// A thread runs on this CPU: the trap came from ring 3. The reference is dropped before the trap returns.
    #[inline(always)]
    pub unsafe fn here<'a>() -> &'a Self {
        // SAFETY: ring 3 is entered only on a CPU whose data is current.
        let island = unsafe { PerCpu::island_here() };
        // SAFETY: `enter` sets it before ring 3 is entered, and the island lives until `enter` returns.
        unsafe { &*island.cast() }
    }

    /// The thread that made a call on this CPU.
    ///
    /// # Safety
    /// As of [`Island::here`]; the thread is kept alive as [`Island::current`] says.
    #[inline(always)]
    pub unsafe fn thread_here<'a>() -> &'a Thread {
        // SAFETY: ring 3 is entered only on a CPU whose data is current.
        let frame = unsafe { PerCpu::thread_here() };
        // SAFETY: as in `current`.
        unsafe { Thread::of_frame(frame) }
    }

    /// The CPU.
    #[must_use]
    pub const fn cpu(&self) -> &'static PerCpu {
        self.cpu
    }

    /// The thread that runs.
    #[inline(always)]
    pub fn current(&self) -> &Thread {
        // SAFETY: `switch_to` sets it, and the thread is kept alive by `self.current`, or by what it was parked in, until
        // another is current.
        unsafe { Thread::of_frame(self.cpu.worker.thread.get()) }
    }

    /// The frame of the current thread.
    #[inline(always)]
    pub fn frame(&self) -> *const ThreadFrame {
        self.cpu.worker.thread.get()
    }

    /// A place for one more task that another starts.
    ///
    /// # Errors
    /// [`Status::Full`]: ring 3 cannot fill the kernel's heap with tasks.
    pub fn place(&self) -> Result<Rc<()>, Status> {
        if Rc::strong_count(&self.census) > MOST_STARTED {
            return Err(Status::Full);
        }
        Ok(Rc::clone(&self.census))
    }

    /// Puts a thread into the queue of those that can run.
    pub fn make_ready(&self, thread: Rc<Thread>) {
        thread.state.set(State::Ready);
        self.ready.push(thread);
    }

    /// The next thread that can run. Those that were ended while they were in the queue are dropped.
    pub(super) fn next_ready(&self) -> Option<Rc<Thread>> {
        loop {
            let next = self.ready.pop()?;
            if next.state.get() == State::Ready {
                return Some(next);
            }
        }
    }

    /// Makes `next` the current thread. Returns the one that was.
    #[inline(always)]
    pub fn switch_to(&self, next: Rc<Thread>) -> Option<Rc<Thread>> {
        let cr3 = next.space.cr3;
        if cr3 != self.cr3.get() {
            phys::set_cr3(cr3);
            self.cr3.set(cr3);
        }
        self.cpu.worker.thread.set(next.frame());
        self.counters.count(Counter::Switch);
        self.current.replace(Some(next))
    }

    /// Makes the first thread current that is ready. There is one.
    pub fn begin(&self) {
        let first = self.next_ready().expect("a run has a thread");
        drop(self.switch_to(first));
        self.is_over.set(false);
    }

    /// Makes the kernel's own page tables current again, and forgets every thread.
    pub fn end(&self) {
        phys::set_cr3(kernel_cr3());
        self.cr3.set(kernel_cr3());
        self.ready.clear();
        // No call of another CPU is answered any more.
        while let Some(endpoint) = self.served.borrow_mut().pop() {
            endpoint.close_posts();
        }
        self.waiting.borrow_mut().end();
        self.outside.set(0);
        self.current.take();
    }

    /// Lets the next thread run that is ready, and the current one after all others.
    #[inline(always)]
    pub fn yield_now(&self) {
        self.look();
        self.counters.count(Counter::Yield);
        if let Some(next) = self.next_ready()
            && let Some(current) = self.switch_to(next)
        {
            self.ready.push(current);
        }
    }

    /// Takes the current thread, which is about to wait where the caller puts it; then comes [`Island::block`].
    pub fn park(&self) -> Option<Rc<Thread>> {
        self.current.take()
    }

    /// Lets the next thread run that is ready, and waits for one if there is none: then the run is over.
    pub fn block(&self) {
        match self.await_ready() {
            Some(next) => drop(self.switch_to(next)),
            None => self.is_over.set(true),
        }
    }

    /// The frame of the thread that runs next. If the run is over, `enter` returns instead: nothing that is to be dropped is
    /// alive in the callers of this, whose stack is left behind. So it is if the thread goes on after a page fault.
    #[inline(always)]
    pub fn next_frame(&self) -> *const ThreadFrame {
        if self.is_over.get() {
            leave(self.cpu);
        }
        if let Some(trapped) = self.current().take_trapped() {
            // SAFETY: the registers of the current thread as its trap left them; nothing on this stack is needed.
            unsafe { resume_trapped(trapped) }
        }
        self.frame()
    }
}
