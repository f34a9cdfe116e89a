//! The 64-bit mix behind digests. Both the worker and the reference include this file.

/// Spreads a number's bits over all 64: a bijection, so that distinct numbers have distinct images.
///
/// The finaliser of SplitMix64 after one step of its counter: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014; the constants are Stafford's variant 13.
#[must_use]
pub const fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
