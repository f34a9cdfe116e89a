//! A notification, which any CPU signals, and whether the handles to an object are void. Nothing here needs hardware;
//! interleavings.rs plays all sides in every order.
//!
//! Who waits announces it and then looks at the bits; who signals sets bits and then looks for the announcement. Both are in one
//! order that all CPUs agree on, so one of them sees the other: no signal is slept through.

use super::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Whether every handle to an object is void. Set once.
#[repr(transparent)]
pub struct Void(AtomicBool);

impl Default for Void {
    fn default() -> Self {
        Self(AtomicBool::new(false))
    }
}

impl Void {
    /// Whether they are void. It orders nothing: a call that races with the revocation comes before it or after it.
    #[must_use]
    #[inline(always)]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The same for what waits, and looks again after it has announced that it does.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Voids them.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A word of bits, and at most one thread that waits for one of them.
#[repr(C)]
pub struct Notification {
    /// Whether every handle to it is void.
    pub void: Void,
    /// The bits.
    word: AtomicU64,
    /// One more than the number of the CPU whose thread waits; 0 if none does.
    waits: AtomicU32,
}

impl Default for Notification {
    fn default() -> Self {
        Self { void: Void::default(), word: AtomicU64::new(0), waits: AtomicU32::new(0) }
    }
}

/// The side that signals.
impl Notification {
    /// Sets bits. Returns the number of the CPU that is to look, if a thread waits there.
    #[must_use]
    #[inline(always)]
    pub fn signal(&self, bits: u64) -> Option<u32> {
        self.word.fetch_or(bits, Ordering::SeqCst);
        self.waits.load(Ordering::SeqCst).checked_sub(1)
    }

    /// Voids every handle to it. Returns the number of the CPU that is to look, if a thread waits there.
    #[must_use]
    pub fn revoke(&self) -> Option<u32> {
        self.void.set();
        // Not just read: so an announcement that comes after it sees what was set before it.
        self.waits.fetch_or(0, Ordering::SeqCst).checked_sub(1)
    }
}

/// The side that waits.
impl Notification {
    /// Announces that a thread of this CPU waits, and takes all bits; 0 if there is none yet. `None` if another waits already.
    #[must_use]
    pub fn wait(&self, cpu: u32) -> Option<u64> {
        self.waits.compare_exchange(0, cpu + 1, Ordering::SeqCst, Ordering::SeqCst).ok()?;
        Some(self.take())
    }

    /// Takes all bits; 0 if there is none.
    #[must_use]
    pub fn take(&self) -> u64 {
        self.word.swap(0, Ordering::SeqCst)
    }

    /// Whether a bit is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.word.load(Ordering::SeqCst) != 0
    }

    /// Waits no more.
    pub fn leave(&self) {
        self.waits.store(0, Ordering::Release);
    }
}
