//! Reads a serial log: bytes to lines, lines to records, records to boots. Lists every defect on the way.
//!
//! Owns the reading of logs from anywhere: QEMU, a cloud's serial console, a terminal program. Judges nothing: it lists a
//! defect with its line, and the [gate](crate::gate) decides what that means for a result. Reads any bytes without a
//! panic, in linear time, and borrows the text that it keeps.

mod defect;
mod line;
mod reader;
mod sequence;

pub use defect::{Defect, DefectKind};

use abi::wire::record::{End, Start};
use abi::wire::{Envelope, Record};

/// A log after reading.
#[derive(Clone, Debug, Default)]
pub struct Transcript<'a> {
    /// The boots in the log, in order; more than one if the machine was reset or ran several times.
    pub boots: Vec<Boot<'a>>,
    /// The text before the first record, from firmware and loader; the whole text if there is no record.
    pub preamble: Vec<TextLine<'a>>,
    /// How many bytes the log has.
    pub bytes: u64,
    /// How many of them are neither printable ASCII nor a tab, a line ending or an escape.
    pub binary_bytes: u64,
    /// How many lines the log has; the last may lack its line feed.
    pub lines: u64,
}

/// What one boot printed.
#[derive(Clone, Debug, Default)]
pub struct Boot<'a> {
    /// Its records in the order of the log, each sequence number once.
    pub records: Vec<Located>,
    /// Its other text. It is kept but never parsed.
    pub console: Vec<TextLine<'a>>,
    /// The defects of its stream of records, by line.
    pub defects: Vec<Defect>,
}

/// A record and its line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Located {
    /// The line of the log, from 1.
    pub line: u64,
    /// The record in its envelope.
    pub envelope: Envelope,
}

/// A line that is not a record, or the part of a line before one. Empty lines are not kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TextLine<'a> {
    /// The line of the log, from 1.
    pub line: u64,
    /// Its bytes, without its line ending.
    pub bytes: &'a [u8],
}

impl<'a> Transcript<'a> {
    /// Reads a log.
    #[must_use]
    pub fn read(log: &'a [u8]) -> Self {
        reader::read(log)
    }

    /// Whether any line of the log has a record's tag, of any version.
    #[must_use]
    pub fn is_tagged(&self) -> bool {
        !self.boots.is_empty()
    }
}

impl Boot<'_> {
    /// The `start` record, if the boot has it.
    #[must_use]
    pub fn start(&self) -> Option<Start> {
        self.records.iter().find_map(|located| match located.envelope.record {
            Record::Start(start) => Some(start),
            _ => None,
        })
    }

    /// The `end` record, if the boot has it.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        self.records.iter().find_map(|located| match located.envelope.record {
            Record::End(end) => Some(end),
            _ => None,
        })
    }

    /// The line of its last record or broken record; 0 if it has none.
    #[must_use]
    pub fn last_line(&self) -> u64 {
        let record = self.records.last().map_or(0, |located| located.line);
        record.max(self.defects.last().map_or(0, |defect| defect.line))
    }
}

impl TextLine<'_> {
    /// The text, with all but printable ASCII escaped.
    #[must_use]
    pub fn text(&self) -> String {
        self.bytes.escape_ascii().to_string()
    }
}
