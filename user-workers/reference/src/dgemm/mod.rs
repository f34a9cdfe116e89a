//! `dgemm`: the digest of products of matrices, without a product: with weights `u` for rows and `v` for columns, the
//! weighted sum of all elements of A B is (u A) (B v), three products of a matrix and a vector (Freivalds' check).

#[cfg(test)]
mod tests;

use abi::grant::{Feature, FeatureSet};
use abi::random::mix;

use crate::{Expectation, Needs, Task, Units};

/// The most products of a whole.
const MOST_PRODUCTS: u64 = 1024;

/// The largest order of a matrix.
const MOST_ORDER: u64 = 512;

/// The most elements of all products together: some tens of milliseconds.
const MOST_ELEMENTS: u64 = 1 << 20;

/// The build with vectors of four doubles.
const AVX2: FeatureSet = FeatureSet::NONE.with(Feature::Avx2);

/// The heap of the program: blocks of at most 256 by 1024 doubles, each rounded up to a power of two.
const PACKED_BYTES: u64 = 8 << 20;

crate::parameters! {
    /// A batch of independent products of square matrices.
    pub struct Dgemm {
        /// The first product.
        first: {
            key: "first-product",
            expected: "a whole number below 1024",
            fits: |whole| whole.first < MOST_PRODUCTS,
        },
        /// The end of the products, itself not one.
        end: {
            key: "end-product",
            expected: "a whole number above the first product and at most 1024, so that all products together have at \
                       most 1048576 elements",
            fits: |whole| whole.first < whole.end && whole.end <= MOST_PRODUCTS
                && (whole.end - whole.first).saturating_mul(whole.order.saturating_pow(2)) <= MOST_ELEMENTS,
        },
        /// The order of each matrix.
        order: {
            key: "order",
            expected: "a whole number of at least 1 and at most 512",
            fits: |whole| (1..=MOST_ORDER).contains(&whole.order),
        },
    }
}

impl Task for Dgemm {
    const NAME: &'static str = "dgemm";

    const UNITS: Units = Units { answer: "products", work: "floating-point operations" };

    const NEEDS: Needs = Needs { prepare: true, verify: true, builds: &[AVX2], ..Needs::NONE };

    fn example() -> Self {
        Self { first: 1, end: 8, order: 24 }
    }

    fn expectation(&self, challenge: u64) -> Expectation {
        let order = self.order.min(MOST_ORDER);
        let [first, end] = [self.first, self.end].map(|bound| bound.min(MOST_PRODUCTS));
        let end = end.min(first.saturating_add(MOST_ELEMENTS / (order * order).max(1)));
        let digests = (first..end).map(|product| digest(product, order, challenge));
        Expectation {
            answer: end.saturating_sub(first),
            work: end.saturating_sub(first) * 2 * order.pow(3),
            digest: digests.fold(0, u64::wrapping_add),
        }
    }

    /// Three matrices for each product, and what the multiplication packs blocks of them into.
    fn memory_bytes(&self) -> u64 {
        let order = self.order.min(MOST_ORDER);
        let products = self.end.saturating_sub(self.first).min(MOST_ELEMENTS / (order * order).max(1));
        3 * 8 * order * order * products + PACKED_BYTES
    }
}

/// All in integers modulo 2^64, in which the digest is exact.
fn digest(product: u64, order: u64, challenge: u64) -> u64 {
    let element = |factor: u64, row: u64, column: u64| {
        let at = row * order + column;
        (mix(product << 32 ^ factor << 31 ^ at) % 17).wrapping_sub(8)
    };
    let weight = |side: u64, at: u64| mix(challenge ^ mix(product << 32 ^ side << 31 ^ at)) | 1;
    let dot = |terms: &mut dyn Iterator<Item = (u64, u64)>| {
        terms.fold(0_u64, |sum, (one, other)| sum.wrapping_add(one.wrapping_mul(other)))
    };
    dot(&mut (0..order).map(|inner| {
        let from_rows = dot(&mut (0..order).map(|row| (weight(0, row), element(0, row, inner))));
        let from_columns = dot(&mut (0..order).map(|column| (element(1, inner, column), weight(1, column))));
        (from_rows, from_columns)
    }))
}
