//! Cuts a stream of bytes into lines, in bounded memory.

/// Holds the unfinished line between chunks.
#[derive(Debug)]
pub(crate) struct Lines {
    partial: Vec<u8>,
    limit_bytes: usize,
}

impl Lines {
    /// Lines longer than the limit come in pieces of that size.
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { partial: Vec::new(), limit_bytes }
    }

    /// Takes the next bytes and hands over every line they complete, without its `\n` or `\r\n`.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(&[u8])) {
        while !bytes.is_empty() {
            let room = &bytes[..bytes.len().min(self.limit_bytes - self.partial.len())];
            let (taken, complete) = match room.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end + 1, true),
                None => (room.len(), self.partial.len() + room.len() == self.limit_bytes),
            };
            self.partial.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if complete {
                self.finish(each);
            }
        }
    }

    /// Whether a line has begun and not ended.
    pub(crate) const fn is_within_line(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Hands over what is left when the stream ends: a line that was cut off.
    pub(crate) fn finish(&mut self, each: &mut dyn FnMut(&[u8])) {
        if self.partial.is_empty() {
            return;
        }
        let line = self.partial.strip_suffix(b"\n").unwrap_or(&self.partial);
        each(line.strip_suffix(b"\r").unwrap_or(line));
        self.partial.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(limit_bytes: usize, chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::new(limit_bytes);
        let mut seen = Vec::new();
        let mut each = |line: &[u8]| seen.push(String::from_utf8_lossy(line).into_owned());
        chunks.iter().for_each(|chunk| lines.feed(chunk, &mut each));
        lines.finish(&mut each);
        seen
    }

    #[test]
    fn joins_lines_across_chunks() {
        assert_eq!(cut(80, &[b"on", b"e\r", b"\ntwo\n\nth", b"ree"]), ["one", "two", "", "three"]);
    }

    #[test]
    fn gives_nothing_for_nothing() {
        assert_eq!(cut(80, &[b"", b""]), Vec::<String>::new());
    }

    #[test]
    fn cuts_a_line_that_is_too_long() {
        assert_eq!(cut(4, &[b"abcdefghij\nk"]), ["abcd", "efgh", "ij", "k"]);
    }
}
