//! What the kernel counts of the threads of one CPU: the other side of what they measure.

use abi::object::Status;
use abi::task::Counter;
use core::cell::Cell;
use harness::mechanism::Counted;

/// Counters.
#[derive(Default)]
pub struct Counters {
    done: [Cell<u64>; Counter::ALL.len()],
    refused: [Cell<u64>; Status::ALL.len()],
}

impl Counters {
    /// Counts what was done once.
    #[inline(always)]
    pub fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Counts what was done several times.
    #[inline(always)]
    pub fn add(&self, counter: Counter, more: u64) {
        let cell = &self.done[counter as usize];
        cell.set(cell.get().wrapping_add(more));
    }

    /// Counts a call that was refused.
    #[inline(always)]
    pub fn refuse(&self, status: Status) {
        let cell = &self.refused[status as usize];
        cell.set(cell.get().wrapping_add(1));
    }

    /// Adds all of them to those of other CPUs.
    #[must_use]
    pub fn added_to(&self, others: Counted) -> Counted {
        let add = |before: Option<u64>, more: &Cell<u64>| before.unwrap_or(0).wrapping_add(more.get());
        let done = Counter::ALL.iter().fold(others, |all, &counter| {
            all.with(counter, add(all.get(counter), &self.done[counter as usize]))
        });
        Status::ALL.iter().fold(done, |all, &status| {
            all.with_refused(status, add(all.refused(status), &self.refused[status as usize]))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_several_cpus_add_up() {
        let counters = Counters::default();
        counters.count(Counter::Null);
        counters.add(Counter::Map, 16);
        counters.refuse(Status::Right);
        let all = counters.added_to(counters.added_to(Counted::NOTHING));
        assert_eq!((all.get(Counter::Null), all.get(Counter::Map)), (Some(2), Some(32)));
        assert_eq!((all.refused(Status::Right), all.refused(Status::Kind)), (Some(2), Some(0)));
    }
}
