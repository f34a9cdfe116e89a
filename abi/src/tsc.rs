//! What a system and the gate must agree on about the time-stamp counter.

use core::ops::RangeInclusive;

/// The range of TSC frequencies of x86_64 CPUs, in kHz. A reading outside of it comes from a broken device and is
/// ignored.
pub const PLAUSIBLE_KHZ: RangeInclusive<u64> = 100_000..=20_000_000;

/// From the arrival of the last worker of a case to the common start, in microseconds. In that time every CPU sees the
/// start, puts it into its worker's arguments and enters ring 3.
pub const LEAD_US: u64 = 2_000;

/// The cycles of `us` microseconds at `khz`, as the kernel works them out.
#[must_use]
pub fn cycles(us: u64, khz: u64) -> u64 {
    let cycles = u128::from(us) * u128::from(khz) / 1000;
    u64::try_from(cycles).unwrap_or(u64::MAX)
}
