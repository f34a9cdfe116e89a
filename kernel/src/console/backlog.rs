//! The output from before all ports were found, for ports that are attached later.

use spin::{Mutex, MutexGuard};

/// Enough bytes for the records up to `config`, the reason of an early refusal, and some more.
const CAPACITY: usize = 4096;

/// Its bytes, in memory that takes no room in the kernel's file.
static BYTES: Mutex<[u8; CAPACITY]> = Mutex::new([0; CAPACITY]);

/// The beginning of the output, until no further port can be attached.
pub struct Backlog {
    bytes: &'static mut [u8],
    len: usize,
    closed: bool,
}

impl Backlog {
    /// An empty backlog. Only the first one has room.
    pub fn new() -> Self {
        let bytes = BYTES.try_lock().map(MutexGuard::leak);
        Self::within(bytes.map_or(&mut [], |bytes| bytes))
    }

    const fn within(bytes: &'static mut [u8]) -> Self {
        Self { bytes, len: 0, closed: false }
    }

    /// Keeps `bytes`. Once they do not fit, they and all later ones are dropped: a port that is attached then gets a log
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

    /// The kept output.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Whether a further port can be attached.
    pub const fn is_open(&self) -> bool {
        !self.closed
    }

    /// Drops the output: it is no longer needed.
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
