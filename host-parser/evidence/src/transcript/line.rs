//! Splits bytes into lines, and a line into a record, text, or a broken record.

use abi::wire::line::TAG;
use abi::wire::record::PROTOCOL;
use abi::wire::{Envelope, LineError, decode, is_tagged};

/// A line of a log.
#[derive(Clone, Copy)]
pub(super) struct RawLine<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// Its bytes, without its line ending.
    pub bytes: &'a [u8],
    /// Whether it has its line feed.
    pub whole: bool,
}

/// The lines of a log. A line ends in a line feed. Carriage returns before and after it belong to the ending, because some
/// consoles double them or swap the pair.
pub(super) fn lines(log: &[u8]) -> impl Iterator<Item = RawLine<'_>> {
    (1..).zip(log.split_inclusive(|&byte| byte == b'\n')).map(|(number, line)| {
        let whole = line.last() == Some(&b'\n');
        let mut bytes = line.strip_suffix(b"\n").unwrap_or(line);
        while let Some(rest) = bytes.strip_suffix(b"\r") {
            bytes = rest;
        }
        while let Some(rest) = bytes.strip_prefix(b"\r") {
            bytes = rest;
        }
        RawLine { number, bytes, whole }
    })
}

/// The content of a line.
pub(super) enum Content<'a> {
    /// It has no tag.
    Text,
    /// It ends in a whole record.
    Record {
        /// The record.
        envelope: Box<Envelope>,
        /// Its own bytes.
        bytes: &'a [u8],
        /// The bytes before it on the line.
        before: &'a [u8],
    },
    /// It has a tag but no whole record.
    Broken {
        /// Why.
        error: LineError,
        /// The protocol version of its tag, if it is another one.
        version: Option<u32>,
    },
}

/// The content of a line. The last tag is tried first: the bytes before it may be a record that lost its end together with
/// its line feed.
pub(super) fn content(line: &[u8]) -> Content<'_> {
    // Logs are large, so nearly every byte is read only once.
    let begins = |&at: &usize| line[at] == TAG_BEGINS && line.get(at..at + TAG_WINDOW).is_some_and(is_tagged);
    let Some(first) = (0..line.len()).find(begins) else { return Content::Text };
    let last = (first..line.len()).rfind(begins).unwrap_or(first);
    let record = |at: usize| decode(&line[at..]).map(|it| (Box::new(it), line.split_at(at)));
    // A line nearly always has one tag.
    let read = record(last).or_else(|error| if first < last { record(first) } else { Err(error) });
    match read {
        Ok((envelope, (before, bytes))) => Content::Record { envelope, bytes, before },
        Err(error) => {
            let version = version(&line[first..]).filter(|&version| version != u32::from(PROTOCOL));
            Content::Broken { error, version }
        }
    }
}

/// How many bytes [`is_tagged`] needs to find a tag.
const TAG_WINDOW: usize = 8;

/// The first of them.
const TAG_BEGINS: u8 = TAG.as_bytes()[0];

/// The version in the tag that `line` begins with.
fn version(line: &[u8]) -> Option<u32> {
    let digits = line.strip_prefix(b"ASSAY")?;
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    core::str::from_utf8(&digits[..len]).ok()?.parse().ok()
}

/// Whether a byte is none that a console prints: printable ASCII, a tab, a line ending or an escape.
pub(super) fn is_binary(byte: u8) -> bool {
    BINARY[usize::from(byte)]
}

/// [`is_binary`] for every byte, as a table: a log has millions of bytes.
const BINARY: [bool; 256] = {
    let mut binary = [true; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        binary[byte as usize] = false;
        byte += 1;
    }
    let mut plain: &[u8] = b"\t\n\r\x0c\x1b";
    while let [byte, rest @ ..] = plain {
        binary[*byte as usize] = false;
        plain = rest;
    }
    binary
};
