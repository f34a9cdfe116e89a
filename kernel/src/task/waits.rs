//! What threads wait for besides each other, and how their CPU passes the time.

use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use abi::object::Status;
use abi::task::Counter;
use harness::x86::tsc;
use x86_64::instructions::interrupts;

use super::island::{Island, MOST_STARTED};
use super::notification::Notification;
use super::objects::Endpoint;
use super::post::Post;
use super::thread::{State, Thread};
use crate::clock;
use crate::x86::apic;

/// What a thread that is in no queue waits for.
pub enum Awaited {
    /// A bit of a notification.
    Bits(Arc<Notification>),
    /// The answer of a server on another CPU.
    Answer(Arc<Post>),
    /// A value of the TSC.
    Time(u64),
}

impl Awaited {
    /// What the thread's call returns, if the wait is over.
    fn over(&self) -> Option<(Status, [u64; 4])> {
        match self {
            Self::Bits(notification) if notification.void.is_seen() => Some((Status::Gone, [0; 4])),
            Self::Bits(notification) => {
                notification.is_set().then(|| (Status::Ok, [notification.take(), 0, 0, 0]))
            }
            Self::Answer(post) => {
                post.poll().map(|answer| answer.map_or((Status::Gone, [0; 4]), |words| (Status::Ok, words)))
            }
            Self::Time(until) => {
                let now = tsc::read();
                (now >= *until).then_some((Status::Ok, [now, 0, 0, 0]))
            }
        }
    }
}

/// Threads that are in no queue, each with what it waits for. There is room for all from the start, so that no call makes the
/// list grow: a thread waits for one thing at a time, and there is a bound for how many there are.
#[derive(Default)]
pub struct Waiting(Vec<(Rc<Thread>, Awaited)>);

impl Waiting {
    /// None waits yet, of `threads` threads and those that they start.
    #[must_use]
    pub fn for_threads(threads: usize) -> Self {
        Self(if threads == 0 { Vec::new() } else { Vec::with_capacity(threads + MOST_STARTED) })
    }

    /// Whether none waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a thread.
    fn push(&mut self, thread: Rc<Thread>, awaited: Awaited) {
        assert!(self.0.len() < self.0.capacity(), "more threads wait than there are");
        self.0.push((thread, awaited));
    }

    /// Forgets all of them. A call of another CPU's server is taken back.
    pub fn end(&mut self) {
        while let Some((_, awaited)) = self.0.pop() {
            if let Awaited::Answer(post) = awaited {
                post.take_back();
            }
        }
    }
}

impl Island {
    /// Lets the current thread wait for `awaited`, which wakes it.
    fn wait_for(&self, awaited: Awaited) {
        if let Some(current) = self.park() {
            current.state.set(State::Waiting);
            self.waiting.borrow_mut().push(current, awaited);
            self.outside.set(self.outside.get() + 1);
        }
        self.block();
    }

    /// Lets the current thread wait for a bit of `notification`.
    pub fn wait_for_bits(&self, notification: &Arc<Notification>) {
        self.wait_for(Awaited::Bits(Arc::clone(notification)));
    }

    /// Lets the current thread wait for the answer of a server on another CPU.
    pub fn wait_for_answer(&self, post: &Arc<Post>) {
        self.wait_for(Awaited::Answer(Arc::clone(post)));
    }

    /// Lets the current thread wait until the TSC has the value `until`.
    pub fn sleep(&self, until: u64) {
        self.wait_for(Awaited::Time(until));
    }

    /// Lets the current thread wait for the end of `thread`.
    pub fn wait_for_end(&self, thread: &Thread) {
        let current = self.park();
        if let Some(current) = &current {
            current.state.set(State::Waiting);
        }
        thread.waiter.set(current);
        self.block();
    }

    /// Has the CPU look for calls of other CPUs at this endpoint.
    pub fn serve_posts(&self, endpoint: &Rc<Endpoint>) {
        self.served.borrow_mut().push(Rc::clone(endpoint));
        self.outside.set(self.outside.get() + 1);
    }

    /// Takes a thread that was ended from those that wait.
    pub(super) fn stop_waiting(&self, thread: &Thread) {
        let waiting = &mut self.waiting.borrow_mut().0;
        let place = waiting.iter().position(|(waiting, _)| core::ptr::eq(&raw const **waiting, thread));
        let Some(place) = place else { return };
        self.outside.set(self.outside.get() - 1);
        match waiting.swap_remove(place).1 {
            Awaited::Bits(notification) => notification.leave(),
            Awaited::Answer(post) => post.take_back(),
            Awaited::Time(_) => {}
        }
    }

    /// Makes every thread ready whose wait is over.
    #[inline(always)]
    pub fn look(&self) {
        if self.outside.get() > 0 {
            self.look_outside();
        }
    }

    /// Looks at what other CPUs and time can end.
    #[inline(never)]
    fn look_outside(&self) {
        self.look_at_posts();
        let waiting = &mut self.waiting.borrow_mut().0;
        let mut index = 0;
        while let Some((thread, awaited)) = waiting.get(index) {
            let Some((status, words)) = awaited.over() else {
                index += 1;
                continue;
            };
            thread.answer(status, words);
            let (thread, awaited) = waiting.swap_remove(index);
            self.outside.set(self.outside.get() - 1);
            match awaited {
                Awaited::Bits(notification) => {
                    notification.leave();
                    self.counters.count(Counter::Wait);
                }
                Awaited::Time(_) => self.counters.count(Counter::Sleep),
                Awaited::Answer(_) => {}
            }
            self.make_ready(thread);
        }
    }

    /// Passes calls of other CPUs to servers that wait, and revokes what other CPUs have revoked.
    fn look_at_posts(&self) {
        for endpoint in self.served.borrow().iter() {
            if !endpoint.void.is_set() && endpoint.posts.iter().any(|post| post.is_revoked()) {
                self.revoke_endpoint(endpoint);
            }
            let Some(server) = endpoint.server.take() else { continue };
            let mut calls = endpoint.posts.iter().filter_map(|post| Some((post, post.take()?)));
            // One that is not taken stays in its slot.
            match if server.state.get() == State::Serving { calls.next() } else { None } {
                Some((post, words)) => {
                    self.counters.count(Counter::Serve);
                    server.answer(Status::Ok, words);
                    server.post.set(Some(Arc::clone(post)));
                    self.make_ready(server);
                }
                None => endpoint.server.set(Some(server)),
            }
        }
    }

    /// Whether something that is not here can make a thread ready: another CPU, or time.
    fn can_wait(&self) -> bool {
        !self.waiting.borrow().is_empty() || self.served.borrow().iter().any(|endpoint| endpoint.is_served())
    }

    /// The next thread that can run, for which the CPU waits. `None` at the time-out, or if nothing can make a thread ready any
    /// more: then the run is over.
    pub(super) fn await_ready(&self) -> Option<Rc<Thread>> {
        loop {
            self.look();
            let next = self.next_ready();
            if next.is_some() || !self.can_wait() || !self.rest() {
                return next;
            }
        }
    }

    /// Lets time pass: until an interrupt comes, the timer's or another CPU's, or for a moment if the CPU does not halt.
    /// Returns whether there is time left.
    fn rest(&self) -> bool {
        let worker = &self.cpu.worker;
        let mut watch = worker.watch.get();
        let now = tsc::read();
        if watch.wait(now) == 0 && !watch.comes(now) {
            return false;
        }
        worker.watch.set(watch);
        if !self.halts {
            core::hint::spin_loop();
            return true;
        }
        let until = |awaited: &Awaited| match awaited {
            Awaited::Time(until) => Some(until.saturating_sub(now)),
            Awaited::Bits(_) | Awaited::Answer(_) => None,
        };
        let first = self.waiting.borrow().0.iter().filter_map(|(_, awaited)| until(awaited)).min();
        let clock = clock::get().expect("a thread runs only when there is a clock");
        apic::set_timer(clock.timer_ticks_of(watch.wait(now).min(first.unwrap_or(u64::MAX))));
        worker.asleep.store(true, Ordering::SeqCst);
        // What came before the announcement had no interrupt; what comes after it is pending when the CPU halts.
        self.look();
        if self.ready.is_empty() {
            interrupts::enable_and_hlt();
            interrupts::disable();
        }
        worker.asleep.store(false, Ordering::SeqCst);
        apic::set_timer(worker.next_timer(clock));
        true
    }

    /// Whether a page fault of the current thread with this error code was the first touch of a page that is made then.
    pub fn touches(&self, error: u64, address: u64) -> bool {
        /// Of the error code (Intel SDM vol. 3A, "Page-Fault Exceptions"): present, a reserved bit set, a fetch.
        const NO_TOUCH: u64 = 1 | 1 << 3 | 1 << 4;
        let made = error & NO_TOUCH == 0 && self.current().space.touch(address).is_ok();
        if made {
            self.counters.count(Counter::Fault);
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Space;

    #[test]
    fn there_is_room_for_every_thread_that_can_wait_and_for_no_more() {
        let mut waiting = Waiting::for_threads(2);
        let room = waiting.0.capacity();
        for until in 0..2 + MOST_STARTED as u64 {
            waiting.push(Thread::new(Space::of_no_memory(0), None), Awaited::Time(until));
        }
        assert_eq!((waiting.0.len(), waiting.0.capacity()), (2 + MOST_STARTED, room));
        waiting.end();
        assert!(waiting.is_empty());
        assert_eq!(Waiting::for_threads(0).0.capacity(), 0);
    }
}
