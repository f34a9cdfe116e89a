//! Logs in UTF-16, as PowerShell's `>` writes them.

use std::io::{self, Read};

use crate::Form;
use crate::peek::Peek;

/// By its byte order mark, or by a tag in either order: a log that was cut has no mark.
pub(crate) fn form(head: &[u8]) -> Option<Form> {
    let marked = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    (marked || tagged(head, false) || tagged(head, true)).then_some(Form::Utf16)
}

fn tagged(head: &[u8], big_endian: bool) -> bool {
    let unit = |byte: u8| if big_endian { [0, byte] } else { [byte, 0] };
    let tag: Vec<u8> = b"ASSAY".iter().copied().flat_map(unit).collect();
    // In the other order the same bytes are there, one further.
    memchr::memmem::find_iter(head, &tag).any(|at| at % 2 == 0)
}

/// The order of the bytes.
pub(crate) struct Utf16 {
    big_endian: bool,
}

impl Utf16 {
    /// Reads the mark, if there is one.
    pub fn new(log: &mut Peek) -> io::Result<Self> {
        let big_endian =
            log.head().starts_with(&[0xfe, 0xff]) || tagged(log.head(), true) && !tagged(log.head(), false);
        let mark = [[0xff, 0xfe], [0xfe, 0xff]].iter().any(|mark| log.head().starts_with(mark));
        if mark {
            log.read_exact(&mut [0; 2])?;
        }
        Ok(Self { big_endian })
    }

    /// The log in UTF-8.
    pub fn over(self, log: Peek) -> Decoder {
        Decoder { log, big_endian: self.big_endian, kept: Vec::new(), ready: Vec::new(), read: 0 }
    }
}

/// A log in UTF-8. Half a character, or a surrogate without its other, becomes U+FFFD.
pub(crate) struct Decoder {
    log: Peek,
    big_endian: bool,
    /// Bytes that are less than a character so far.
    kept: Vec<u8>,
    ready: Vec<u8>,
    read: usize,
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.ready.len() {
            let mut piece = [0; 16 << 10];
            let count = self.log.read(&mut piece)?;
            self.kept.extend_from_slice(&piece[..count]);
            if count == 0 && self.kept.is_empty() {
                return Ok(0);
            }
            self.decode(count == 0);
        }
        let count = (&self.ready[self.read..]).read(buffer)?;
        self.read += count;
        Ok(count)
    }
}

impl Decoder {
    /// Decodes what is whole of what was kept; at the end, everything.
    fn decode(&mut self, at_end: bool) {
        let unit = |pair: &[u8]| {
            let pair = [pair[0], pair[1]];
            if self.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
        };
        let mut units: Vec<u16> = self.kept.chunks_exact(2).map(unit).collect();
        let half_pair = units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) && !at_end;
        if half_pair {
            units.pop();
        }
        let mut text: String = char::decode_utf16(units.iter().copied())
            .map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        let used = if at_end { self.kept.len() } else { 2 * units.len() };
        if at_end && self.kept.len() % 2 == 1 {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        self.kept.drain(..used);
        self.ready = text.into_bytes();
        self.read = 0;
    }
}
