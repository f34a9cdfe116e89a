//! The interrupt descriptor table, one for all CPUs, and what a trap in the kernel itself means.
#![expect(unsafe_code, reason = "fills and loads the IDT")]

use abi::exception::mnemonic;
use spin::Once;
use x86_64::PrivilegeLevel;
use x86_64::registers::control::Cr2;
use x86_64::structures::idt::{EntryOptions, InterruptDescriptorTable};

use super::apic;
use super::gdt::Ist;
use super::trap::{self, STUBS, TrapFrame};

/// A worker's time is up: the local APIC's timer.
pub const TIMER_VECTOR: u8 = 0x20;
/// Another CPU has work for this one.
pub const WAKE_VECTOR: u8 = 0x21;
/// Where a local APIC sends an interrupt that went away while it was being delivered. Its low four bits are set, as
/// old APICs demand.
pub const SPURIOUS_VECTOR: u8 = 0x2f;

/// Non-maskable interrupt, double fault, machine check.
const NMI: usize = 2;
const DOUBLE_FAULT: usize = 8;
const MACHINE_CHECK: usize = 18;
const PAGE_FAULT: u64 = 14;

static IDT: Once<InterruptDescriptorTable> = Once::new();

/// Puts the table in force on this CPU.
pub fn load() {
    IDT.call_once(build).load();
}

fn build() -> InterruptDescriptorTable {
    let mut idt = InterruptDescriptorTable::new();
    // SAFETY: for every entry below, the stub of that vector builds the frame that its handler expects.
    let set = |entry: &mut EntryOptions, ist: Option<Ist>| {
        entry.disable_interrupts(true).set_privilege_level(PrivilegeLevel::Ring0);
        if let Some(ist) = ist {
            // SAFETY: the TSS has a stack for each `Ist`, and no two of these exceptions share one.
            unsafe { entry.set_stack_index(ist as u16) };
        }
    };
    macro_rules! entries {
        ($($field:ident = $vector:expr, $ist:expr;)*) => {$(
            // SAFETY: as above.
            let options = unsafe { idt.$field.set_handler_addr(trap::stub($vector)) };
            set(options, $ist);
        )*};
    }
    entries! {
        divide_error = 0, None;
        debug = 1, None;
        non_maskable_interrupt = NMI, Some(Ist::Nmi);
        breakpoint = 3, None;
        overflow = 4, None;
        bound_range_exceeded = 5, None;
        invalid_opcode = 6, None;
        device_not_available = 7, None;
        double_fault = DOUBLE_FAULT, Some(Ist::DoubleFault);
        invalid_tss = 10, None;
        segment_not_present = 11, None;
        stack_segment_fault = 12, None;
        general_protection_fault = 13, None;
        page_fault = 14, None;
        x87_floating_point = 16, None;
        alignment_check = 17, None;
        machine_check = MACHINE_CHECK, Some(Ist::MachineCheck);
        simd_floating_point = 19, None;
        virtualization = 20, None;
        cp_protection_exception = 21, None;
        hv_injection_exception = 28, None;
        vmm_communication_exception = 29, None;
        security_exception = 30, None;
    }
    for vector in 32..STUBS {
        // SAFETY: as above.
        let options =
            unsafe { idt[u8::try_from(vector).unwrap_or(u8::MAX)].set_handler_addr(trap::stub(vector)) };
        set(options, None);
    }
    idt
}

/// A trap while the kernel ran: an interrupt that an idle CPU waited for, or a defect of the kernel.
pub fn on_kernel_trap(frame: &TrapFrame) {
    match u8::try_from(frame.vector) {
        // What they were for is looked at by the loop that waited.
        Ok(TIMER_VECTOR | WAKE_VECTOR) => apic::end_of_interrupt(),
        // A spurious interrupt has no in-service bit, so it gets no EOI.
        Ok(SPURIOUS_VECTOR) => {}
        _ => {
            let address = if frame.vector == PAGE_FAULT { Cr2::read_raw() } else { 0 };
            panic!(
                "#{} error {:#x} at {:#x} address {:#x}",
                mnemonic(frame.vector),
                frame.error,
                frame.rip,
                address
            );
        }
    }
}
