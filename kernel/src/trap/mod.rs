//! Traps: the entry stubs, the IDT, traps in the kernel, interrupts that nothing asked for. Traps of a worker are `user`'s.

mod entry;
mod idt;
mod kernel;
mod strays;

use x86_64::instructions::interrupts;
use x86_64::registers::model_specific::{LStar, SFMask, Star};
use x86_64::registers::rflags::RFlags;
use x86_64::structures::gdt::SegmentSelector;

use crate::cpu::{PerCpu, idle};
use crate::x86::features::Features;
use crate::x86::gdt::{self, KERNEL_CODE, KERNEL_DATA, USER_CODE, USER_DATA};

/// The kernel's first step on the BSP: interrupts off, and segments and an IDT that need nothing else, so that every later
/// fault is a record.
pub fn prepare() {
    interrupts::disable();
    gdt::load_early();
    PerCpu::make_none_current();
    idt::load_early();
}

/// Lets this CPU take traps, as `cpu`. An AP's first step.
pub fn adopt(cpu: &'static PerCpu) {
    // First, so that GS base is never another value while an IDT of ours is in force.
    cpu.make_current();
    cpu.load_descriptors();
    idt::load();
}

/// Lets this CPU, which has been adopted and whose APIC is on, run ring 3.
pub fn enable_ring_3(features: Features) {
    features.enable();
    set_syscall_entry();
    // What firmware left pending in the APIC arrives now, and not in a worker.
    idle::take_pending_interrupts();
}

/// Sets the registers that SYSCALL reads on this CPU.
fn set_syscall_entry() {
    let selector = SegmentSelector;
    Star::write(selector(USER_CODE), selector(USER_DATA), selector(KERNEL_CODE), selector(KERNEL_DATA))
        .expect("the GDT has the order that SYSCALL wants");
    LStar::write(entry::syscall_entry());
    SFMask::write(
        RFlags::INTERRUPT_FLAG
            | RFlags::DIRECTION_FLAG
            | RFlags::TRAP_FLAG
            | RFlags::ALIGNMENT_CHECK
            | RFlags::NESTED_TASK,
    );
}
