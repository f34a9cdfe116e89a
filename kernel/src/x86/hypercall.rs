//! Calls of KVM (Linux, Documentation/virt/kvm/x86/hypercalls.rst).
#![expect(unsafe_code, reason = "VMCALL and VMMCALL")]

use core::arch::asm;

/// KVM's answer to a call that it does not know, as a signed number: KVM_ENOSYS.
pub const UNKNOWN: i64 = -1000;
/// A number that no call has.
const NO_CALL: u64 = 0xffff_fff0;

/// Makes a call that KVM does not know, by VMMCALL on AMD's CPUs. KVM must be the hypervisor: without one the instruction
/// is undefined.
#[must_use]
#[inline]
pub fn unknown_call(amd: bool) -> i64 {
    let answer;
    if amd {
        // SAFETY: KVM changes RAX alone at a call; it knows no call of this number.
        unsafe { asm!("vmmcall", inlateout("rax") NO_CALL => answer, options(nostack)) };
    } else {
        // SAFETY: as above.
        unsafe { asm!("vmcall", inlateout("rax") NO_CALL => answer, options(nostack)) };
    }
    answer
}
