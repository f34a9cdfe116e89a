//! A VMM's command line, copied before the memory that holds it is reused.

/// More bytes than any configuration needs. A longer text is cut at its last blank before that.
pub const MAX_BYTES: usize = 1024;

/// The text, without the zero byte that ends it.
#[derive(Clone, Copy, Debug)]
pub struct CommandLine {
    bytes: [u8; MAX_BYTES],
    len: usize,
}

impl CommandLine {
    /// No text.
    pub const EMPTY: Self = Self { bytes: [0; MAX_BYTES], len: 0 };

    /// The text in `memory`, up to its first zero byte.
    #[must_use]
    pub fn copy(memory: &[u8]) -> Self {
        let mut this = Self::EMPTY;
        let end = memory.iter().position(|&byte| byte == 0).unwrap_or(memory.len());
        let text = &memory[..end];
        let kept = if text.len() > MAX_BYTES {
            // Half a word would be another word.
            text[..MAX_BYTES].iter().rposition(u8::is_ascii_whitespace).unwrap_or(0)
        } else {
            text.len()
        };
        this.bytes[..kept].copy_from_slice(&text[..kept]);
        this.len = kept;
        this
    }

    /// The text.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_at_the_zero_byte_or_with_the_memory() {
        assert_eq!(CommandLine::copy(b"serial=com2 after=reboot\0more").bytes(), b"serial=com2 after=reboot");
        assert_eq!(CommandLine::copy(b"display=off").bytes(), b"display=off");
        assert_eq!(CommandLine::copy(b"").bytes(), b"");
    }

    #[test]
    fn is_cut_between_words() {
        let text = "word ".repeat(1000);
        let line = CommandLine::copy(text.as_bytes());
        assert_eq!(line.bytes().len(), 1019);
        assert!(line.bytes().ends_with(b" word"));
        assert_eq!(CommandLine::copy(&[b'x'; 2000]).bytes(), b"");
        assert_eq!(CommandLine::copy(&[b'x'; MAX_BYTES]).bytes().len(), MAX_BYTES);
    }
}
