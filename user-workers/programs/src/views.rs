//! Typed parts of a worker's memory.

use core::slice;

/// A type whose values may have any bits.
///
/// # Safety
/// Every pattern of bits is a value, and its alignment is at most [`ALIGN`].
pub unsafe trait Plain {}

// SAFETY: integers and floating-point numbers have a value for all bits.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for i8 {}
// SAFETY: as above.
unsafe impl Plain for f32 {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for u64 {}
// SAFETY: as above.
unsafe impl Plain for f64 {}

/// The alignment of every part: a cache line.
pub const ALIGN: usize = 64;

/// The bytes that a part takes.
pub const fn bytes_of<T>(count: usize) -> usize {
    (count * size_of::<T>()).next_multiple_of(ALIGN)
}

/// Splits room for `count` values off the front of `memory`, whose first address is a multiple of [`ALIGN`]. The values are
/// what the bits are.
///
/// # Panics
/// There is too little: the manifest grants less than the workload needs.
pub fn part<T: Plain>(memory: &mut [u64], count: usize) -> (&mut [T], &mut [u64]) {
    let (part, rest) = memory.split_at_mut(bytes_of::<T>(count) / size_of::<u64>());
    // SAFETY: the part is at least as long, aligned since memory is and all parts before are multiples of the alignment, and
    // borrowed for as long; any bits are a value.
    let part = unsafe { slice::from_raw_parts_mut(part.as_mut_ptr().cast(), count) };
    (part, rest)
}
