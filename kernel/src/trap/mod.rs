//! Traps: the entry stubs, the IDT, traps in the kernel. Traps of a worker are `user`'s.

mod entry;
mod idt;
mod kernel;

use x86_64::registers::model_specific::{LStar, SFMask, Star};
use x86_64::registers::rflags::RFlags;
use x86_64::structures::gdt::SegmentSelector;

use crate::cpu::PerCpu;
use crate::x86::features::Features;
use crate::x86::gdt::{KERNEL_CODE, KERNEL_DATA, USER_CODE, USER_DATA};

/// Puts `cpu` in force on the CPU that runs this: its data, all that it needs to take traps and to run ring 3. The CPU
/// is online afterwards.
pub fn bring_online(cpu: &'static PerCpu, features: Features) {
    cpu.load_descriptors();
    idt::load();
    features.enable();
    cpu.make_current();
    set_syscall_entry();
    cpu.go_online();
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
