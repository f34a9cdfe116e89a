//! What a worker should leave in its result slot.

use std::iter::Sum;
use std::ops::Add;

/// The result of a whole, or of a worker's part of it. The results of the parts add up to that of the whole.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Expectation {
    /// The answer to the workload's question, in [`Units::answer`].
    pub answer: u64,
    /// The work done, exactly, in [`Units::work`].
    pub work: u64,
    /// A digest of what the answer is made of, independent of order; it adds up modulo 2^64.
    pub digest: u64,
}

/// What a workload counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Units {
    /// The unit of answers, as a plural.
    pub answer: &'static str,
    /// The unit of work, as a plural.
    pub work: &'static str,
}

/// Answers and work stay far below 2^64 for every whole that can be run. Those of a log that was tampered with need
/// not, and wrap.
impl Add for Expectation {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            answer: self.answer.wrapping_add(other.answer),
            work: self.work.wrapping_add(other.work),
            digest: self.digest.wrapping_add(other.digest),
        }
    }
}

impl Sum for Expectation {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Self::add)
    }
}
