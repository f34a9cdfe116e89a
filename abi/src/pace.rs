//! The length and the work of pace checks. The work runs at full speed only if no other thread shares the core.

use core::hint::black_box;

/// How long one pace check samples, before a worker and after it, in microseconds.
pub const WINDOW_US: u64 = 500;

/// Its warm-up, as a fraction of the window. Code that runs for the first time is fetched, and under an emulator
/// translated; that is not the CPU's pace.
pub const WARM_UP_FRACTION: u64 = 8;

/// Rounds of [`fill`]. Enough that they are most of the work between two readings of the clock, under an emulator too;
/// few enough to find gaps of a microsecond.
const ROUNDS: u64 = 64;

/// Six independent chains of simple integer operations: they fill the execution units of a core, of which a busy
/// sibling thread takes half. A dependent chain, such as divisions or readings of the TSC, waits for itself: a sibling
/// hardly slows it, and it would not show the loss of other work.
pub fn fill() {
    let mut chains = [1_u64, 2, 3, 4, 5, 6];
    for round in 0..ROUNDS {
        // Keeps the compiler from computing the result.
        let round = black_box(round);
        chains[0] = chains[0].wrapping_add(round);
        chains[1] ^= round;
        chains[2] = chains[2].wrapping_sub(round);
        chains[3] |= round;
        chains[4] = chains[4].wrapping_add(round << 1);
        chains[5] ^= round >> 1;
    }
    let _ = black_box(chains);
}
