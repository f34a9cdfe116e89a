//! The TSC's frequency as Hyper-V states it (Microsoft, "Hypervisor Top-Level Functional Specification",
//! `HV_X64_MSR_TSC_FREQUENCY`).
#![expect(unsafe_code, reason = "reads an MSR")]

use harness::x86::cpuid::has_hyper_v_frequency;

use crate::x86::msr;

/// The frequency in kHz; `None` without Hyper-V, or if it does not let this guest read it.
pub fn khz() -> Option<u64> {
    // SAFETY: CPUID promises the MSR; reading it has no effect.
    has_hyper_v_frequency().then(|| unsafe { msr::read(msr::HYPER_V_TSC_FREQUENCY) } / 1000)
}
