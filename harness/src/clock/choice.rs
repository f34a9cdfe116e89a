//! Chooses one reading of the TSC's frequency, and states how well the others agree with it.

use abi::tsc::PLAUSIBLE_KHZ;
use abi::wire::record::TscSource;

/// The TSC's frequency by one source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reading {
    /// The source.
    pub source: TscSource,
    /// The frequency, in kHz.
    pub khz: u64,
}

/// The frequency to use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Choice {
    /// The best source that gave a reading.
    pub source: TscSource,
    /// Its reading, in kHz.
    pub khz: u64,
    /// How many sources gave one.
    pub sources: u16,
    /// The largest difference of another from it, in parts per million.
    pub spread_ppm: u32,
}

/// Whether a reading is within the range of real CPUs.
#[must_use]
pub fn is_plausible(reading: &Reading) -> bool {
    PLAUSIBLE_KHZ.contains(&reading.khz)
}

impl Choice {
    /// Chooses by the order in which [`TscSource`] lists the sources: first those that state the frequency, then
    /// counters from the finest to the coarsest. A hypervisor's word comes before CPUID leaf 15H, which may still describe
    /// the host's TSC if the guest's is scaled, as after a migration. `None` without a plausible reading.
    #[must_use]
    pub fn among(readings: &[Reading]) -> Option<Self> {
        let plausible = readings.iter().filter(|reading| is_plausible(reading));
        let best = plausible.clone().min_by_key(|reading| rank(reading.source))?;
        let spread =
            plausible.clone().map(|reading| difference_ppm(reading.khz, best.khz)).max().unwrap_or(0);
        Some(Self {
            source: best.source,
            khz: best.khz,
            sources: u16::try_from(plausible.count()).unwrap_or(u16::MAX),
            spread_ppm: u32::try_from(spread).unwrap_or(u32::MAX),
        })
    }
}

fn rank(source: TscSource) -> Option<usize> {
    TscSource::ALL.iter().position(|&other| other == source)
}

const fn difference_ppm(khz: u64, from_khz: u64) -> u64 {
    khz.abs_diff(from_khz) * 1_000_000 / from_khz
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(source: TscSource, khz: u64) -> Reading {
        Reading { source, khz }
    }

    #[test]
    fn prefers_a_stated_frequency_and_states_the_spread_of_the_others() {
        let readings = [
            reading(TscSource::Pit, 2_000_400),
            reading(TscSource::Hypervisor, 2_000_000),
            reading(TscSource::Hpet, 1_999_800),
        ];
        let expected = Choice { source: TscSource::Hypervisor, khz: 2_000_000, sources: 3, spread_ppm: 200 };
        assert_eq!(Choice::among(&readings), Some(expected));
    }

    #[test]
    fn believes_a_hypervisor_before_the_cpu_that_it_shows() {
        let of_host = reading(TscSource::Cpuid15, 2_400_000);
        for source in [TscSource::Hypervisor, TscSource::HyperV, TscSource::Kvmclock] {
            let choice = Choice::among(&[of_host, reading(source, 2_000_000)]).unwrap();
            assert_eq!((choice.source, choice.khz, choice.spread_ppm), (source, 2_000_000, 200_000));
        }
        let choice = Choice::among(&[reading(TscSource::Hpet, 2_399_000), of_host]).unwrap();
        assert_eq!(choice.source, TscSource::Cpuid15);
    }

    #[test]
    fn ignores_implausible_readings() {
        let readings = [reading(TscSource::Cpuid15, 24), reading(TscSource::PmTimer, 3_000_000)];
        let choice = Choice::among(&readings).unwrap();
        assert_eq!((choice.source, choice.sources), (TscSource::PmTimer, 1));
        assert_eq!(Choice::among(&readings[..1]), None);
    }
}
