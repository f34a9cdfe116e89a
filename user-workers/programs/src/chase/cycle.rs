//! A cycle through all lines of a block of memory, in an order that no prefetcher guesses, and a walk along it.
//!
//! In the manner of lmbench's `lat_mem_rd`: each load's address is what the load before it brought.

use core::ptr;

use abi::random::{SplitMix64, mix};

/// A cache line with the address of the next one.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Line {
    next: *const Line,
    key: u64,
    rest: [u64; 6],
}

/// The size of a line in bytes.
pub const LINE_BYTES: usize = size_of::<Line>();

const _: () = assert!(LINE_BYTES == 64, "a line is a cache line");

impl Line {
    /// A line outside of every cycle.
    pub const ALONE: Self = Self { next: ptr::null(), key: 0, rest: [0; 6] };
}

/// The key of a line: 32 bits, so that no sum of a walk that ends overflows.
fn key(line: usize) -> u64 {
    mix(line as u64) >> 32
}

/// Links all lines to one cycle by Sattolo's algorithm: Fisher and Yates' shuffle, in which no line stays where it is.
pub fn link(lines: &mut [Line]) {
    let base = lines.as_ptr();
    for (number, line) in lines.iter_mut().enumerate() {
        *line = Line { next: base.wrapping_add(number), key: key(number), ..Line::ALONE };
    }
    let mut random = SplitMix64::new(0);
    for last in (1..lines.len()).rev() {
        let other = random.below(last);
        let next = lines[last].next;
        lines[last].next = lines[other].next;
        lines[other].next = next;
    }
}

/// The line that is reached from the first one by this many loads.
pub fn after(lines: &[Line], loads: u64) -> *const Line {
    walk(lines, lines.as_ptr(), loads % (lines.len() as u64)).0
}

/// Walks from the line `at` by this many loads. Returns the line after the last, and the sum of the keys.
///
/// `lines` must have been linked, and `at` must be one of them.
#[inline(never)]
pub fn walk(lines: &[Line], mut at: *const Line, loads: u64) -> (*const Line, u64) {
    debug_assert!(lines.as_ptr_range().contains(&at));
    let mut sum = 0_u64;
    for _ in 0..loads {
        // SAFETY: `at` is one of `lines`, and so is the `next` of each of them once they are linked.
        let line = unsafe { &*at };
        sum = sum.wrapping_add(line.key);
        at = line.next;
    }
    (at, sum)
}
