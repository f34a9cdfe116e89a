//! Numbers in the text of a record: little-endian groups of five bits, each one character out of 64. The upper half of the
//! alphabet means that more groups follow. A number has one form only.
//!
//! A histogram is written as pairs: how many buckets are skipped since the last one, and its count less one. Each record
//! holds whole pairs, and the skip goes on from one record to the next.

use core::fmt;

/// The characters; the first 32 end a number.
const ALPHABET: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.";
/// The bits of a group.
const GROUP: u32 = 5;
/// The bit that says that more groups follow.
const MORE: usize = 1 << GROUP;
/// The most characters of a number of 64 bits.
const LONGEST: usize = 13;

/// An error in the text of numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CodeError {
    /// A character that is none of the alphabet's.
    Character,
    /// The text ends inside a number, or inside a pair.
    Cut,
    /// The number has more groups than it needs, or more than 64 bits.
    Number,
    /// There is no such bucket.
    Bucket,
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Character => "a character that no number has",
            Self::Cut => "the text ends inside a number or a pair",
            Self::Number => "a number that is not in its one form",
            Self::Bucket => "a bucket that does not exist",
        })
    }
}

/// Text of numbers that grows up to `MAX` bytes.
#[derive(Clone, Copy, Debug)]
pub struct Packer<const MAX: usize> {
    bytes: [u8; MAX],
    len: usize,
}

impl<const MAX: usize> Default for Packer<MAX> {
    fn default() -> Self {
        Self { bytes: [0; MAX], len: 0 }
    }
}

impl<const MAX: usize> Packer<MAX> {
    /// Adds all of `numbers`, or nothing if they do not fit. Returns whether they did.
    pub fn push(&mut self, numbers: &[u64]) -> bool {
        let before = self.len;
        let fits = numbers.iter().all(|&number| self.push_one(number));
        if !fits {
            self.len = before;
        }
        fits
    }

    fn push_one(&mut self, mut number: u64) -> bool {
        loop {
            let low = usize::try_from(number % MORE as u64).unwrap_or(0);
            number >>= GROUP;
            let group = if number == 0 { low } else { low | MORE };
            let Some(place) = self.bytes.get_mut(self.len) else { return false };
            *place = ALPHABET[group];
            self.len += 1;
            if number == 0 {
                return true;
            }
        }
    }

    /// The text so far.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The numbers of a text, in order. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Numbers<I> {
    bytes: I,
    failed: bool,
}

impl<I: Iterator<Item = u8>> Numbers<I> {
    /// Reads `bytes`.
    #[must_use]
    pub const fn of(bytes: I) -> Self {
        Self { bytes, failed: false }
    }

    /// One number that begins with `first`.
    fn number(&mut self, first: u8) -> Result<u64, CodeError> {
        let (mut number, mut byte) = (0_u64, first);
        for place in 0..LONGEST {
            let group = ALPHABET.iter().position(|&known| known == byte).ok_or(CodeError::Character)?;
            let low = u64::try_from(group % MORE).unwrap_or(0);
            let shift = GROUP * u32::try_from(place).unwrap_or(u32::MAX);
            if low << shift >> shift != low {
                return Err(CodeError::Number);
            }
            number |= low << shift;
            if group < MORE {
                // A last group of 0 is a longer form of the number before it.
                return if low == 0 && place > 0 { Err(CodeError::Number) } else { Ok(number) };
            }
            byte = self.bytes.next().ok_or(CodeError::Cut)?;
        }
        Err(CodeError::Number)
    }
}

impl<I: Iterator<Item = u8>> Iterator for Numbers<I> {
    type Item = Result<u64, CodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.bytes.next().filter(|_| !self.failed)?;
        let number = self.number(first);
        self.failed = number.is_err();
        Some(number)
    }
}

/// Reads the pairs of a histogram's records, one record after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    next: u64,
}

impl Counts {
    /// The pairs of one more record, as bucket and count.
    ///
    /// # Errors
    /// The first error of the text.
    pub fn read(
        &mut self,
        bytes: impl Iterator<Item = u8>,
        mut each: impl FnMut(u16, u64),
    ) -> Result<(), CodeError> {
        let mut numbers = Numbers::of(bytes);
        while let Some(skip) = numbers.next() {
            let less_one = numbers.next().ok_or(CodeError::Cut)??;
            let bucket = self.next.checked_add(skip?).and_then(|bucket| u16::try_from(bucket).ok());
            let bucket = bucket.filter(|&bucket| bucket < super::BUCKETS).ok_or(CodeError::Bucket)?;
            each(bucket, less_one.checked_add(1).ok_or(CodeError::Number)?);
            self.next = u64::from(bucket) + 1;
        }
        Ok(())
    }

    /// The numbers that stand for a bucket and its count, which is not 0.
    #[must_use]
    pub fn pair(&mut self, bucket: u16, count: u64) -> [u64; 2] {
        let skip = u64::from(bucket).saturating_sub(self.next);
        self.next = u64::from(bucket) + 1;
        [skip, count.saturating_sub(1)]
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn numbers(text: &str) -> Result<Vec<u64>, CodeError> {
        Numbers::of(text.bytes()).collect()
    }

    #[test]
    fn a_number_has_one_form() {
        assert_eq!(numbers("0v"), Ok(std::vec![0, 31]));
        assert_eq!(numbers("w1"), Ok(std::vec![32]));
        for (bad, error) in [
            ("w0", CodeError::Number),
            ("w", CodeError::Cut),
            ("-", CodeError::Character),
            ("..............", CodeError::Number),
            ("............v", CodeError::Number),
        ] {
            assert_eq!(numbers(bad), Err(error), "{bad}");
        }
    }

    #[test]
    fn a_number_that_does_not_fit_leaves_the_text_as_it_was() {
        let mut packer = Packer::<3>::default();
        assert!(packer.push(&[1, 2]));
        assert!(!packer.push(&[3, 4]));
        assert_eq!(packer.as_str(), "12");
    }

    #[test]
    fn refuses_a_bucket_past_the_last_and_half_a_pair() {
        let mut packer = Packer::<20>::default();
        assert!(packer.push(&[u64::from(crate::series::BUCKETS), 0]));
        let mut counts = Counts::default();
        assert_eq!(counts.read(packer.as_str().bytes(), |_, _| ()), Err(CodeError::Bucket));
        assert_eq!(Counts::default().read("1".bytes(), |_, _| ()), Err(CodeError::Cut));
    }

    proptest! {
        #[test]
        fn pairs_round_trip_over_several_records(mut buckets in prop::collection::btree_map(0_u16..crate::series::BUCKETS, 1_u64.., 0..40)) {
            let (mut writer, mut texts, mut packer) = (Counts::default(), Vec::new(), Packer::<30>::default());
            for (&bucket, &count) in &buckets {
                let pair = writer.pair(bucket, count);
                if !packer.push(&pair) {
                    texts.push(packer);
                    packer = Packer::default();
                    prop_assert!(packer.push(&pair));
                }
            }
            texts.push(packer);
            let mut reader = Counts::default();
            for text in texts {
                let read = reader.read(text.as_str().bytes(), |bucket, count| {
                    assert_eq!(buckets.remove(&bucket), Some(count));
                });
                prop_assert_eq!(read, Ok(()));
            }
            prop_assert!(buckets.is_empty());
        }
    }
}
