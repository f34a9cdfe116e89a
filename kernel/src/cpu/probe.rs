//! Reads a register that may not be there: the one instruction of the kernel that may fault, with a recovery address.
#![expect(unsafe_code, reason = "RDMSR, with recovery from its #GP")]

use core::arch::global_asm;

use super::TrapFrame;
use crate::x86::vectors::GENERAL_PROTECTION;

unsafe extern "C" {
    /// Reads the model-specific register `register` into `value`; returns 0 if that faulted.
    fn probe_rdmsr(register: u32, value: *mut u64) -> u32;
    /// Its RDMSR.
    fn probe_rdmsr_instruction();
    /// The recovery address.
    fn probe_rdmsr_faulted();
}

global_asm!(
    "
    .pushsection .text.probe, \"ax\"
    .global probe_rdmsr
probe_rdmsr:
    mov ecx, edi
    .global probe_rdmsr_instruction
probe_rdmsr_instruction:
    rdmsr
    shl rdx, 32
    or rax, rdx
    mov [rsi], rax
    mov eax, 1
    ret
    .global probe_rdmsr_faulted
probe_rdmsr_faulted:
    xor eax, eax
    ret
    .popsection
    "
);

/// The register's value; `None` if the CPU does not have it, or a hypervisor refuses the read. Needs the IDT in force.
#[must_use]
pub fn read_msr(register: u32) -> Option<u64> {
    let mut value = 0;
    // SAFETY: reading a register changes nothing; the stub keeps to the C calling convention and writes to `value`
    // alone, and `recover` handles a #GP at its RDMSR.
    let read = unsafe { probe_rdmsr(register, &raw mut value) };
    (read != 0).then_some(value)
}

/// Returns whether a trap in the kernel was the probe's. If so, its frame continues at the recovery address.
pub fn recover(frame: &mut TrapFrame) -> bool {
    let is_probe = frame.vector == u64::from(GENERAL_PROTECTION)
        && frame.rip == probe_rdmsr_instruction as *const () as u64;
    if is_probe {
        frame.rip = probe_rdmsr_faulted as *const () as u64;
    }
    is_probe
}
