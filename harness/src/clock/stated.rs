//! The TSC's frequency as CPUID states it. Any program may execute CPUID.

use abi::wire::record::TscSource;
use alloc::vec::Vec;

use super::Reading;
use crate::x86::cpuid::{HYPERVISOR, leaf};

/// The readings that CPUID states.
#[must_use]
pub fn stated() -> Vec<Reading> {
    let sources = [(TscSource::Cpuid15, cpuid_15h()), (TscSource::Hypervisor, hypervisor())];
    sources.into_iter().filter_map(|(source, khz)| Some(Reading { source, khz: khz? })).collect()
}

/// Crystal clock times ratio (Intel SDM vol. 2A, CPUID leaf 15H). Many CPUs leave the clock out; then there is no
/// reading.
fn cpuid_15h() -> Option<u64> {
    let leaf = leaf(0x15, 0);
    let hz = u64::from(leaf.ecx).checked_mul(u64::from(leaf.ebx))?.checked_div(u64::from(leaf.eax))?;
    Some(hz / 1000).filter(|&khz| khz > 0)
}

/// CPUID.4000_0010H:EAX, in kHz: VMware's leaf, which KVM hosts and EC2 have, too.
fn hypervisor() -> Option<u64> {
    Some(u64::from(leaf(HYPERVISOR + 0x10, 0).eax)).filter(|&khz| khz > 0)
}
