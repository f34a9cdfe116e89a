//! Updates of a table at random places, in the manner of HPCC's RandomAccess: the places come from a shift register, and a
//! table larger than the caches and the TLB makes each update wait for memory.
//!
//! RandomAccess combines by exclusive or; this adds, so that what workers did to tables of their own can be summed.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

/// The feedback of RandomAccess's register: x^64 + x^2 + x + 1.
const FEEDBACK: u64 = 7;

/// The next value of the register.
pub const fn next(value: u64) -> u64 {
    (value << 1) ^ (if value >> 63 == 1 { FEEDBACK } else { 0 })
}

/// The value of the register after this many steps from 1.
pub fn after(steps: u64) -> u64 {
    (0..steps).fold(1, |value, _| next(value))
}

/// Sets each entry to its number.
pub fn fill(table: &mut [u64]) {
    for (number, entry) in (0..).zip(table) {
        *entry = number;
    }
}

/// What a series of updates leaves besides the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Updated {
    /// The register's last value.
    pub value: u64,
    /// The number of updates of even entries.
    pub even: u64,
}

/// Makes this many updates, each of which adds to the entry that the register's low bits choose. The register goes on from
/// `value`. The table's length is a power of two.
#[inline(never)]
pub fn update(table: &mut [u64], mut value: u64, updates: u64) -> Updated {
    let mut odd = 0;
    let Some(mask) = table.len().checked_sub(1) else { return Updated { value, even: 0 } };
    for _ in 0..updates {
        value = next(value);
        odd += value & 1;
        // The compiler sees that it is below the length.
        let at = value as usize & mask;
        table[at] = table[at].wrapping_add(value);
    }
    Updated { value, even: updates - odd }
}

/// Takes the same updates back.
pub fn undo(table: &mut [u64], mut value: u64, updates: u64) {
    let Some(mask) = table.len().checked_sub(1) else { return };
    for _ in 0..updates {
        value = next(value);
        let at = value as usize & mask;
        table[at] = table[at].wrapping_sub(value);
    }
}

/// By how much each entry grew, each times an odd number of its own.
pub fn digest(table: &[u64]) -> u64 {
    let entries = (0_u64..).zip(table);
    entries.fold(0, |sum, (number, entry)| {
        sum.wrapping_add(entry.wrapping_sub(number).wrapping_mul(2 * number + 1))
    })
}
