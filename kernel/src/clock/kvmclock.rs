//! The TSC's frequency from KVM's paravirtual clock: the scale by which it turns cycles into nanoseconds (Linux,
//! Documentation/virt/kvm/x86/msr.rst, `pvclock_vcpu_time_info`). On Firecracker and Cloud Hypervisor it is the only
//! source.
#![expect(unsafe_code, reason = "writes the MSR that makes KVM fill a page")]

use harness::x86::cpuid::{bit, kvm_features};
use x86_64::structures::paging::PhysFrame;

use crate::mem::phys;
use crate::x86::msr;

/// KVM's features: the clock at the newer MSRs.
const FEATURE_CLOCKSOURCE2: u32 = 3;
/// The MSR's low bit: on.
const ENABLE: u64 = 1;
/// Offset of `tsc_to_system_mul`; `tsc_shift` is the byte after it.
const MUL_AT: usize = 24;

/// Makes KVM fill `page` once, and returns the frequency in kHz; `None` if the hypervisor is not KVM or has no such clock.
pub fn khz(page: PhysFrame) -> Option<u64> {
    kvm_features().filter(|&features| bit(features, FEATURE_CLOCKSOURCE2))?;
    phys::write_page(page, &[0; 4096]);
    // SAFETY: the CPUID bit promises the MSR; the page is ours, and KVM stops writing to it below.
    unsafe { msr::write(msr::KVM_SYSTEM_TIME, page.start_address().as_u64() | ENABLE) };
    let word = phys::read_u64(page, MUL_AT);
    // SAFETY: as above.
    unsafe { msr::write(msr::KVM_SYSTEM_TIME, 0) };
    let [m0, m1, m2, m3, shift, ..] = word.to_le_bytes();
    from_scale(u32::from_le_bytes([m0, m1, m2, m3]), i8::from_le_bytes([shift]))
}

/// ns = (cycles << shift) * mul >> 32, so kHz = 10^6 * 2^32 / mul, shifted back. `None` if the result is below 1 kHz or
/// does not fit 64 bits.
#[must_use]
pub fn from_scale(mul: u32, shift: i8) -> Option<u64> {
    let unshifted = (1_000_000_u64 << 32).checked_div(u64::from(mul))?;
    let by = u32::from(shift.unsigned_abs());
    let khz = if shift < 0 {
        // A shift would drop the high bits.
        unshifted.checked_mul(1_u64.checked_shl(by)?)?
    } else {
        unshifted.checked_shr(by)?
    };
    (khz > 0).then_some(khz)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverts_the_scale() {
        // 2 GHz: half a nanosecond a cycle.
        assert_eq!(from_scale(1 << 31, 0), Some(2_000_000));
        assert_eq!(from_scale(1 << 31, -1), Some(4_000_000));
        assert_eq!(from_scale(1 << 31, 1), Some(1_000_000));
        assert_eq!(from_scale(0, 0), None);
    }

    #[test]
    fn rejects_a_scale_that_no_clock_has() {
        // 10^6 * 2^32 has 52 bits: one shifted by 12 fits, by 13 and more it does not.
        assert_eq!(from_scale(1, -12), Some((1_000_000 << 32) << 12));
        for shift in [-13, -20, -63, -64, i8::MIN] {
            assert_eq!(from_scale(1, shift), None, "{shift}");
        }
        // Less than one kHz.
        assert_eq!(from_scale(1 << 31, 20), Some(1));
        assert_eq!(from_scale(1 << 31, 21), None);
        assert_eq!(from_scale(1, i8::MAX), None);
    }
}
