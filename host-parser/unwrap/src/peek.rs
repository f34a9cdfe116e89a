//! A reader whose first bytes can be looked at before they are read.

use std::io::{self, Read};

/// A reader and its first bytes.
pub(crate) struct Peek {
    head: Vec<u8>,
    read: usize,
    rest: Box<dyn Read + Send>,
}

impl Peek {
    /// Reads up to `head` bytes ahead.
    pub fn new(mut rest: Box<dyn Read + Send>, head: usize) -> io::Result<Self> {
        let mut bytes = Vec::new();
        rest.by_ref().take(head as u64).read_to_end(&mut bytes)?;
        Ok(Self { head: bytes, read: 0, rest })
    }

    /// The first bytes that are not read yet.
    pub fn head(&self) -> &[u8] {
        &self.head[self.read..]
    }
}

impl Read for Peek {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.head.len() {
            return self.rest.read(buffer);
        }
        let count = self.head().read(buffer)?;
        self.read += count;
        Ok(count)
    }
}
