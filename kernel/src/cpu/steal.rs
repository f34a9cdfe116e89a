//! The time that KVM takes from a CPU to give it to others (Linux, Documentation/virt/kvm/x86/msr.rst,
//! `MSR_KVM_STEAL_TIME`). Other hypervisors have no such account.
#![expect(unsafe_code, reason = "writes the MSR that makes KVM fill a page")]

use harness::x86::cpuid::{bit, kvm_features};
use x86_64::structures::paging::PhysFrame;

use crate::mem::phys;
use crate::x86::msr;

/// KVM's features: the MSR is there.
const FEATURE_STEAL_TIME: u32 = 5;
const ENABLE: u64 = 1;

/// Whether the hypervisor accounts for the time that it takes.
#[must_use]
pub fn is_available() -> bool {
    kvm_features().is_some_and(|features| bit(features, FEATURE_STEAL_TIME))
}

/// Makes KVM keep this CPU's account in `page`, which is this CPU's alone, and zeroed.
pub fn enable(page: PhysFrame) {
    // SAFETY: called only if the account is available; the page is never given back.
    unsafe { msr::write(msr::KVM_STEAL_TIME, page.start_address().as_u64() | ENABLE) };
}

/// The account so far, in ns.
#[must_use]
pub fn read(page: PhysFrame) -> u64 {
    phys::read_u64(page, 0)
}
