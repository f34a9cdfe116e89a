//! What a worker's traps mean.

use abi::exception::mnemonic;
use abi::syscall::{REFUSED, Syscall};
use x86_64::registers::control::Cr2;

use super::enter::leave;
use super::{Exit, Fault};
use crate::smp::PerCpu;
use crate::x86::apic;
use crate::x86::idt::{SPURIOUS_VECTOR, TIMER_VECTOR};
use crate::x86::trap::{SYSCALL_VECTOR, TrapFrame};

const NMI: u64 = 2;
const PAGE_FAULT: u64 = 14;
const MACHINE_CHECK: u64 = 18;
const EXCEPTIONS: u64 = 32;

/// A trap from ring 3. Returns where the worker is to go on.
pub fn on_trap(frame: &mut TrapFrame) {
    let cpu = PerCpu::current().expect("ring 3 is entered only on a CPU whose data is in force");
    match frame.vector {
        SYSCALL_VECTOR => on_syscall(cpu, frame),
        // Not the worker's doing.
        NMI | MACHINE_CHECK => panic!("#{} while a worker ran, at {:#x}", mnemonic(frame.vector), frame.rip),
        vector if vector < EXCEPTIONS => {
            let address = if vector == PAGE_FAULT { Cr2::read_raw() } else { 0 };
            leave(cpu, Exit::Fault(Fault { vector, error: frame.error, rip: frame.rip, address }));
        }
        vector => on_interrupt(cpu, vector),
    }
}

fn on_syscall(cpu: &'static PerCpu, frame: &mut TrapFrame) {
    match Syscall::from_number(frame.rax).filter(|&call| cpu.user.authority.get().allows(call)) {
        Some(Syscall::Exit) => leave(cpu, Exit::Returned),
        None => {
            let mut counts = cpu.user.counts.get();
            if counts.refused == 0 {
                counts.first_refused = frame.rax;
            }
            counts.refused = counts.refused.saturating_add(1);
            cpu.user.counts.set(counts);
            frame.rax = REFUSED;
        }
    }
}

fn on_interrupt(cpu: &'static PerCpu, vector: u64) {
    let mut counts = cpu.user.counts.get();
    counts.irqs = counts.irqs.saturating_add(1);
    cpu.user.counts.set(counts);
    if vector != u64::from(SPURIOUS_VECTOR) {
        apic::end_of_interrupt();
    }
    if vector == u64::from(TIMER_VECTOR) {
        match cpu.user.disturbances.get().checked_sub(1) {
            None => leave(cpu, Exit::Timeout),
            Some(left) => {
                cpu.user.disturbances.set(left);
                apic::set_timer(cpu.user.next_timer());
            }
        }
    }
}
