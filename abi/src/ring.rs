//! A ring: two pages of a memory object in which a task leaves operations, and the kernel what became of them. One call
//! ([`crate::object::Call::MemoryEnter`]) has several done.
//!
//! The first page has four indices, each in a line of its own, and the results; the second has the operations. An index
//! counts from 0 on and never goes back: entry k is in place k modulo [`ENTRIES`]. The kernel reads each index and each
//! operation once, and keeps nothing of a ring between two calls: whatever else writes to it harms those who use it alone.

/// The places for operations, and those for results.
pub const ENTRIES: u64 = 64;
/// The pages of a ring.
pub const PAGES: u64 = 2;

/// The word of the first page with the index that the task advances: of the operations that it has left.
pub const LEFT: usize = 0;
/// Of those that the kernel has taken. The kernel advances it.
pub const TAKEN: usize = 8;
/// Of the results that the kernel has left. The kernel advances it.
pub const DONE: usize = 16;
/// Of the results that the task has seen.
pub const SEEN: usize = 24;

/// The word of the first page at which the results begin.
pub const RESULTS: usize = 256;
/// The words of a result: the token of its operation, the status, the first word of the answer, and one that is not used.
pub const RESULT_WORDS: usize = 4;
/// The words of an operation: a call's number, its handle, its four words, a token, and one that is not used.
pub const OPERATION_WORDS: usize = 8;
/// The word of an operation that comes back with its result.
pub const TOKEN: usize = 6;

const _: () = assert!(RESULTS as u64 + RESULT_WORDS as u64 * ENTRIES == 512);
const _: () = assert!(OPERATION_WORDS as u64 * ENTRIES == 512);

/// The word at which an entry begins that has so many words.
#[must_use]
#[inline(always)]
pub const fn place(index: u64, words: usize) -> usize {
    (index % ENTRIES) as usize * words
}
