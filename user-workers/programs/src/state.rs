//! A value that the prepare call leaves for the calls after it.

use core::cell::UnsafeCell;

/// Such a value, in a program's `static`. A worker keeps its `.bss` from call to call.
pub struct State<T>(UnsafeCell<Option<T>>);

// SAFETY: a worker is one thread, alone in its address space.
unsafe impl<T> Sync for State<T> {}

impl<T> State<T> {
    /// No value yet.
    pub const fn none() -> Self {
        Self(UnsafeCell::new(None))
    }

    /// Sets the value.
    pub fn set(&self, value: T) {
        // SAFETY: no reference to the content lives: `with` makes the only one, and calls nothing that comes back here.
        unsafe { *self.0.get() = Some(value) }
    }

    /// Uses the value. `use_it` does not come back here.
    ///
    /// # Panics
    /// No prepare call has set it.
    pub fn with<R>(&self, use_it: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the only reference for as long as it lives: one thread, and `use_it` does not come back here.
        let value = unsafe { &mut *self.0.get() };
        use_it(value.as_mut().expect("the prepare call comes first"))
    }
}
