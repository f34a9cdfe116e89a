//! Interrupts that this kernel did not ask for, and NMIs: counted for each CPU, because time passes in them that is no
//! worker's.

use core::sync::atomic::{AtomicU32, Ordering};

/// One CPU's counts. Its traps add to them; the BSP takes them.
#[derive(Debug)]
pub struct Strays {
    nmis: AtomicU32,
    count: AtomicU32,
    /// The vector of the first that was counted; 0 if there is none.
    vector: AtomicU32,
}

/// What was counted since it was last taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Counted {
    /// Non-maskable interrupts.
    pub nmis: u32,
    /// Interrupts whose vector is none of the kernel's.
    pub count: u32,
    /// The vector of the first of them; 0 without one.
    pub vector: u8,
}

/// Those that came before their CPU had data of its own.
static EARLY: Strays = Strays::none();

impl Strays {
    /// None yet.
    #[must_use]
    pub const fn none() -> Self {
        Self { nmis: AtomicU32::new(0), count: AtomicU32::new(0), vector: AtomicU32::new(0) }
    }

    /// Those of a CPU that has no data yet.
    #[must_use]
    pub fn early() -> &'static Self {
        &EARLY
    }

    /// Counts an NMI.
    pub fn count_nmi(&self) {
        self.nmis.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an interrupt.
    pub fn count(&self, vector: u8) {
        let _ = self.vector.compare_exchange(0, vector.into(), Ordering::Relaxed, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes the counts, if there are any.
    #[must_use]
    pub fn take(&self) -> Option<Counted> {
        let (nmis, count) = (self.nmis.swap(0, Ordering::Relaxed), self.count.swap(0, Ordering::Relaxed));
        let vector = u8::try_from(self.vector.swap(0, Ordering::Relaxed)).unwrap_or(0);
        (nmis > 0 || count > 0).then_some(Counted { nmis, count, vector })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_taken_once_and_name_the_first_vector() {
        let strays = Strays::none();
        assert_eq!(strays.take(), None);
        strays.count(0x50);
        strays.count(0x51);
        strays.count_nmi();
        assert_eq!(strays.take(), Some(Counted { nmis: 1, count: 2, vector: 0x50 }));
        strays.count(0x2f);
        assert_eq!(strays.take(), Some(Counted { nmis: 0, count: 1, vector: 0x2f }));
        assert_eq!(strays.take(), None);
    }
}
