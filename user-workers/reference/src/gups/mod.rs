//! `gups`: what updates at random places add to a table, summed along the shift register without a table.

#[cfg(test)]
mod tests;

use crate::digest::bind;
use crate::{Expectation, Needs, Task, Units};

/// The most updates of a whole: some tens of milliseconds.
const MOST_UPDATES: u64 = 1 << 24;

/// The largest table in KiB.
const MOST_KIB: u64 = 1 << 20;

/// The entries of 8 bytes in a KiB.
const ENTRIES_IN_KIB: u64 = 128;

crate::parameters! {
    /// Updates of a table at random places.
    pub struct Gups {
        /// The first update.
        first: {
            key: "first-update",
            expected: "a whole number below 16777216",
            fits: |whole| whole.first < MOST_UPDATES,
        },
        /// The end of the updates, itself not one.
        end: {
            key: "end-update",
            expected: "a whole number above the first update and at most 16777216",
            fits: |whole| whole.first < whole.end && whole.end <= MOST_UPDATES,
        },
        /// The table of each worker in KiB.
        kib: {
            key: "table-kib",
            expected: "a power of two of at most 1048576",
            fits: |whole| whole.kib.is_power_of_two() && whole.kib <= MOST_KIB,
        },
    }
}

impl Task for Gups {
    const NAME: &'static str = "gups";

    const UNITS: Units = Units { answer: "updates of even entries", work: "updates" };

    const NEEDS: Needs = Needs { prepare: true, verify: true, ..Needs::NONE };

    fn example() -> Self {
        Self { first: 10, end: 30_000, kib: 64 }
    }

    fn expectation(&self, challenge: u64) -> Expectation {
        let [first, end] = [self.first, self.end].map(|bound| bound.min(MOST_UPDATES));
        let mask = (self.kib.clamp(1, MOST_KIB).next_power_of_two() * ENTRIES_IN_KIB) - 1;
        let (mut sum, mut even) = (0_u64, 0);
        let mut register = Register::after(first);
        for _ in first..end {
            register.step();
            let entry = register.0 & mask;
            sum = sum.wrapping_add(register.0.wrapping_mul(2 * entry + 1));
            even += 1 - (entry & 1);
        }
        Expectation { answer: even, work: end.saturating_sub(first), digest: bind(sum, challenge) }
    }

    /// The table, and a line for notes.
    fn memory_bytes(&self) -> u64 {
        self.kib.min(MOST_KIB) * 1024 + 64
    }
}

/// The shift register of RandomAccess as an element of GF(2)[x] modulo x^64 + x^2 + x + 1. A step multiplies by x, so n
/// steps are one power.
#[derive(Clone, Copy)]
struct Register(u64);

impl Register {
    fn after(steps: u64) -> Self {
        let (mut power, mut square) = (Self(1), Self(2));
        for bit in 0..u64::BITS - steps.leading_zeros() {
            if steps >> bit & 1 == 1 {
                power = power.times(square);
            }
            square = square.times(square);
        }
        power
    }

    fn step(&mut self) {
        *self = self.times(Self(2));
    }

    fn times(self, other: Self) -> Self {
        let (mut product, mut shifted) = (0, self.0);
        for bit in 0..u64::BITS - other.0.leading_zeros() {
            if other.0 >> bit & 1 == 1 {
                product ^= shifted;
            }
            let carry = shifted >> 63;
            shifted = (shifted << 1) ^ (carry * 0b111);
        }
        Self(product)
    }
}
