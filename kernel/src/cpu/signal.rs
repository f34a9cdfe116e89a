//! The interrupt that measurements are made of: each CPU stamps it with the TSC, counts it and answers it.
#![expect(unsafe_code, reason = "INVLPG, for the rows that drop a translation")]

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

/// What one CPU does at the interrupt, and what it has seen.
#[derive(Debug, Default)]
pub struct Signal {
    /// The TSC at the last interrupt.
    stamp: AtomicU64,
    /// The number that the sender asks to be answered.
    asked: AtomicU64,
    /// The number that was answered last.
    answered: AtomicU64,
    /// The interrupts so far.
    count: AtomicU64,
    /// The address whose translation the handler drops; 0 for none.
    drops: AtomicU64,
}

impl Signal {
    /// Of a CPU that has had none.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            stamp: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            count: AtomicU64::new(0),
            drops: AtomicU64::new(0),
        }
    }

    /// Takes the interrupt, which came at `stamp`. Called by the handler.
    pub fn take(&self, stamp: u64) {
        let drops = self.drops.load(Ordering::Acquire);
        if drops != 0 {
            // SAFETY: dropping a translation changes no memory; the next access reads the page table again.
            unsafe { asm!("invlpg [{}]", in(reg) drops, options(nostack, preserves_flags)) };
        }
        self.stamp.store(stamp, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.answered.store(self.asked.load(Ordering::Acquire), Ordering::Release);
    }

    /// Sets the number that the next interrupt answers.
    pub fn ask(&self, number: u64) {
        self.asked.store(number, Ordering::Release);
    }

    /// The number that was answered last.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Acquire)
    }

    /// The TSC at the last interrupt. To be read after its answer.
    #[must_use]
    pub fn stamp(&self) -> u64 {
        self.stamp.load(Ordering::Acquire)
    }

    /// The interrupts so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Sets the address whose translation each further interrupt drops; 0 for none.
    pub fn drop_translation(&self, address: u64) {
        self.drops.store(address, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_answers_what_was_asked_and_is_counted() {
        let signal = Signal::none();
        signal.ask(7);
        assert_eq!((signal.answered(), signal.count()), (0, 0));
        signal.take(123);
        assert_eq!((signal.answered(), signal.count(), signal.stamp()), (7, 1, 123));
    }
}
