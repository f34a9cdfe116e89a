//! `dgemm`: products of matrices of doubles by the crate `matrixmultiply`, which without `std` has its vectors fixed by the
//! features of the build.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

mod batch;

use crate::worker::heap::Heap;
use crate::worker::runtime::{Call, Outcome};
use crate::worker::space::Space;
use crate::worker::views::part;
use batch::{digest, fill};

/// The parameters of the warm-up call: one product. The timed call makes it anew.
pub fn warm_up([first, end, order, _]: [u64; 4]) -> [u64; 4] {
    [first, end.min(first.saturating_add(1)), order, 0]
}

/// Fills the factors of all products. What they leave of the memory is the heap, in which `matrixmultiply` packs blocks of
/// the factors.
pub fn prepare(heap: &Heap, call: &Call, space: &mut Space<'_>) {
    heap.give(matrices(call, space.memory).1);
    for (number, [a, b, _]) in products(call, space.memory) {
        fill(a, number, 0);
        fill(b, number, 1);
    }
}

/// Multiplies.
pub fn work(call: &Call, space: &mut Space<'_>) -> Outcome {
    let [_, _, order, _] = call.params;
    for (_, [a, b, c]) in products(call, space.memory) {
        multiply(order as usize, a, b, c);
    }
    Outcome { answer: 0, work: 0, digest: 0 }
}

/// The digests of the products.
pub fn verify(call: &Call, space: &mut Space<'_>) -> Outcome {
    let [_, _, order, _] = call.params;
    let mut outcome = Outcome { answer: 0, work: 0, digest: 0 };
    for (number, [_, _, c]) in products(call, space.memory) {
        outcome.answer += 1;
        outcome.work += 2 * order.pow(3);
        outcome.digest = outcome.digest.wrapping_add(digest(c, order as usize, number, call.challenge));
    }
    outcome
}

/// The products of a call: the number of each, its factors and the product.
fn products<'a>(call: &Call, memory: &'a mut [u64]) -> impl Iterator<Item = (u64, [&'a mut [f64]; 3])> {
    let [first, end, order, _] = call.params;
    let elements = (order * order) as usize;
    let (all, _) = matrices(call, memory);
    (first..end).zip(all.chunks_exact_mut(3 * elements.max(1))).map(move |(number, matrices)| {
        let (a, rest) = matrices.split_at_mut(elements);
        let (b, c) = rest.split_at_mut(elements);
        (number, [a, b, c])
    })
}

/// The matrices of a call, three for each product, and what is left of the memory.
fn matrices<'a>(call: &Call, memory: &'a mut [u64]) -> (&'a mut [f64], &'a mut [u64]) {
    let [first, end, order, _] = call.params;
    part(memory, 3 * (order * order * end.saturating_sub(first)) as usize)
}

/// C = A B, all square and by rows.
fn multiply(order: usize, a: &[f64], b: &[f64], c: &mut [f64]) {
    assert!([a.len(), b.len(), c.len()] == [order * order; 3]);
    let [a, b, c] = [a.as_ptr(), b.as_ptr(), c.as_mut_ptr().cast_const()];
    let row = order as isize;
    // SAFETY: three matrices of `order` rows of `order` elements, as asserted; `c` came from a mutable slice, apart from the
    // others.
    unsafe {
        matrixmultiply::dgemm(order, order, order, 1.0, a, row, 1, b, row, 1, 0.0, c.cast_mut(), row, 1)
    }
}
