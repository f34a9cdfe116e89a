//! Model-specific registers (Intel SDM vol. 4).
#![expect(unsafe_code, reason = "RDMSR and WRMSR")]

use x86_64::registers::model_specific::Msr;

/// The enabled encryptions of an AMD guest (AMD APM vol. 2, "SEV_STATUS MSR").
pub const SEV_STATUS: u32 = 0xc001_0131;
/// Local APIC base and mode.
pub const IA32_APIC_BASE: u32 = 0x1b;
/// The microcode's revision.
pub const IA32_BIOS_SIGN_ID: u32 = 0x8b;
/// The GS base that SWAPGS swaps in.
pub const IA32_KERNEL_GS_BASE: u32 = 0xc000_0102;
/// The current GS base.
pub const IA32_GS_BASE: u32 = 0xc000_0101;
/// The TSC's frequency in Hz (Microsoft, "Hypervisor Top-Level Functional Specification", `HV_X64_MSR_TSC_FREQUENCY`).
pub const HYPER_V_TSC_FREQUENCY: u32 = 0x4000_0022;
/// What is added to the TSC of the CPU.
pub const IA32_TSC_ADJUST: u32 = 0x3b;
/// The TSC value at which the local APIC's timer sends its interrupt, in that mode.
pub const IA32_TSC_DEADLINE: u32 = 0x6e0;
/// First register of the x2APIC.
pub const X2APIC_BASE: u32 = 0x800;
/// KVM's account of stolen time (the same, `MSR_KVM_STEAL_TIME`).
pub const KVM_STEAL_TIME: u32 = 0x4b56_4d03;
/// KVM's system-time structure (Linux, "KVM-specific MSRs", `MSR_KVM_SYSTEM_TIME_NEW`).
pub const KVM_SYSTEM_TIME: u32 = 0x4b56_4d01;

/// Reads a register.
///
/// # Safety
/// The CPU must have it; otherwise the read is a #GP.
pub unsafe fn read(register: u32) -> u64 {
    // SAFETY: the caller's.
    unsafe { Msr::new(register).read() }
}

/// Writes a register.
///
/// # Safety
/// The CPU must have it, and the value must preserve what the rest of the kernel relies on.
pub unsafe fn write(register: u32, value: u64) {
    // SAFETY: the caller's.
    unsafe { Msr::new(register).write(value) }
}
