//! Reads a serial log: bytes to lines, lines to records, records to boots. Lists every defect on the way.
//!
//! Owns the reading of logs from anywhere: QEMU, a cloud's serial console, a terminal program. Judges nothing: it lists a
//! defect with its line, and the [gate](crate::gate) decides what that means for a result. Reads any bytes without a
//! panic, in linear time. [`Boots`] reads piece by piece and keeps one boot at a time: its records, and a bounded number
//! of defects and lines of text. [`Transcript`] keeps all boots.

mod boots;
mod defect;
mod known;
mod line;
mod prefix;
mod reader;
mod sequence;

pub use boots::Boots;
pub use defect::{Defect, DefectKind};

use abi::wire::record::{Challenge, End, Start};
use abi::wire::{Envelope, Record};

/// How many broken lines of a boot are listed. Further ones are counted.
pub const LISTED_DEFECTS: usize = 1_000;

/// How many lines of a boot's text are kept, each at most [`KEPT_TEXT_BYTES`] long. Further ones are dropped.
pub const KEPT_TEXT_LINES: usize = 1_000;

/// How many bytes of a line of text are kept.
pub const KEPT_TEXT_BYTES: usize = 1_000;

/// A log after reading.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// The boots in the log, in order; more than one if the machine was reset or ran several times.
    pub boots: Vec<Boot>,
    /// The text before the first record, from firmware and loader; the whole text if there is no record.
    pub preamble: Vec<TextLine>,
    /// How much was read.
    pub extent: Extent,
}

/// How much there is of a log.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Extent {
    /// Its bytes.
    pub bytes: u64,
    /// How many of them are neither printable ASCII nor a tab, a line ending or an escape.
    pub binary_bytes: u64,
    /// Its lines; the last may lack its line feed.
    pub lines: u64,
}

/// What one boot printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Boot {
    /// Its records in the order of the log, each sequence number once.
    pub records: Vec<Located>,
    /// Its other text, of which at most [`KEPT_TEXT_LINES`] lines are kept. It is never parsed.
    pub console: Vec<TextLine>,
    /// The defects of its stream of records, by line: the first [`LISTED_DEFECTS`] broken lines, and all of the sequence.
    pub defects: Vec<Defect>,
    /// How many broken lines there are besides those listed.
    pub more_defects: u64,
    /// The line at which another boot begins.
    pub next_boot: Option<u64>,
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
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TextLine {
    /// The line of the log, from 1.
    pub line: u64,
    /// Its bytes, without its line ending, at most [`KEPT_TEXT_BYTES`].
    pub bytes: Box<[u8]>,
}

impl Transcript {
    /// Reads a log.
    #[must_use]
    pub fn read(log: &[u8]) -> Self {
        let mut reader = reader::Reader::default();
        reader.feed(log);
        reader.finish();
        Self { extent: reader.extent(), preamble: reader.take_preamble(), boots: reader.take_boots().into() }
    }

    /// Whether any line of the log has a record's tag, of any version.
    #[must_use]
    pub fn is_tagged(&self) -> bool {
        !self.boots.is_empty()
    }
}

impl Boot {
    /// The `start` record, if the boot has it.
    #[must_use]
    pub fn start(&self) -> Option<Start> {
        self.records.iter().find_map(|located| match located.envelope.record {
            Record::Start(start) => Some(start),
            _ => None,
        })
    }

    /// The `challenge` record, if the boot has it.
    #[must_use]
    pub fn challenge(&self) -> Option<Challenge> {
        self.records.iter().find_map(|located| match located.envelope.record {
            Record::Challenge(challenge) => Some(challenge),
            _ => None,
        })
    }

    /// The `end` record, if the boot has it.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        // Nearly always the last record.
        self.records.iter().rev().find_map(|located| match located.envelope.record {
            Record::End(end) => Some(end),
            _ => None,
        })
    }

    /// About how many bytes of memory it takes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let text: usize = self.console.iter().map(|line| size_of::<TextLine>() + line.bytes.len()).sum();
        size_of::<Self>() + text + size_of_val(&*self.records) + size_of_val(&*self.defects)
    }

    /// The line of its last record or broken record; 0 if it has none.
    #[must_use]
    pub fn last_line(&self) -> u64 {
        let record = self.records.last().map_or(0, |located| located.line);
        record.max(self.defects.last().map_or(0, |defect| defect.line))
    }
}

impl TextLine {
    /// The text, with all but printable ASCII escaped.
    #[must_use]
    pub fn text(&self) -> String {
        self.bytes.escape_ascii().to_string()
    }
}
