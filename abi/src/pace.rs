//! Work that shows how quick a CPU is while nobody shares its core.

use core::hint::black_box;

/// How often [`fill`] goes round: enough that it is most of what a CPU does between two readings of its clock, under an
/// emulator too, and few enough for gaps of a microsecond.
const ROUNDS: u64 = 64;

/// Six chains of additions and the like, none of which waits for another: as many instructions at once as a core can do.
/// A core's other thread takes half of just that. Work that waits for itself, like a chain of divisions or of readings of
/// the TSC, is hardly slowed by it, and would not show what others lose.
pub fn fill() {
    let mut chains = [1_u64, 2, 3, 4, 5, 6];
    for round in 0..ROUNDS {
        // Nobody may work out beforehand what comes of it.
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
