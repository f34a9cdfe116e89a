//! What was printed before all ports were found, for those that come later.

use spin::{Mutex, MutexGuard};

/// The records up to `config`, the reason of an early refusal, and some room.
const CAPACITY: usize = 4096;

/// Its bytes, in memory that takes no room in the kernel's file.
static BYTES: Mutex<[u8; CAPACITY]> = Mutex::new([0; CAPACITY]);

/// The beginning of what was printed, as long as somebody may still want it.
pub struct Backlog {
    bytes: &'static mut [u8],
    len: usize,
    closed: bool,
}

impl Backlog {
    /// Nothing yet. There is one: another has no room.
    pub fn new() -> Self {
        let bytes = BYTES.try_lock().map(MutexGuard::leak);
        Self::within(bytes.map_or(&mut [], |bytes| bytes))
    }

    const fn within(bytes: &'static mut [u8]) -> Self {
        Self { bytes, len: 0, closed: false }
    }

    /// Keeps `bytes`. What no longer fits is left out, and all that comes after it: a port that comes then has a log
    /// that is cut, not one with a hole.
    pub fn keep(&mut self, bytes: &[u8]) {
        if self.closed {
            return;
        }
        match self.bytes.get_mut(self.len..self.len + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.closed = true,
        }
    }

    /// What was kept.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Nobody will want it any more.
    pub fn close(&mut self) {
        self.closed = true;
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;

    use super::*;

    #[test]
    fn keeps_the_beginning_without_a_hole() {
        let mut backlog = Backlog::within(Box::leak(Box::new([0; CAPACITY])));
        backlog.keep(b"one ");
        backlog.keep(&[b'x'; CAPACITY]);
        backlog.keep(b"two");
        assert_eq!(backlog.bytes(), b"one ");
        backlog.close();
        assert_eq!(backlog.bytes(), b"");
    }
}
