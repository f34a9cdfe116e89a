//! SHA-256 by the CPU's instructions for it (Intel SDM vol. 2, "SHA256RNDS2", "SHA256MSG1", "SHA256MSG2"). Written for
//! this program: the crate `sha2` has them only behind a choice by CPUID at run time.

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_blend_epi16, _mm_loadu_si128, _mm_set_epi64x,
    _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32,
    _mm_storeu_si128,
};

/// The size of a block in bytes.
const BLOCK_BYTES: usize = 64;

/// The round constants: the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2), derived below.
const ROUND: [u32; 64] = derived::round_constants();

/// The initial state: the fractional parts of the square roots of the first eight primes (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] = derived::initial_state();

/// The SHA-256 of a chunk.
///
/// # Safety
/// The CPU has SHA, SSSE3 and SSE4.1.
#[target_feature(enable = "sha,ssse3,sse4.1")]
pub unsafe fn sha256(chunk: &[u8]) -> [u8; 32] {
    let mut state = State::initial();
    let mut blocks = chunk.chunks_exact(BLOCK_BYTES);
    for block in &mut blocks {
        state.absorb(block);
    }
    // The end: a bit 1, zeros, and the number of bits in 64 bits (FIPS 180-4, 5.1.1).
    let rest = blocks.remainder();
    let mut last = [0; 2 * BLOCK_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    let bytes = if rest.len() < BLOCK_BYTES - 8 { BLOCK_BYTES } else { 2 * BLOCK_BYTES };
    last[bytes - 8..bytes].copy_from_slice(&(chunk.len() as u64 * 8).to_be_bytes());
    for block in last[..bytes].chunks_exact(BLOCK_BYTES) {
        state.absorb(block);
    }
    state.digest()
}

/// The state in the order that SHA256RNDS2 takes it: A, B, E, F and C, D, G, H, the first in the highest lane.
struct State {
    abef: __m128i,
    cdgh: __m128i,
}

impl State {
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn initial() -> Self {
        let pair = |high: u32, low: u32| i64::from(high) << 32 | i64::from(low);
        let [a, b, c, d, e, f, g, h] = INITIAL;
        Self { abef: _mm_set_epi64x(pair(a, b), pair(e, f)), cdgh: _mm_set_epi64x(pair(c, d), pair(g, h)) }
    }

    /// Processes one block (FIPS 180-4, 6.2.2): 16 groups of four rounds, the message schedule four words at a time.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn absorb(&mut self, block: &[u8]) {
        let Self { mut abef, mut cdgh } = *self;
        // The words of a message are big-endian.
        let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let mut words = [swap; 4];
        for (word, bytes) in words.iter_mut().zip(block.chunks_exact(16)) {
            // SAFETY: `chunks_exact` gives 16 bytes, and the load takes any alignment.
            *word = _mm_shuffle_epi8(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }, swap);
        }
        for group in 0..16 {
            let at = group % 4;
            if group >= 4 {
                let [one, two, three] = [1, 2, 3].map(|ahead| words[(at + ahead) % 4]);
                let nine_before = _mm_alignr_epi8::<4>(three, two);
                let sum = _mm_add_epi32(_mm_sha256msg1_epu32(words[at], one), nine_before);
                words[at] = _mm_sha256msg2_epu32(sum, three);
            }
            let constants = ROUND.as_chunks::<4>().0[group].as_ptr();
            // SAFETY: four constants, and the load takes any alignment.
            let constants = unsafe { _mm_loadu_si128(constants.cast()) };
            let sum = _mm_add_epi32(words[at], constants);
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32::<0x0e>(sum));
        }
        self.abef = _mm_add_epi32(self.abef, abef);
        self.cdgh = _mm_add_epi32(self.cdgh, cdgh);
    }

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn digest(self) -> [u8; 32] {
        let Self { abef, cdgh } = self;
        let feba = _mm_shuffle_epi32::<0x1b>(abef);
        let dchg = _mm_shuffle_epi32::<0xb1>(cdgh);
        let halves = [_mm_blend_epi16::<0xf0>(feba, dchg), _mm_alignr_epi8::<8>(dchg, feba)];
        let mut digest = [0; 32];
        for (half, out) in halves.into_iter().zip(digest.chunks_exact_mut(16)) {
            let mut words = [0_u32; 4];
            // SAFETY: 16 bytes, and the store takes any alignment.
            unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), half) };
            for (word, out) in words.into_iter().zip(out.chunks_exact_mut(4)) {
                out.copy_from_slice(&word.to_be_bytes());
            }
        }
        digest
    }
}

/// The constants from their definition, at compile time.
mod derived {
    pub const fn round_constants() -> [u32; 64] {
        let mut constants = [0; 64];
        let (mut at, mut prime) = (0, 2);
        while at < 64 {
            constants[at] = fraction_of_root(prime, 3);
            at += 1;
            prime = next_prime(prime);
        }
        constants
    }

    pub const fn initial_state() -> [u32; 8] {
        let mut state = [0; 8];
        let (mut at, mut prime) = (0, 2);
        while at < 8 {
            state[at] = fraction_of_root(prime, 2);
            at += 1;
            prime = next_prime(prime);
        }
        state
    }

    const fn next_prime(after: u128) -> u128 {
        let mut candidate = after + 1;
        let mut divisor = 2;
        while divisor < candidate {
            if candidate.is_multiple_of(divisor) {
                candidate += 1;
                divisor = 2;
            } else {
                divisor += 1;
            }
        }
        candidate
    }

    /// The first 32 fractional bits of a root of `number`: the largest r with r^power <= number * 2^(32 * power), whose low
    /// 32 bits they are. Below 312 the root has at most 5 bits before the point, so that r^3 has 111.
    const fn fraction_of_root(number: u128, power: u32) -> u32 {
        let target = number << (32 * power);
        let (mut root, mut bit) = (0_u128, 1_u128 << 36);
        while bit > 0 {
            if (root | bit).pow(power) <= target {
                root |= bit;
            }
            bit >>= 1;
        }
        (root & 0xffff_ffff) as u32
    }
}
