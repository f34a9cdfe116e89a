//! Interrupts that this kernel did not ask for, and NMIs: counted for each CPU, because time passes in them that is no
//! worker's.

use core::sync::atomic::{AtomicU32, Ordering};

use harness::backend::{KEPT_VECTORS, VectorCount};

/// One CPU's counts. Its traps add to them; the BSP takes them.
#[derive(Debug)]
pub struct Strays {
    nmis: AtomicU32,
    count: AtomicU32,
    /// The first vectors that came, each as a [`slot`]; 0 if there is none. One word each, so that a vector and its count are
    /// taken together.
    vectors: [AtomicU32; KEPT_VECTORS],
}

/// The low bits of a slot: the count. The vector is above them.
const COUNT_BITS: u32 = 24;
const MAX_COUNT: u32 = (1 << COUNT_BITS) - 1;

/// The slot after one more interrupt of `vector`; `None` if the slot is another vector's. No interrupt of a device has vector
/// 0, so 0 is an empty slot.
fn slot(before: u32, vector: u8) -> Option<u32> {
    match before {
        0 => Some(u32::from(vector) << COUNT_BITS | 1),
        _ if before >> COUNT_BITS != u32::from(vector) => None,
        _ if before & MAX_COUNT == MAX_COUNT => Some(before),
        _ => Some(before + 1),
    }
}

/// What was counted since it was last taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Counted {
    /// Non-maskable interrupts.
    pub nmis: u32,
    /// Interrupts whose vector is none of the kernel's.
    pub count: u32,
    /// The first different vectors of them, in the order in which they came, each with its count. A count of 0: none.
    pub vectors: [VectorCount; KEPT_VECTORS],
}

/// Those that came before their CPU had data of its own.
static EARLY: Strays = Strays::none();

impl Strays {
    /// None yet.
    #[must_use]
    pub const fn none() -> Self {
        let vectors = [const { AtomicU32::new(0) }; KEPT_VECTORS];
        Self { nmis: AtomicU32::new(0), count: AtomicU32::new(0), vectors }
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
        let has_room = |of: &&AtomicU32| {
            of.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |before| slot(before, vector)).is_ok()
        };
        // A fifth vector is counted in the sum alone.
        let _ = self.vectors.iter().find(has_room);
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes the counts, if there are any.
    #[must_use]
    pub fn take(&self) -> Option<Counted> {
        let (nmis, count) = (self.nmis.swap(0, Ordering::Relaxed), self.count.swap(0, Ordering::Relaxed));
        let vectors = self.vectors.each_ref().map(|of| {
            let slot = of.swap(0, Ordering::Relaxed);
            let vector = u8::try_from(slot >> COUNT_BITS).unwrap_or(0);
            VectorCount { vector, count: slot & MAX_COUNT }
        });
        (nmis > 0 || count > 0).then_some(Counted { nmis, count, vectors })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(kept: [(u8, u32); KEPT_VECTORS]) -> [VectorCount; KEPT_VECTORS] {
        kept.map(|(vector, count)| VectorCount { vector, count })
    }

    #[test]
    fn counts_are_taken_once() {
        let strays = Strays::none();
        assert_eq!(strays.take(), None);
        strays.count(0x50);
        strays.count_nmi();
        let one = vectors([(0x50, 1), (0, 0), (0, 0), (0, 0)]);
        assert_eq!(strays.take(), Some(Counted { nmis: 1, count: 1, vectors: one }));
        strays.count(0x2f);
        let other = vectors([(0x2f, 1), (0, 0), (0, 0), (0, 0)]);
        assert_eq!(strays.take(), Some(Counted { nmis: 0, count: 1, vectors: other }));
        assert_eq!(strays.take(), None);
    }

    #[test]
    fn keeps_the_first_vectors_each_with_its_count() {
        let strays = Strays::none();
        for vector in [0x50, 0xff, 0x50, 0x11, 0x60, 0x61, 0xff, 0x62] {
            strays.count(vector);
        }
        let kept = vectors([(0x50, 2), (0xff, 2), (0x11, 1), (0x60, 1)]);
        assert_eq!(strays.take(), Some(Counted { nmis: 0, count: 8, vectors: kept }));
    }

    #[test]
    fn a_count_stops_at_its_greatest_value_and_stays_its_vectors() {
        let full = 0xff << COUNT_BITS | MAX_COUNT;
        assert_eq!(slot(full, 0xff), Some(full));
        assert_eq!(slot(full - 1, 0xff), Some(full));
        assert_eq!(slot(full, 0xfe), None);
    }
}
