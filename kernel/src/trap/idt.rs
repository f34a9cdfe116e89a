//! The interrupt descriptor tables, each one for all CPUs: all 256 vectors have a gate, so no interrupt that something
//! sends is a fault.
#![expect(unsafe_code, reason = "loads an IDT")]

use spin::Once;
use x86_64::VirtAddr;
use x86_64::instructions::tables::lidt;
use x86_64::structures::DescriptorTablePointer;

use super::entry::stub;
use crate::x86::gdt::{Ist, KERNEL_CODE};
use crate::x86::vectors::{DOUBLE_FAULT, MACHINE_CHECK, NMI};

/// Present, ring 0 only, 64-bit interrupt gate: interrupts are off in the handler (Intel SDM vol. 3A, "64-Bit Mode IDT").
const INTERRUPT_GATE: u8 = 0x8e;

/// A gate.
#[derive(Clone, Copy)]
#[repr(C)]
struct Gate {
    offset_low: u16,
    selector: u16,
    /// A stack of the interrupt stack table, from 1; 0 for none.
    ist: u8,
    kind: u8,
    offset_middle: u16,
    offset_high: u32,
    reserved: u32,
}

const _: () = assert!(size_of::<Gate>() == 16);

impl Gate {
    #[expect(clippy::cast_possible_truncation, reason = "parts of an address")]
    fn new(target: VirtAddr, ist: u8) -> Self {
        let target = target.as_u64();
        Self {
            offset_low: target as u16,
            selector: KERNEL_CODE,
            ist,
            kind: INTERRUPT_GATE,
            offset_middle: (target >> 16) as u16,
            offset_high: (target >> 32) as u32,
            reserved: 0,
        }
    }
}

/// A table.
type Idt = [Gate; 256];

/// Before the CPU has a task state: no gate changes the stack.
static EARLY: Once<Idt> = Once::new();
/// With a task state.
static IDT: Once<Idt> = Once::new();

/// Puts the table in force that needs no task state.
pub fn load_early() {
    load_table(EARLY.call_once(|| build(|_| 0)));
}

/// Puts the table in force on this CPU. Its task state is loaded.
pub fn load() {
    load_table(IDT.call_once(|| build(stack)));
}

/// The stack that a vector switches to.
const fn stack(vector: u8) -> u8 {
    match vector {
        NMI => Ist::Nmi.number(),
        DOUBLE_FAULT => Ist::DoubleFault.number(),
        MACHINE_CHECK => Ist::MachineCheck.number(),
        _ => 0,
    }
}

fn build(stack: impl Fn(u8) -> u8) -> Idt {
    core::array::from_fn(|vector| {
        let vector = u8::try_from(vector).expect("256 vectors");
        Gate::new(stub(vector), stack(vector))
    })
}

fn load_table(table: &'static Idt) {
    let pointer = DescriptorTablePointer {
        limit: u16::try_from(size_of::<Idt>() - 1).expect("4 KiB"),
        base: VirtAddr::from_ptr(table),
    };
    // SAFETY: each gate leads to the stub of its vector, which builds the frame that the handler expects; the code segment
    // is the kernel's in every GDT of ours, and the stacks are in the task state of a CPU that has one.
    unsafe { lidt(&pointer) };
}
