//! The TSC's frequency as CPUID states it. Any program may execute CPUID.

use core::arch::x86_64::CpuidResult;

use abi::wire::record::TscSource;
use alloc::vec::Vec;

use super::Reading;
use crate::x86::cpuid::{self, leaf};

/// The readings that CPUID states.
#[must_use]
pub fn stated() -> Vec<Reading> {
    let sources = [
        (TscSource::Hypervisor, cpuid::hypervisor_khz(&leaf)),
        (TscSource::Cpuid15, cpuid_15h(leaf(0x15, 0))),
    ];
    sources.into_iter().filter_map(|(source, khz)| Some(Reading { source, khz: khz? })).collect()
}

/// Crystal clock times ratio (Intel SDM vol. 2A, CPUID leaf 15H). Many CPUs leave the clock out; then there is no
/// reading.
fn cpuid_15h(leaf: CpuidResult) -> Option<u64> {
    let hz = u64::from(leaf.ecx).checked_mul(u64::from(leaf.ebx))?.checked_div(u64::from(leaf.eax))?;
    Some(hz / 1000).filter(|&khz| khz > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplies_the_crystal_clock_if_it_is_stated() {
        let khz = |eax, ebx, ecx| cpuid_15h(CpuidResult { eax, ebx, ecx, edx: 0 });
        assert_eq!(khz(2, 200, 24_000_000), Some(2_400_000));
        assert_eq!((khz(2, 200, 0), khz(0, 200, 24_000_000), khz(0, 0, 0)), (None, None, None));
        assert_eq!(khz(1, u32::MAX, u32::MAX), Some(u64::from(u32::MAX) * u64::from(u32::MAX) / 1000));
    }
}
