//! The calls of the stubs. Each system has its own at the same addresses.

use abi::stub::Op;

/// A stub.
type Stub = extern "C" fn(u64, u64, u64) -> u64;

/// Does an operation of three words.
#[inline(always)]
pub fn call3(op: Op, first: u64, second: u64, third: u64) -> u64 {
    // SAFETY: the system that runs a task of a mechanism row has a function of this form at this address.
    let stub: Stub = unsafe { core::mem::transmute(op.address() as usize) };
    stub(first, second, third)
}

/// Does an operation of two words.
#[inline(always)]
pub fn call2(op: Op, first: u64, second: u64) -> u64 {
    call3(op, first, second, 0)
}

/// What a call of this kernel returned.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Answer {
    /// A status.
    pub status: u64,
    /// The first word.
    pub word: u64,
}

/// Makes any call of this kernel.
pub fn raw(number: u64, handle: u64, [a, b, c, d]: [u64; 4]) -> Answer {
    type Raw = extern "C" fn(u64, u64, u64, u64, u64, u64) -> Answer;
    // SAFETY: the kernel has a function of this form at this address; no other system plays a row that calls it.
    let stub: Raw = unsafe { core::mem::transmute(Op::Raw.address() as usize) };
    stub(number, handle, a, b, c, d)
}

/// Does an operation of one word, or of none.
#[inline(always)]
pub fn call(op: Op, word: u64) -> u64 {
    call3(op, word, 0, 0)
}
