//! The traps of ring 3 other than calls: exceptions and interrupts.
#![expect(unsafe_code, reason = "reads the island of the CPU that took the trap")]

use harness::user::{Exit, Fault};
use harness::x86::tsc;
use x86_64::registers::control::Cr2;

use super::Island;
use super::enter::leave;
use crate::clock;
use crate::cpu::{ErrorBank, PerCpu, TrapFrame};
use crate::x86::{apic, vectors};

/// Handles a trap from ring 3. Returns if the thread continues.
#[inline(always)]
pub fn on_trap(frame: &TrapFrame) {
    match u8::try_from(frame.vector).expect("a stub pushes its own vector") {
        // The thread did not cause it. A double fault is that of a stack or a gate that is the kernel's.
        vectors::MACHINE_CHECK => panic!("#MC while a worker ran: {}", ErrorBank::read()),
        vectors::DOUBLE_FAULT => panic!("#DF while a worker ran, at {:#x}", frame.rip),
        vector if vector < vectors::EXCEPTIONS => {
            let address = if vector == vectors::PAGE_FAULT { Cr2::read_raw() } else { 0 };
            let (error, rip) = (frame.error, frame.rip);
            // SAFETY: the trap came from ring 3.
            let island = unsafe { Island::here() };
            if vector == vectors::PAGE_FAULT && island.touches(error, address) {
                return;
            }
            if vector == vectors::PAGE_FAULT {
                island.pass_fault(frame, address);
            }
            island.end_current(Exit::Fault(Fault { vector: vector.into(), error, rip, address }));
        }
        vector => on_interrupt(vector),
    }
}

fn on_interrupt(vector: u8) {
    let cpu = PerCpu::current().expect("ring 3 is entered only on a CPU whose data is current");
    if vector == vectors::TIMER && cpu.worker.disturbances.get() == 0 {
        apic::end_of_interrupt();
        return on_watch(cpu);
    }
    let mut counts = cpu.worker.counts.get();
    counts.irqs = counts.irqs.saturating_add(1);
    cpu.worker.counts.set(counts);
    apic::end_of_interrupt();
    if vector == vectors::TIMER {
        cpu.worker.disturbances.set(cpu.worker.disturbances.get().saturating_sub(1));
        set_timer(cpu);
    }
}

/// The timer watches the threads, or has reached their time-out.
fn on_watch(cpu: &'static PerCpu) {
    let mut watch = cpu.worker.watch.get();
    let goes_on = watch.comes(tsc::read());
    cpu.worker.watch.set(watch);
    if !goes_on {
        leave(cpu);
    }
    set_timer(cpu);
}

fn set_timer(cpu: &PerCpu) {
    let clock = clock::get().expect("a worker runs only when there is a clock");
    apic::set_timer(cpu.worker.next_timer(clock));
}
