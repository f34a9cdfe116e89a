//! Splits bytes into lines, and a line into a record, text, or a broken record.

use abi::wire::line::TAG;
use abi::wire::record::PROTOCOL;
use abi::wire::{Envelope, LineError, decode, is_tagged};

/// A line without its ending. A line ends in a line feed; carriage returns before and after it belong to the ending,
/// because some consoles double them or swap the pair.
pub(super) fn trimmed(line: &[u8]) -> &[u8] {
    let mut bytes = line;
    while let Some(rest) = bytes.strip_suffix(b"\r") {
        bytes = rest;
    }
    while let Some(rest) = bytes.strip_prefix(b"\r") {
        bytes = rest;
    }
    bytes
}

/// The content of a line.
pub(super) enum Content<'a> {
    /// It has no tag.
    Text,
    /// It ends in a whole record.
    Record {
        /// The record.
        envelope: Envelope,
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

/// The content of a line that is not one whole record. The last tag is tried first: the bytes before it may be a
/// record that lost its end together with its line feed.
#[cold]
pub(super) fn content(line: &[u8]) -> Content<'_> {
    let begins = |&at: &usize| line.get(at..at + TAG_WINDOW).is_some_and(is_tagged);
    let Some(first) = memchr::memchr_iter(TAG_BEGINS, line).find(begins) else { return Content::Text };
    let last = memchr::memrchr_iter(TAG_BEGINS, &line[first..]).map(|at| first + at).find(begins);
    let last = last.unwrap_or(first);
    let record = |at: usize| decode(&line[at..]).map(|it| (it, line.split_at(at)));
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

/// How many bytes a console does not print: all but printable ASCII, a tab, a line ending or an escape.
pub(super) fn binary_bytes(bytes: &[u8]) -> u64 {
    // In pieces whose count fits into a byte, so that the compiler counts many at once.
    bytes
        .chunks(255)
        .map(|piece| u64::from(piece.iter().map(|&byte| u8::from(is_binary(byte))).sum::<u8>()))
        .sum()
}

const fn is_binary(byte: u8) -> bool {
    let printed = byte >= b' ' && byte <= b'~';
    let plain = (byte == b'\t') | (byte == b'\n') | (byte == b'\r') | (byte == 0x0c) | (byte == 0x1b);
    !(printed | plain)
}
