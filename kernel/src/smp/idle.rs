//! What a CPU does while it has nothing to do: it halts, so that it takes nothing from its siblings or, in a guest,
//! from the host CPU that another vCPU could use.

use core::sync::atomic::Ordering;

use x86_64::instructions::{hlt, interrupts, nop};

use super::PerCpu;
use crate::clock::Clock;
use crate::x86::{apic, tsc};

/// How long a waiting CPU halts at most before it looks again.
const POLL_US: u64 = 500;

/// Runs whatever arrives in this CPU's mailbox, for ever.
pub fn serve(cpu: &'static PerCpu) -> ! {
    loop {
        let job = cpu.mailbox.lock().take();
        if let Some(job) = job {
            job(cpu.id);
            // The job's captures go before the BSP learns that it is done, so that it may count on being their owner.
            drop(job);
            cpu.busy.store(false, Ordering::Release);
            continue;
        }
        // A wake-up that came after the mailbox was read is still pending, and ends the halt at once.
        interrupts::enable_and_hlt();
        interrupts::disable();
    }
}

/// Waits until `done`, for at most `timeout_us`; says whether it came true.
pub fn wait_until(clock: &Clock, timeout_us: u64, done: impl Fn() -> bool) -> bool {
    let deadline = tsc::read().saturating_add(clock.cycles(timeout_us));
    loop {
        if done() {
            return true;
        }
        if tsc::read() >= deadline {
            return false;
        }
        apic::set_timer(clock.timer_counts(clock.cycles(POLL_US)));
        interrupts::enable_and_hlt();
        interrupts::disable();
        apic::set_timer(0);
    }
}

/// Takes what arrived while interrupts were off, such as a wake-up that this CPU did not need: it must not arrive in
/// ring 3 instead.
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
