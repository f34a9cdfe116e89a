//! Attacks by a ring: what is in its pages is the task's, and no word of it is to be trusted.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::object::{COPY, Call, Kind, REVOKE, Status};
use abi::random::SplitMix64;
use abi::ring::{
    DONE, ENTRIES, LEFT, OPERATION_WORDS, PAGES, RESULT_WORDS, RESULTS, SEEN, TAKEN, TOKEN, place,
};
use abi::task::{MAPPED_AT, STOP};

use super::pages;
use super::stub::{Answer, raw};

/// The ring at [`MAPPED_AT`], which is mapped.
struct Ring {
    memory: u64,
}

/// The second page of the ring.
const OPERATIONS: u64 = MAPPED_AT + pages::BYTES;

impl Ring {
    /// Sets the four indices.
    fn set(left: u64, taken: u64, done: u64, seen: u64) {
        for (word, value) in [(LEFT, left), (TAKEN, taken), (DONE, done), (SEEN, seen)] {
            pages::store(MAPPED_AT, word as u64, value);
        }
    }

    /// Leaves an operation in a place.
    fn leave(index: u64, number: u64, handle: u64, words: [u64; 4]) {
        let at = place(index, OPERATION_WORDS) as u64;
        pages::store(OPERATIONS, at, number);
        pages::store(OPERATIONS, at + 1, handle);
        words.into_iter().zip(at + 2..).for_each(|(word, at)| pages::store(OPERATIONS, at, word));
        pages::store(OPERATIONS, at + TOKEN as u64, !index);
    }

    /// The status of a result, if it is that of the operation in this place.
    fn status(index: u64) -> Option<u64> {
        let at = (RESULTS + place(index, RESULT_WORDS)) as u64;
        (pages::load(MAPPED_AT, at) == !index).then(|| pages::load(MAPPED_AT, at + 1))
    }

    fn enter(&self, page: u64, most: u64) -> Answer {
        raw(Call::MemoryEnter.number(), self.memory, [page, most, 0, 0])
    }

    /// Whether so many operations are done.
    fn does(&self, most: u64, count: u64) -> bool {
        let Answer { status, word } = self.enter(0, most);
        status == Status::Ok.value() && word == count
    }

    fn is_refused(&self, page: u64) -> bool {
        self.enter(page, ENTRIES).status == Status::Argument.value()
    }
}

/// A ring with bad indices and bad operations: each is refused for its reason, and those beside it are done. `memory` is mapped
/// nowhere, and is mapped nowhere afterwards.
pub fn bad_ring(memory: u64, door: u64, is_mapped: &dyn Fn(bool) -> bool) -> bool {
    let ring = Ring { memory };
    let mapped = is_mapped(true);
    let indices = [
        [ENTRIES + 1, 0, 0, 0],
        [u64::MAX, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, ENTRIES + 1, 0],
        [0, 0, 0, 1],
        [1 << 63, 0, 1 << 63, 0],
    ];
    let no_indices = indices.into_iter().all(|[left, taken, done, seen]| {
        Ring::set(left, taken, done, seen);
        ring.is_refused(0)
    });
    Ring::set(1, 0, 0, 0);
    let no_pages = [511, 512, u64::MAX].into_iter().all(|page| ring.is_refused(page));
    let others = [(door, Status::Kind), (memory + (1 << 8), Status::Generation), (255, Status::Index)];
    let no_handles = others.into_iter().all(|(handle, status)| {
        raw(Call::MemoryEnter.number(), handle, [0, 1, 0, 0]).status == status.value()
    });
    // No place for results, then one.
    Ring::set(3, 0, ENTRIES, 0);
    let waits = ring.does(u64::MAX, 0);
    pages::store(MAPPED_AT, SEEN as u64, 1);
    let goes_on = ring.does(u64::MAX, 1);
    mapped
        && no_indices
        && no_pages
        && no_handles
        && waits
        && goes_on
        && operations(&ring, door)
        && is_mapped(false)
}

/// Operations that a ring does not have, among others.
fn operations(ring: &Ring, door: u64) -> bool {
    let own = [MAPPED_AT, PAGES, 0, 0];
    let identify = Call::EndpointIdentify.number();
    let cases = [
        (identify, door, [0; 4], Status::Ok),
        (Call::Exit.number(), 0, [0; 4], Status::NoCall),
        (Call::Yield.number(), 0, [0; 4], Status::NoCall),
        (Call::SleepUntil.number(), 0, [u64::MAX, 0, 0, 0], Status::NoCall),
        (Call::EndpointCall.number(), door, [1; 4], Status::Method),
        (Call::MemoryEnter.number(), ring.memory, [0, ENTRIES, 0, 0], Status::NoCall),
        (identify, 200, [0; 4], Status::Index),
        (identify, door + (1 << 8), [0; 4], Status::Generation),
        (u64::MAX, door, [u64::MAX; 4], Status::NoCall),
        (Call::MemoryProtect.number(), ring.memory, [MAPPED_AT, 1, 99, 0], Status::Argument),
        // The ring goes on without its mapping, which it does not use.
        (Call::MemoryUnmap.number(), ring.memory, own, Status::Ok),
        (Call::MemoryMap.number(), ring.memory, [MAPPED_AT, 0, PAGES, 2], Status::Ok),
        (Call::Null.number(), 0, [0; 4], Status::Ok),
    ];
    Ring::set(cases.len() as u64, 0, 0, 0);
    for ((number, handle, words, _), index) in cases.into_iter().zip(0..) {
        Ring::leave(index, number, handle, words);
    }
    let in_two = ring.does(2, 2) && ring.does(u64::MAX, cases.len() as u64 - 2) && ring.does(u64::MAX, 0);
    let right = |((_, _, _, status), index): (&(u64, u64, [u64; 4], Status), u64)| {
        Ring::status(index) == Some(status.value())
    };
    in_two && cases.iter().zip(0..).all(right)
}

/// Enters a ring whose words another CPU changes all the time. Whatever it finds, it does no more than it may.
pub fn changed_ring(memory: u64) -> bool {
    let ring = Ring { memory };
    (0..50).all(|_| {
        let Answer { status, word } = ring.enter(0, ENTRIES);
        match Status::from_value(status) {
            Some(Status::Ok) => word <= ENTRIES,
            other => other == Some(Status::Argument),
        }
    })
}

/// Changes the words of the ring until the client is done: indices that are right at one moment and wrong at the next, and
/// operations that are harmless at one and not at the next. None of them is one that the client has the right to.
pub fn change(door: u64, challenge: u64, shared: &[AtomicU64]) {
    let numbers = [
        Call::Null.number(),
        Call::Exit.number(),
        Call::MemoryEnter.number(),
        Call::EndpointIdentify.number(),
        Call::common(Kind::Endpoint, COPY),
        Call::common(Kind::Image, REVOKE),
        Call::SleepUntil.number(),
        u64::MAX,
    ];
    let mut random = SplitMix64::new(challenge);
    while shared[STOP].load(Ordering::Acquire) == 0 {
        let draw = random.draw();
        let few = draw % (2 * ENTRIES);
        let index = [few, draw, 0, ENTRIES][(draw >> 20) as usize % 4];
        pages::store(MAPPED_AT, [LEFT, TAKEN, DONE, SEEN][(draw >> 40) as usize % 4] as u64, index);
        let at = place(draw >> 8, OPERATION_WORDS) as u64;
        pages::store(OPERATIONS, at, numbers[(draw >> 32) as usize % numbers.len()]);
        pages::store(OPERATIONS, at + 1, [door, 255, draw][(draw >> 50) as usize % 3]);
    }
}
