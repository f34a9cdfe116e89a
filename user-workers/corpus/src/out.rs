//! Output that ends silently once it is full: the last word of a piece is cut off.

use crate::words::bits;

/// A buffer that is filled from the front.
pub struct Out<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Out<'a> {
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn is_full(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub fn byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.at) {
            *place = byte;
            self.at += 1;
        }
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.byte(byte);
        }
    }

    /// The digits of a number.
    pub fn decimal(&mut self, number: u64) {
        let mut digits = [0; 20];
        let (mut at, mut rest) = (digits.len(), number);
        loop {
            at -= 1;
            // Below 10.
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                return self.bytes(&digits[at..]);
            }
        }
    }

    /// The twelve low hexadecimal digits of a number, the lowest first.
    pub fn identifier(&mut self, number: u64) {
        for nibble in 0..12 {
            self.byte(b"0123456789abcdef"[bits(number >> (4 * nibble), 15)]);
        }
    }
}
