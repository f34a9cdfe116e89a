//! Instructions that may fault because a register is not there or a hypervisor refuses it: the only instructions of the
//! kernel that may, with one recovery address.
#![expect(unsafe_code, reason = "RDMSR, WRMSR, XSETBV and a load, with recovery from their faults")]

use core::arch::global_asm;

use super::TrapFrame;
use crate::x86::vectors::{GENERAL_PROTECTION, PAGE_FAULT};

unsafe extern "C" {
    /// Reads the model-specific register `register` into `value`; returns 0 if that faulted.
    fn probe_rdmsr(register: u32, value: *mut u64) -> u32;
    /// Writes it, likewise.
    fn probe_wrmsr(register: u32, value: u64) -> u32;
    /// Writes the extended control register `register`, likewise.
    fn probe_xsetbv(register: u32, value: u64) -> u32;
    /// Reads the word at `address`, likewise.
    fn probe_load(address: u64) -> u32;
    /// Their instructions.
    fn probe_rdmsr_instruction();
    fn probe_wrmsr_instruction();
    fn probe_xsetbv_instruction();
    fn probe_load_instruction();
    /// The recovery address.
    fn probe_faulted();
}

global_asm!(
    "
    .pushsection .text.probe, \"ax\"
    .global probe_rdmsr, probe_rdmsr_instruction
    .global probe_wrmsr, probe_wrmsr_instruction
    .global probe_xsetbv, probe_xsetbv_instruction
    .global probe_load, probe_load_instruction, probe_faulted
probe_rdmsr:
    mov ecx, edi
probe_rdmsr_instruction:
    rdmsr
    shl rdx, 32
    or rax, rdx
    mov [rsi], rax
    jmp probe_answered
probe_wrmsr:
    mov ecx, edi
    mov eax, esi
    mov rdx, rsi
    shr rdx, 32
probe_wrmsr_instruction:
    wrmsr
    jmp probe_answered
probe_xsetbv:
    mov ecx, edi
    mov eax, esi
    mov rdx, rsi
    shr rdx, 32
probe_xsetbv_instruction:
    xsetbv
    jmp probe_answered
probe_load:
probe_load_instruction:
    mov rax, [rdi]
probe_answered:
    mov eax, 1
    ret
probe_faulted:
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

/// Writes the register. Returns whether it took the write; if not, a hypervisor refused it or the CPU does not have the
/// register. Needs the IDT in force.
///
/// # Safety
/// The value must preserve what the rest of the kernel relies on.
pub unsafe fn write_msr(register: u32, value: u64) -> bool {
    // SAFETY: the caller's; the stub keeps to the C calling convention, and `recover` handles a #GP at its WRMSR.
    unsafe { probe_wrmsr(register, value) != 0 }
}

/// Writes XCR0, likewise. CR4.OSXSAVE is on.
///
/// # Safety
/// As for [`write_msr`].
pub unsafe fn write_xcr0(value: u64) -> bool {
    // SAFETY: as for `write_msr`; XCR0 has the number 0.
    unsafe { probe_xsetbv(0, value) != 0 }
}

/// Whether the word at `address`, which is mapped or not, can be read.
///
/// # Safety
/// The address is memory of the kernel's own or not mapped: a read of a device can have effects.
#[must_use]
pub unsafe fn can_read(address: u64) -> bool {
    // SAFETY: the caller's; `recover` handles a #PF at its load.
    unsafe { probe_load(address) != 0 }
}

/// Returns whether a trap in the kernel was a probe's. If so, its frame continues at the recovery address.
pub fn recover(frame: &mut TrapFrame) -> bool {
    let at = |probe: unsafe extern "C" fn()| frame.rip == probe as *const () as u64;
    let is_probe = match u8::try_from(frame.vector) {
        Ok(GENERAL_PROTECTION) => {
            at(probe_rdmsr_instruction) || at(probe_wrmsr_instruction) || at(probe_xsetbv_instruction)
        }
        Ok(PAGE_FAULT) => at(probe_load_instruction),
        _ => false,
    };
    if is_probe {
        frame.rip = probe_faulted as *const () as u64;
    }
    is_probe
}
