//! A queue, threaded through what is in it: putting a thread into one allocates nothing. Nothing here needs hardware.

use alloc::rc::Rc;
use core::cell::Cell;

/// What can be in a queue: one at a time.
pub trait Linked: Sized {
    /// Where it keeps what is after it.
    fn next(&self) -> &Cell<Option<Rc<Self>>>;
}

/// A queue, first in first out.
pub struct Queue<T> {
    first: Cell<Option<Rc<T>>>,
    last: Cell<Option<Rc<T>>>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { first: Cell::default(), last: Cell::default() }
    }
}

/// Whether there is something in a place, without taking it out.
#[inline(always)]
pub fn is_some<T>(place: &Cell<Option<Rc<T>>>) -> bool {
    let held = place.take();
    let is_some = held.is_some();
    // What is put back is what was taken: nothing is dropped.
    core::mem::forget(place.replace(held));
    is_some
}

impl<T> Queue<T> {
    /// Whether there is none.
    #[must_use]
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        !is_some(&self.first)
    }
}

impl<T: Linked> Queue<T> {
    /// Adds one at the end.
    pub fn push(&self, item: Rc<T>) {
        debug_assert!(!is_some(item.next()), "in another queue");
        match self.last.replace(Some(Rc::clone(&item))) {
            Some(last) => last.next().set(Some(item)),
            None => self.first.set(Some(item)),
        }
    }

    /// Takes the first one.
    pub fn pop(&self) -> Option<Rc<T>> {
        let first = self.first.take()?;
        match first.next().take() {
            None => drop(self.last.take()),
            next => self.first.set(next),
        }
        Some(first)
    }

    /// Takes all out.
    pub fn clear(&self) {
        while self.pop().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Space, Thread};

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
