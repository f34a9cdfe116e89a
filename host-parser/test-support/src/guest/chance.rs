//! What differs by chance from boot to boot.

use super::{Guest, NONCE};

/// A subject of chance: which one, and of which worker.
#[derive(Clone, Copy)]
pub(super) struct Chance(pub u16, pub u16);

impl Chance {
    pub const WARM_UP: Self = Self(1, 0);
    pub const CHECK: Self = Self(2, 0);
}

/// A step of splitmix64.
fn mix(seed: u64) -> u64 {
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}

impl Guest {
    /// What is by chance in this boot: a number below `most` for each subject. Always 0 with the nonce that
    /// [`of`](Self::of) gives, so that the numbers of a lone guest are round.
    pub(super) fn chance(&self, subject: (u16, u16, Chance), most: u64) -> u64 {
        if self.nonce >> 16 == NONCE >> 16 {
            return 0;
        }
        let (case, iter, chance) = subject;
        let Chance(kind, worker) = chance;
        let of = [case, iter, kind, worker]
            .into_iter()
            .fold(mix(self.nonce), |seed, part| mix(seed ^ u64::from(part)));
        of % most
    }
}
