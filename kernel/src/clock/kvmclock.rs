//! KVM's paravirtual clock (Linux, Documentation/virt/kvm/x86/msr.rst, `pvclock_vcpu_time_info`). On Firecracker and Cloud
//! Hypervisor it is the only clock. Its scale, by which it turns cycles into nanoseconds, states the TSC's frequency; and it
//! can be read beside the TSC.
#![expect(unsafe_code, reason = "writes the MSR that makes KVM fill a page")]

use core::sync::atomic::{Ordering, compiler_fence};

use harness::x86::cpuid::{bit, kvm_features};
use harness::x86::tsc;
use x86_64::structures::paging::PhysFrame;

use crate::mem::phys;
use crate::x86::msr;

/// KVM's features: the clock at the newer MSRs.
const FEATURE_CLOCKSOURCE2: u32 = 3;
/// The flag below means something.
const FEATURE_STABLE: u32 = 24;
/// Of `flags`: the TSCs are in step, so any CPU may read the page of another.
const TSC_STABLE: u8 = 1;
/// Of `flags`: the machine was stopped, and its VMM has said so.
const GUEST_STOPPED: u8 = 1 << 1;
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

/// The clock, which KVM keeps in a page from [`KvmClock::start`] on.
#[derive(Clone, Copy, Debug)]
pub struct KvmClock {
    page: PhysFrame,
}

impl KvmClock {
    /// Makes KVM keep the clock of this CPU in `page`, which must never be given back if this succeeds. `None` if the
    /// hypervisor is not KVM, or does not promise that every CPU may read the page.
    pub fn start(page: PhysFrame) -> Option<Self> {
        let needed = |&features: &u32| bit(features, FEATURE_CLOCKSOURCE2) && bit(features, FEATURE_STABLE);
        kvm_features().filter(needed)?;
        phys::write_page(page, &[0; 4096]);
        // SAFETY: the CPUID bit promises the MSR; the page is ours, and is kept unless KVM is made to stop below.
        unsafe { msr::write(msr::KVM_SYSTEM_TIME, page.start_address().as_u64() | ENABLE) };
        let this = Self { page };
        if this.snapshot().is_some_and(|snapshot| snapshot.stable && snapshot.mul > 0) {
            return Some(this);
        }
        // SAFETY: as above.
        unsafe { msr::write(msr::KVM_SYSTEM_TIME, 0) };
        None
    }

    /// The clock now, in ns.
    #[must_use]
    pub fn now(&self) -> u64 {
        /// KVM writes the page when this CPU runs again after an exit, and so not while this CPU reads it; another CPU may
        /// meet a write, which takes well under a microsecond.
        const TRIES: u32 = 1_000;
        let snapshot = (0..TRIES).find_map(|_| self.snapshot());
        snapshot.map_or(0, |snapshot| snapshot.at(tsc::read_ordered()))
    }

    /// Whether KVM reports that the machine was stopped. The report stays: nothing here clears it.
    #[must_use]
    pub fn was_stopped(&self) -> bool {
        let [_, _, _, _, _, flags, ..] = phys::read_u64(self.page, MUL_AT).to_le_bytes();
        flags & GUEST_STOPPED != 0
    }

    /// The page, unless KVM writes to it at this moment.
    fn snapshot(&self) -> Option<Snapshot> {
        let word = |at| phys::read_u64(self.page, at);
        let before = word(0);
        // The version is odd while KVM writes, and another afterwards. Loads are not reordered with loads on x86.
        compiler_fence(Ordering::Acquire);
        let (timestamp, system_time, scale) = (word(8), word(16), word(MUL_AT));
        compiler_fence(Ordering::Acquire);
        let quiet = before & 1 == 0 && word(0) == before;
        let [m0, m1, m2, m3, shift, flags, ..] = scale.to_le_bytes();
        quiet.then_some(Snapshot {
            timestamp,
            system_time,
            mul: u32::from_le_bytes([m0, m1, m2, m3]),
            shift: i8::from_le_bytes([shift]),
            stable: flags & TSC_STABLE != 0,
        })
    }
}

/// What KVM has written: the time at one TSC value, and the scale from there on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Snapshot {
    timestamp: u64,
    system_time: u64,
    mul: u32,
    shift: i8,
    stable: bool,
}

impl Snapshot {
    /// The time at the TSC value `tsc`, in ns.
    fn at(&self, tsc: u64) -> u64 {
        let cycles = u128::from(tsc.saturating_sub(self.timestamp));
        let by = u32::from(self.shift.unsigned_abs());
        let shifted = if self.shift < 0 { cycles.checked_shr(by) } else { cycles.checked_shl(by) };
        let ns = shifted.unwrap_or(0).wrapping_mul(u128::from(self.mul)) >> 32;
        self.system_time.wrapping_add(u64::try_from(ns).unwrap_or(u64::MAX))
    }
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
    fn goes_on_from_what_kvm_has_written() {
        let at = |shift, tsc| {
            Snapshot { timestamp: 1_000, system_time: 7_000, mul: 1 << 31, shift, stable: true }.at(tsc)
        };
        assert_eq!([at(0, 1_000), at(0, 3_000), at(1, 3_000), at(-1, 3_000)], [7_000, 8_000, 9_000, 7_500]);
        // Another CPU may be a few cycles behind.
        assert_eq!(at(0, 990), 7_000);
        assert_eq!(at(i8::MIN, 3_000), 7_000);
    }

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
