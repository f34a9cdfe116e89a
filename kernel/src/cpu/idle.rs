//! An idle CPU halts: so it takes nothing from its siblings or, in a guest, from a host CPU that another vCPU could use.

use core::sync::atomic::Ordering;

use harness::x86::tsc;
use x86_64::instructions::{hlt, interrupts, nop};

use super::PerCpu;
use crate::clock::MachineClock;
use crate::x86::apic;

/// How long a waiting CPU halts at most before it checks its condition again.
const POLL_US: u64 = 500;

/// Runs every job that arrives in this CPU's mailbox. Does not return.
pub fn serve(cpu: &'static PerCpu) -> ! {
    loop {
        let job = cpu.mailbox.lock().take();
        if let Some(job) = job {
            job(cpu.id);
            // The job's captures are dropped before the BSP sees that it is done, so that the BSP is their only owner.
            drop(job);
            cpu.busy.store(false, Ordering::Release);
            continue;
        }
        // A wake-up that came after the mailbox was read is still pending and ends the halt at once.
        interrupts::enable_and_hlt();
        interrupts::disable();
    }
}

/// Waits until `done`, for at most `timeout_us`. Returns whether `done` came true.
pub fn wait_until(clock: &MachineClock, timeout_us: u64, done: impl Fn() -> bool) -> bool {
    let deadline = tsc::read().saturating_add(clock.tsc.cycles(timeout_us));
    loop {
        if done() {
            return true;
        }
        if tsc::read() >= deadline {
            return false;
        }
        apic::set_timer(clock.timer_ticks(POLL_US));
        interrupts::enable_and_hlt();
        interrupts::disable();
        apic::set_timer(0);
    }
}

/// Takes the interrupts that arrived while they were off, such as a wake-up that this CPU did not need. They must not
/// arrive in ring 3 instead.
pub fn take_pending_interrupts() {
    interrupts::enable();
    // STI takes effect after the next instruction (Intel SDM vol. 2B, "STI").
    nop();
    interrupts::disable();
}

/// Stops this CPU for good.
pub fn park() -> ! {
    loop {
        interrupts::disable();
        hlt();
    }
}
