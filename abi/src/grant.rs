//! What a worker can be granted beyond its image, its arguments and its result slot: memory, page sizes, CPU features.

use core::fmt;

use crate::wire::Value;
use crate::wire::value::{self, words};

/// The stack of a worker in KiB, unless the plan says otherwise.
pub const STACK_KIB: u32 = 64;

/// The largest stack of a worker in KiB.
pub const MAX_STACK_KIB: u32 = 16 << 10;

/// The most memory that a worker can be granted, in MiB.
pub const MAX_MEMORY_MIB: u32 = 64 << 10;

/// The most memory that the workers of a case can share, in KiB.
pub const MAX_SHARED_KIB: u32 = 64 << 10;

/// The most digests of chunks that a worker can leave.
pub const MAX_CHUNKS: u16 = 4096;

words! {
    /// The size of the pages of granted memory and of the corpus. All else has 4 KiB pages.
    pub enum PageSize {
        /// 4 KiB.
        Small = "4k",
        /// 2 MiB.
        Large = "2m",
    }

    /// How many copies of the corpus there are in memory.
    pub enum Copies {
        /// One, which all workers of a case read.
        One = "one",
        /// One for each worker.
        Each = "each",
    }

    /// A set of instructions that a CPU may lack. The set that every x86-64 has is not listed.
    pub enum Feature {
        /// AVX2 and what came with it: x86-64-v3 of the psABI (AVX, AVX2, BMI1, BMI2, F16C, FMA, LZCNT, MOVBE).
        Avx2 = "avx2",
        /// AVX-512 F, BW, CD, DQ and VL, and AVX2: x86-64-v4 of the psABI.
        Avx512 = "avx512",
        /// The SHA extensions, SSSE3 and SSE4.1.
        ShaNi = "sha-ni",
    }
}

impl PageSize {
    /// The size in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Small => 4 << 10,
            Self::Large => 2 << 20,
        }
    }
}

/// A set of features. The text form is their names with a `+` between, or `none`; it also names the build of a program for
/// them.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct FeatureSet(u32);

impl FeatureSet {
    /// No feature beyond what every x86-64 has.
    pub const NONE: Self = Self(0);

    /// This set and `feature`.
    #[must_use]
    pub const fn with(self, feature: Feature) -> Self {
        Self(self.0 | 1 << feature as u32)
    }

    /// Whether `feature` is in the set.
    #[must_use]
    pub const fn has(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u32) != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether all of `other` are in the set.
    #[must_use]
    pub const fn has_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Those of `self` that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The set as a number, for an atomic.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The set of [`FeatureSet::bits`].
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & ((1 << Feature::ALL.len()) - 1))
    }
}

impl Value for FeatureSet {
    const MAX_LEN: usize = value::set_len(Feature::WORDS);
    const SHAPE: &'static str = "names of features with a `+` between, or `none`";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        value::write_set(self.0, Feature::WORDS, '+', out)
    }

    fn read(text: &[u8]) -> Option<Self> {
        value::read_set(text, Feature::WORDS, b'+').map(Self)
    }
}

impl fmt::Display for FeatureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn a_set_has_one_text_and_no_other() {
        let all = FeatureSet::NONE.with(Feature::ShaNi).with(Feature::Avx2).with(Feature::Avx512);
        for (set, text) in [
            (FeatureSet::NONE, "none"),
            (FeatureSet::NONE.with(Feature::ShaNi), "sha-ni"),
            (FeatureSet::NONE.with(Feature::Avx2).with(Feature::ShaNi), "avx2+sha-ni"),
            (all, "avx2+avx512+sha-ni"),
        ] {
            assert_eq!(FeatureSet::parse(text), Some(set));
            assert_eq!(std::format!("{set}"), text);
            assert!(text.len() <= FeatureSet::MAX_LEN);
        }
        for bad in ["", "avx2+avx2", "sha-ni+avx2", "avx2+", "avx", "none+avx2", "avx2,sha-ni"] {
            assert_eq!(FeatureSet::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn sets_compare_by_what_they_lack() {
        let avx2 = FeatureSet::NONE.with(Feature::Avx2);
        let both = avx2.with(Feature::ShaNi);
        assert!(both.has_all(avx2) && !avx2.has_all(both) && avx2.has_all(FeatureSet::NONE));
        assert_eq!(both.without(avx2), FeatureSet::NONE.with(Feature::ShaNi));
        assert_eq!(FeatureSet::from_bits(both.bits() | 1 << 31), both);
    }
}
