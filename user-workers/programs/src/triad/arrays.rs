//! Three arrays, and the kernel of STREAM's triad over them: a = b + q c.
//!
//! The arrays change roles after each round, so that the last one depends on every round: b = c + q a, then c = a + q b.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

use abi::random::mix;

/// The factor. Not a sum of few powers of two: every product is rounded.
const Q: f64 = 0.4;

/// By how many elements the arrays are apart beyond their length: five pages and a line. At equal offsets within a page
/// a load waits for the stores before it, since the CPU compares 12 bits of their addresses first (Intel's Optimization
/// Reference Manual, "Store Forwarding", 4-KByte aliasing).
pub const PAD: usize = 5 * 512 + 8;

/// The number of `f64`s that three arrays of `elements` take.
pub const fn space(elements: usize) -> usize {
    3 * elements + 2 * PAD
}

/// The three arrays, the oldest first. The first round writes it.
#[derive(Debug)]
pub struct Arrays<'a>([&'a mut [f64]; 3]);

impl<'a> Arrays<'a> {
    /// The arrays in `memory`, of [`space`] elements, with what is in them. `None` if there is too little.
    pub fn new(memory: &'a mut [f64], elements: usize) -> Option<Self> {
        let (a, rest) = memory.split_at_mut_checked(elements)?;
        let (b, rest) = rest.get_mut(PAD..)?.split_at_mut_checked(elements)?;
        let c = rest.get_mut(PAD..)?.get_mut(..elements)?;
        Some(Self([a, b, c]))
    }

    /// Sets the elements, which are those from `first` on, to what they are before the first round.
    pub fn fill(&mut self, first: u64) {
        for (which, array) in (0..).zip(&mut self.0) {
            for (number, element) in (first..).zip(array.iter_mut()) {
                *element = initial(which, number);
            }
        }
    }

    /// Goes through this many rounds.
    pub fn rounds(&mut self, rounds: u64) {
        for _ in 0..rounds {
            let [a, b, c] = &mut self.0;
            triad(a, b, c);
            self.0.rotate_left(1);
        }
    }

    /// The digest of the array that the last of so many rounds wrote, whose first element is number `first`.
    pub fn digest(&self, first: u64, rounds: u64) -> u64 {
        let last = &self.0[(rounds + 2) as usize % 3];
        (first..)
            .zip(last.iter())
            .fold(0, |sum, (number, element)| sum.wrapping_add(mix(element.to_bits() ^ mix(number))))
    }
}

/// Element `number` of array `which` before the first round.
fn initial(which: u64, number: u64) -> f64 {
    // 12 bits are exact.
    f64::from((mix(number ^ which << 62) & 0xfff) as u16)
}

#[inline(never)]
fn triad(a: &mut [f64], b: &[f64], c: &[f64]) {
    for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
        *a = *b + Q * *c;
    }
}
