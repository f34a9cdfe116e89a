//! A queue of threads, threaded through the threads themselves: putting one into it allocates nothing.

use alloc::rc::Rc;
use core::cell::Cell;

use super::objects::is_some;
use super::thread::Thread;

/// Threads, first in first out. A thread is in one queue at most.
#[derive(Default)]
pub struct Queue {
    first: Cell<Option<Rc<Thread>>>,
    last: Cell<Option<Rc<Thread>>>,
}

impl Queue {
    /// Adds a thread at the end.
    pub fn push(&self, thread: Rc<Thread>) {
        debug_assert!(!is_some(&thread.next), "in another queue");
        match self.last.replace(Some(Rc::clone(&thread))) {
            Some(last) => last.next.set(Some(thread)),
            None => self.first.set(Some(thread)),
        }
    }

    /// Takes the first thread.
    pub fn pop(&self) -> Option<Rc<Thread>> {
        let first = self.first.take()?;
        match first.next.take() {
            None => drop(self.last.take()),
            next => self.first.set(next),
        }
        Some(first)
    }

    /// Whether there is none.
    #[must_use]
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        !is_some(&self.first)
    }

    /// Takes all threads out.
    pub fn clear(&self) {
        while self.pop().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Space;

    fn thread(cr3: u64) -> Rc<Thread> {
        Thread::new(Space::of_no_memory(cr3), None)
    }

    #[test]
    fn is_first_in_first_out_and_holds_each_thread_once() {
        let queue = Queue::default();
        let threads: [_; 3] = core::array::from_fn(|cr3| thread(cr3 as u64));
        assert!(queue.is_empty() && queue.pop().is_none());
        for round in 0..2 {
            threads.iter().for_each(|thread| queue.push(Rc::clone(thread)));
            assert!(!queue.is_empty());
            for expected in 0..3 {
                assert_eq!(queue.pop().map(|thread| thread.space.cr3), Some(expected), "{round}");
            }
            assert!(queue.is_empty() && queue.pop().is_none());
        }
        queue.push(Rc::clone(&threads[1]));
        queue.clear();
        assert!(threads.iter().all(|thread| Rc::strong_count(thread) == 1));
    }
}
