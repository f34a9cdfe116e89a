//! What a time stamp counter can be.

use core::ops::RangeInclusive;

/// No x86_64 CPU's TSC is outside of this, in kHz: a reading that is comes from a broken device, and counts for nothing.
pub const PLAUSIBLE_KHZ: RangeInclusive<u64> = 100_000..=20_000_000;
