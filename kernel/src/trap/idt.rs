//! The interrupt descriptor table, one for all CPUs.
#![expect(unsafe_code, reason = "fills and loads the IDT")]

use spin::Once;
use x86_64::PrivilegeLevel;
use x86_64::structures::idt::{EntryOptions, InterruptDescriptorTable};

use super::entry::{STUBS, stub};
use crate::x86::gdt::Ist;
use crate::x86::vectors;

static IDT: Once<InterruptDescriptorTable> = Once::new();

/// Puts the table in force on this CPU.
pub fn load() {
    IDT.call_once(build).load();
}

fn build() -> InterruptDescriptorTable {
    let mut idt = InterruptDescriptorTable::new();
    // SAFETY: for every entry below, the stub of that vector builds the frame that its handler expects.
    macro_rules! entries {
        ($($field:ident = $vector:expr, $ist:expr;)*) => {$(
            // SAFETY: as above.
            let options = unsafe { idt.$field.set_handler_addr(stub($vector)) };
            configure(options, $ist);
        )*};
    }
    entries! {
        divide_error = 0, None;
        debug = 1, None;
        non_maskable_interrupt = usize::from(vectors::NMI), Some(Ist::Nmi);
        breakpoint = 3, None;
        overflow = 4, None;
        bound_range_exceeded = 5, None;
        invalid_opcode = 6, None;
        device_not_available = 7, None;
        double_fault = usize::from(vectors::DOUBLE_FAULT), Some(Ist::DoubleFault);
        invalid_tss = 10, None;
        segment_not_present = 11, None;
        stack_segment_fault = 12, None;
        general_protection_fault = 13, None;
        page_fault = 14, None;
        x87_floating_point = 16, None;
        alignment_check = 17, None;
        machine_check = usize::from(vectors::MACHINE_CHECK), Some(Ist::MachineCheck);
        simd_floating_point = 19, None;
        virtualization = 20, None;
        cp_protection_exception = 21, None;
        hv_injection_exception = 28, None;
        vmm_communication_exception = 29, None;
        security_exception = 30, None;
    }
    for vector in 32..STUBS {
        // SAFETY: as above.
        let options = unsafe { idt[u8::try_from(vector).unwrap_or(u8::MAX)].set_handler_addr(stub(vector)) };
        configure(options, None);
    }
    idt
}

/// Sets an entry's options: interrupts off, not callable from ring 3, and the stack to switch to.
fn configure(entry: &mut EntryOptions, ist: Option<Ist>) {
    entry.disable_interrupts(true).set_privilege_level(PrivilegeLevel::Ring0);
    if let Some(ist) = ist {
        // SAFETY: the TSS has a stack for each `Ist`, and no two of these exceptions share one.
        unsafe { entry.set_stack_index(ist as u16) };
    }
}
