//! A batch of independent products of square matrices of doubles, whose elements are small integers: every sum is exact,
//! in any order, with or without fused multiply-add.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

use abi::random::mix;

/// Element `at` of one of the two factors of a product: from -8 to 8.
pub fn element(product: u64, factor: u64, at: u64) -> i32 {
    let draw = mix(product << 32 ^ factor << 31 ^ at) % 17;
    // Below 17.
    draw as i32 - 8
}

/// Fills a factor.
pub fn fill(factor: &mut [f64], product: u64, which: u64) {
    for (at, place) in (0..).zip(factor) {
        *place = f64::from(element(product, which, at));
    }
}

/// The weight of a row, or of a column, in the digest of a product.
pub const fn weight(product: u64, side: u64, at: u64, challenge: u64) -> u64 {
    mix(challenge ^ mix(product << 32 ^ side << 31 ^ at)) | 1
}

/// The digest of the product `c`, of order `n`: each element times the weights of its row and its column. Elements are
/// integers far below 2^53.
pub fn digest(c: &[f64], n: usize, product: u64, challenge: u64) -> u64 {
    let rows = (0..).zip(c.chunks_exact(n.max(1)));
    rows.fold(0, |sum, (row, elements)| {
        let columns = (0..).zip(elements);
        let of_row = columns.fold(0_u64, |sum, (column, &element)| {
            let value = (element as i64).cast_unsigned();
            sum.wrapping_add(value.wrapping_mul(weight(product, 1, column, challenge)))
        });
        sum.wrapping_add(of_row.wrapping_mul(weight(product, 0, row, challenge)))
    })
}
