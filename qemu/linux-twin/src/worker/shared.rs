//! A value in memory that a process and its children share.
#![expect(unsafe_code, reason = "maps memory and puts a value there")]

use std::io;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::{self, NonNull};

/// A value made of atomics, seen by this process and every process forked from it.
pub struct Shared<T: Sync> {
    at: NonNull<T>,
    _owns: PhantomData<T>,
}

impl<T: Sync> Shared<T> {
    /// Moves `value` into new shared memory.
    ///
    /// # Errors
    /// No memory.
    pub fn new(value: T) -> io::Result<Self> {
        const { assert!(align_of::<T>() <= 4096 && !std::mem::needs_drop::<T>()) };
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_POPULATE;
        let rights = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address that Linux chooses; nothing that exists is touched.
        let at = unsafe { libc::mmap(ptr::null_mut(), size_of::<T>(), rights, flags, -1, 0) };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let at = NonNull::new(at.cast::<T>()).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: the mapping is new, writable, aligned to a page and long enough.
        unsafe { at.write(value) };
        Ok(Self { at, _owns: PhantomData })
    }
}

impl<T: Sync> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: written in `new` and mapped until `drop`; others change it through its own atomics only.
        unsafe { self.at.as_ref() }
    }
}

impl<T: Sync> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping of `new`, which nothing refers to any more.
        unsafe { libc::munmap(self.at.as_ptr().cast(), size_of::<T>()) };
    }
}
