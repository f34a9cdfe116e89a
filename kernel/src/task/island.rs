//! The threads of one CPU, and which of them runs.
//!
//! There is no preemption: a thread runs until it makes a call that waits, ends, or reaches its time-out. A call through an
//! endpoint goes to the server directly. All else goes through one queue.
#![expect(unsafe_code, reason = "finds the island of the CPU that took a trap")]

use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::sync::atomic::Ordering;

use abi::object::Status;
use harness::user::Exit;
use harness::x86::tsc;
use x86_64::instructions::interrupts;

use super::enter::{leave, resume};
use super::objects::Notification;
use super::queue::Queue;
use super::thread::{State, Thread};
use crate::clock;
use crate::cpu::{PerCpu, ThreadFrame};
use crate::mem::phys;
use crate::x86::apic;

/// What a thread that is in no queue waits for.
enum Awaited {
    Bits(Arc<Notification>),
    /// A value of the TSC.
    Time(u64),
}

/// The threads of one CPU.
pub struct Island {
    cpu: &'static PerCpu,
    current: Cell<Option<Rc<Thread>>>,
    ready: Queue,
    waiting: RefCell<Vec<(Rc<Thread>, Awaited)>>,
    /// The page tables in force.
    cr3: Cell<u64>,
    /// How often another thread was made current.
    switches: Cell<u64>,
}

impl Island {
    /// An island on `cpu`, whose page tables in force are those of `cr3`. At most `threads` of its threads wait at a time.
    #[must_use]
    pub fn new(cpu: &'static PerCpu, cr3: u64, threads: usize) -> Self {
        Self {
            cpu,
            current: Cell::default(),
            ready: Queue::default(),
            waiting: RefCell::new(Vec::with_capacity(threads)),
            cr3: Cell::new(cr3),
            switches: Cell::new(0),
        }
    }

    /// The island whose thread made a trap on this CPU.
    ///
    /// # Safety
    /// A thread runs on this CPU: the trap came from ring 3. The reference is dropped before the trap returns.
    #[inline(always)]
    pub unsafe fn here<'a>() -> &'a Self {
        let cpu = PerCpu::current().expect("ring 3 is entered only on a CPU whose data is current");
        // SAFETY: `enter` sets it before ring 3 is entered, and the island lives until it returns.
        unsafe { &*cpu.worker.island.get().cast() }
    }

    /// The CPU.
    #[must_use]
    pub const fn cpu(&self) -> &'static PerCpu {
        self.cpu
    }

    /// The thread that runs.
    #[inline(always)]
    pub fn current(&self) -> &Thread {
        // SAFETY: `switch_to` sets it, and `self.current` keeps the thread alive until another is current.
        unsafe { &*self.cpu.worker.thread.get().cast() }
    }

    /// How often another thread was made current.
    #[must_use]
    pub const fn switches(&self) -> u64 {
        self.switches.get()
    }

    /// Puts a thread into the queue of those that can run.
    pub fn make_ready(&self, thread: Rc<Thread>) {
        thread.state.set(State::Ready);
        self.ready.push(thread);
    }

    /// Makes `next` the current thread. Returns the one that was.
    #[inline(always)]
    pub fn switch_to(&self, next: Rc<Thread>) -> Option<Rc<Thread>> {
        if next.cr3 != self.cr3.get() {
            phys::set_cr3(next.cr3);
            self.cr3.set(next.cr3);
        }
        self.cpu.worker.thread.set(next.frame());
        self.switches.set(self.switches.get() + 1);
        self.current.replace(Some(next))
    }

    /// Makes the first thread current that is ready. There is one.
    pub fn begin(&self) {
        let first = self.next_ready().expect("a run has a thread");
        drop(self.switch_to(first));
        self.switches.set(0);
    }

    /// Makes the kernel's own page tables current again, and forgets every thread.
    pub fn end(&self, kernel_cr3: u64) {
        phys::set_cr3(kernel_cr3);
        self.cr3.set(kernel_cr3);
        self.ready.clear();
        self.waiting.borrow_mut().clear();
        self.current.take();
    }

    /// The frame of the current thread.
    #[inline(always)]
    pub fn frame(&self) -> *const ThreadFrame {
        self.cpu.worker.thread.get()
    }

    /// Lets the next thread run that is ready, and the current one after all others.
    pub fn yield_now(&self) {
        self.look();
        if let Some(next) = self.next_ready() {
            if let Some(current) = self.switch_to(next) {
                self.ready.push(current);
            }
        }
    }

    /// Lets the next thread run that is ready, and waits for one if there is none. Returns the thread that was current.
    pub fn block(&self) -> Option<Rc<Thread>> {
        let next = self.await_ready();
        self.switch_to(next)
    }

    /// Lets the current thread wait for `awaited`, which wakes it.
    fn wait_for(&self, awaited: Awaited) {
        let current = self.current.take();
        if let Some(current) = current {
            current.state.set(State::Waiting);
            self.waiting.borrow_mut().push((current, awaited));
        }
        self.block();
    }

    /// Lets the current thread wait for a bit of `notification`.
    pub fn wait_for_bits(&self, notification: &Arc<Notification>) {
        self.wait_for(Awaited::Bits(Arc::clone(notification)));
    }

    /// Lets the current thread wait until the TSC has the value `until`.
    pub fn sleep(&self, until: u64) {
        self.wait_for(Awaited::Time(until));
    }

    /// Makes every thread ready whose wait is over.
    pub fn look(&self) {
        let mut waiting = self.waiting.borrow_mut();
        let mut index = 0;
        while let Some((thread, awaited)) = waiting.get(index) {
            let answer = match awaited {
                Awaited::Bits(notification) if notification.revoked.load(Ordering::Acquire) => {
                    Some((Status::Gone, 0))
                }
                Awaited::Bits(notification) if notification.is_set() => {
                    Some((Status::Ok, notification.take()))
                }
                Awaited::Time(until) => {
                    Some(tsc::read()).filter(|now| now >= until).map(|now| (Status::Ok, now))
                }
                Awaited::Bits(_) => None,
            };
            let Some((status, word)) = answer else {
                index += 1;
                continue;
            };
            thread.answer(status, [word, 0, 0, 0]);
            let (thread, awaited) = waiting.swap_remove(index);
            if let Awaited::Bits(notification) = awaited {
                notification.waits.store(0, Ordering::Release);
            }
            self.make_ready(thread);
        }
    }

    /// The next thread that can run. Those that were ended while they were in the queue are dropped.
    fn next_ready(&self) -> Option<Rc<Thread>> {
        loop {
            let next = self.ready.pop()?;
            if next.state.get() == State::Ready {
                return Some(next);
            }
        }
    }

    /// The next thread that can run, for which the CPU waits. Ends the run at its time-out, or if nothing can make a thread ready any more.
    fn await_ready(&self) -> Rc<Thread> {
        loop {
            self.look();
            if let Some(next) = self.next_ready() {
                return next;
            }
            if self.waiting.borrow().is_empty() {
                leave(self.cpu);
            }
            self.halt();
        }
    }

    /// Halts until an interrupt comes: the timer, or another CPU's.
    fn halt(&self) {
        let worker = &self.cpu.worker;
        let mut watch = worker.watch.get();
        let now = tsc::read();
        if watch.wait(now) == 0 && !watch.comes(now) {
            leave(self.cpu);
        }
        worker.watch.set(watch);
        let first = self
            .waiting
            .borrow()
            .iter()
            .filter_map(|(_, awaited)| match awaited {
                Awaited::Time(until) => Some(until.saturating_sub(now)),
                Awaited::Bits(_) => None,
            })
            .min();
        let clock = clock::get().expect("a thread runs only when there is a clock");
        apic::set_timer(clock.timer_ticks_of(watch.wait(now).min(first.unwrap_or(u64::MAX))));
        interrupts::enable_and_hlt();
        interrupts::disable();
        apic::set_timer(worker.next_timer(clock));
    }

    /// Ends the current thread. Another one runs, or `enter` returns if none can.
    pub fn end_current(&self, exit: Exit) -> ! {
        if let Some(current) = self.current.take() {
            current.exit.set(Some(exit));
            current.state.set(State::Ended);
            if let Some(caller) = current.caller.take().filter(|caller| caller.state.get() == State::Called) {
                caller.answer(Status::Gone, [0; 4]);
                self.make_ready(caller);
            }
        }
        drop(self.switch_to(self.await_ready()));
        // SAFETY: the frame of the thread that was made current just now, on the trap stack, whose content nothing needs.
        unsafe { resume(self.frame()) }
    }
}
