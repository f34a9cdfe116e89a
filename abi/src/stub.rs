//! The stubs of the mechanism rows: one page of short functions for each system, which do an operation its own way.
//!
//! The program that reads the clock is the same bytes on every system. It calls the operation through this page: slot `k`
//! is at [`STUBS`] plus `k` times [`STUB_BYTES`], an `extern "C" fn(u64, u64, u64) -> u64` (System V AMD64 ABI). What an
//! operation returns if all is well differs from system to system: the system states it beside each row.

use crate::wire::value::words;

/// The address of the first stub, in the page of the return stub.
pub const STUBS: u64 = 0x3200_0000 + 256;
/// The distance between two stubs, in bytes.
pub const STUB_BYTES: u64 = 64;

words! {
    /// An operation.
    pub enum Op {
        /// `()`: the smallest call that there is.
        Null = "null",
        /// `()`: a call that does not exist.
        NoCall = "no-call",
        /// `(handle)`: asks for the kind of an endpoint.
        Identify = "identify",
        /// `(handle)`: calls a method that endpoints do not have.
        BadMethod = "bad-method",
        /// `(handle, word)`: passes a word to the server and returns the first word of its answer.
        Call = "call",
        /// `(handle, word, word)`: answers the last caller, waits for the next, and returns its first word.
        Serve = "serve",
        /// `(handle, bits)`: signals a notification.
        Signal = "signal",
        /// `(handle)`: waits for a notification and returns its bits.
        Wait = "wait",
        /// `()`: lets another thread run.
        Yield = "yield",
        /// `(tsc)`: sleeps until the TSC has this value.
        Sleep = "sleep",
        /// `(image, argument)`: starts a task, waits for its end, and returns its answer.
        Spawn = "spawn",
        /// `(memory, address, pages)`: maps pages.
        Map = "map",
        /// `(memory, address, pages)`: makes pages read-only.
        Protect = "protect",
        /// `(memory, address, pages)`: takes pages away.
        Unmap = "unmap",
        /// `(memory, token, count)`: leaves operations that do nothing in a ring, each with the next token, has them done by one
        /// call, and returns how many tokens came back in order before one did not. The ring is at [`crate::task::MAPPED_AT`].
        Enter = "enter",
        /// `(word)`: returns it at once, and asks the kernel for nothing.
        Empty = "empty",
        /// `(endpoint)`: passes this task's page faults to a server.
        FaultTo = "fault-to",
        /// `(memory, address, pages)`: maps pages, and leaves to their first touch what the system leaves to it by default.
        MapLazy = "map-lazy",
        /// `(call, handle, word, word, word, word)`: any call of this kernel. Returns its status and, in RDX, its first word.
        Raw = "raw",
    }
}

impl Op {
    /// The address of its stub.
    #[must_use]
    pub const fn address(self) -> u64 {
        STUBS + self as u64 * STUB_BYTES
    }
}

const _: () = assert!(256 + Op::ALL.len() as u64 * STUB_BYTES <= 4096);
