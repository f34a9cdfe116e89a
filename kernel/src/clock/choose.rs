//! Which reading of the TSC's frequency is used, and how well the others agree with it. Pure.

use abi::tsc::PLAUSIBLE_KHZ;
use abi::wire::record::TscSource;

/// One source's word on the TSC's frequency.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reading {
    /// The source.
    pub source: TscSource,
    /// The frequency.
    pub khz: u64,
}

/// The frequency to use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Choice {
    /// The best source that gave a reading.
    pub source: TscSource,
    /// Its reading.
    pub khz: u64,
    /// How many sources gave one.
    pub sources: u16,
    /// The largest difference of another from it, in parts per million.
    pub spread_ppm: u32,
}

/// Whether a reading can be true.
#[must_use]
pub fn is_plausible(reading: &Reading) -> bool {
    PLAUSIBLE_KHZ.contains(&reading.khz)
}

impl Choice {
    /// Chooses by the order in which [`TscSource`] lists the sources: first those that state the frequency, then
    /// counted ones from the finest counter to the coarsest. `None` without a plausible reading.
    #[must_use]
    pub fn among(readings: &[Reading]) -> Option<Self> {
        let plausible = || readings.iter().filter(|reading| is_plausible(reading));
        let rank = |reading: &&Reading| TscSource::ALL.iter().position(|&source| source == reading.source);
        let best = plausible().min_by_key(rank)?;
        let ppm = |reading: &Reading| reading.khz.abs_diff(best.khz) * 1_000_000 / best.khz;
        Some(Self {
            source: best.source,
            khz: best.khz,
            sources: u16::try_from(plausible().count()).unwrap_or(u16::MAX),
            spread_ppm: plausible().map(ppm).max().map_or(0, |ppm| u32::try_from(ppm).unwrap_or(u32::MAX)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(source: TscSource, khz: u64) -> Reading {
        Reading { source, khz }
    }

    #[test]
    fn prefers_a_stated_frequency_and_tells_how_far_the_others_are() {
        let readings = [
            reading(TscSource::Pit, 2_000_400),
            reading(TscSource::Hypervisor, 2_000_000),
            reading(TscSource::Hpet, 1_999_800),
        ];
        let expected = Choice { source: TscSource::Hypervisor, khz: 2_000_000, sources: 3, spread_ppm: 200 };
        assert_eq!(Choice::among(&readings), Some(expected));
    }

    #[test]
    fn passes_over_readings_that_cannot_be_true() {
        let readings = [reading(TscSource::Cpuid15, 24), reading(TscSource::PmTimer, 3_000_000)];
        let choice = Choice::among(&readings).unwrap();
        assert_eq!((choice.source, choice.sources), (TscSource::PmTimer, 1));
        assert_eq!(Choice::among(&readings[..1]), None);
    }
}
