//! Traps in the kernel itself: interrupts that an idle CPU waited for, or a defect of the kernel.

use abi::exception::mnemonic;
use harness::x86::tsc;
use x86_64::registers::control::Cr2;

use crate::cpu::{ErrorBank, PerCpu, TrapFrame};
use crate::x86::{apic, vectors};

/// Handles a trap that came while the kernel ran.
pub fn on_trap(frame: &TrapFrame) {
    match u8::try_from(frame.vector) {
        // The loop that halted checks for itself what they were for.
        Ok(vectors::TIMER | vectors::WAKE) => apic::end_of_interrupt(),
        Ok(vectors::SIGNAL) => {
            let stamp = tsc::read_ordered();
            if let Some(cpu) = PerCpu::current() {
                cpu.signal.take(stamp);
            }
            apic::end_of_interrupt();
        }
        Ok(vectors::MACHINE_CHECK) => panic!("#MC: {}", ErrorBank::read()),
        vector => {
            let address = if vector == Ok(vectors::PAGE_FAULT) { Cr2::read_raw() } else { 0 };
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
