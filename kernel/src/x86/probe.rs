//! Reading a register that may not be there: the one instruction of the kernel that may fault, and the way on where it
//! does.
#![expect(unsafe_code, reason = "RDMSR, with a way on from its #GP")]

use core::arch::global_asm;

use super::trap::TrapFrame;

const GENERAL_PROTECTION: u64 = 13;

unsafe extern "C" {
    /// Reads the model-specific register `register` into `value`; returns 0 where that faulted.
    fn probe_rdmsr(register: u32, value: *mut u64) -> u32;
    /// Its RDMSR.
    fn probe_rdmsr_instruction();
    /// Where it goes on after a fault.
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

/// The register's value; `None` where the CPU, or a hypervisor, does not let it be read. Needs the IDT in force.
#[must_use]
pub fn read_msr(register: u32) -> Option<u64> {
    let mut value = 0;
    // SAFETY: reading a register changes nothing; the stub keeps to the C calling convention and writes to `value`
    // alone, and a #GP at its RDMSR is mended by `mend`.
    let read = unsafe { probe_rdmsr(register, &raw mut value) };
    (read != 0).then_some(value)
}

/// Whether a trap in the kernel was the probe's; then its frame leads to where the probe goes on.
pub fn mend(frame: &mut TrapFrame) -> bool {
    let probes =
        frame.vector == GENERAL_PROTECTION && frame.rip == probe_rdmsr_instruction as *const () as u64;
    if probes {
        frame.rip = probe_rdmsr_faulted as *const () as u64;
    }
    probes
}
