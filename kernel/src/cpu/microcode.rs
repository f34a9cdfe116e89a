//! The microcode's revision (Intel SDM vol. 3A, "Microcode Update Signature and Verification"; AMD's PATCH_LEVEL, AMD64 APM
//! vol. 2, the same register).

use harness::x86::cpuid;

use super::probe;
use crate::x86::msr;

/// The revision on this CPU; `None` if the CPU is of another vendor, or a hypervisor refuses the read.
#[must_use]
pub fn revision() -> Option<u64> {
    let vendor = cpuid::vendor();
    // Intel: CPUID.1 puts the revision into the register, and the call above is not that leaf.
    let _ = cpuid::leaf(1, 0);
    let value = probe::read_msr(msr::IA32_BIOS_SIGN_ID)?;
    match vendor.as_str() {
        "GenuineIntel" => Some(value >> 32),
        "AuthenticAMD" | "HygonGenuine" => Some(value & 0xffff_ffff),
        _ => None,
    }
}
