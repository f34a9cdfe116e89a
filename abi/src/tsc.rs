//! Limits of the time-stamp counter.

use core::ops::RangeInclusive;

/// The range of TSC frequencies of x86_64 CPUs, in kHz. A reading outside of it comes from a broken device and is
/// ignored.
pub const PLAUSIBLE_KHZ: RangeInclusive<u64> = 100_000..=20_000_000;
