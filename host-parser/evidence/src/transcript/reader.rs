//! Collects lines into boots.

use std::collections::VecDeque;

use abi::wire::{Envelope, Record, StreamDigest, decode_by, is_tagged};

use super::known::Known;
use super::line::{Content, binary_bytes, content, trimmed};
use super::prefix::Prefix;
use super::sequence;
use super::{
    Boot, Defect, DefectKind, Extent, KEPT_TEXT_BYTES, KEPT_TEXT_LINES, LISTED_DEFECTS, Located, TextLine,
};

/// Of a line that is longer than twice this, only so many bytes at its beginning and at its end are read.
const HALF: usize = 64 << 10;

/// For how many records of a boot room is made at once.
const MOST_ROOM: usize = 1_024;

/// Reads a log in pieces.
#[derive(Default)]
pub(super) struct Reader {
    extent: Extent,
    /// The beginning of a line whose end was not read yet.
    cut: Vec<u8>,
    preamble: Vec<TextLine>,
    /// Boots that are complete.
    boots: VecDeque<Boot>,
    open: Option<Open>,
    /// How many records the last boot had, or the most that room is made for: the next one nearly always has as many.
    usual_records: usize,
    known: Known,
}

/// A boot that is still being read.
#[derive(Default)]
struct Open {
    records: Vec<Located>,
    /// The digest over the lines of its records, up to `end`.
    digest: StreamDigest,
    console: Vec<TextLine>,
    /// Defects of single lines; those of the sequence are found at the end.
    defects: Vec<Defect>,
    more_defects: u64,
    /// Lines with defects that explain a gap: of each run of lines between two records, one.
    broken: Vec<u64>,
    /// The nonce of its `start`.
    nonce: Option<u64>,
    /// What a collector put before its lines.
    prefix: Prefix,
}

impl Reader {
    /// How much was read so far.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// The text before the first record.
    pub fn take_preamble(&mut self) -> Vec<TextLine> {
        std::mem::take(&mut self.preamble)
    }

    /// The boots that were completed since the last call.
    pub fn take_boots(&mut self) -> VecDeque<Boot> {
        std::mem::take(&mut self.boots)
    }

    /// Reads the next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        self.extent.bytes += piece.len() as u64;
        let mut rest = piece;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, after) = (&rest[..at], &rest[at + 1..]);
            rest = after;
            if self.cut.is_empty() {
                self.line(line, true);
            } else {
                self.cut.extend_from_slice(line);
                let mut whole = std::mem::take(&mut self.cut);
                self.line(&whole, true);
                whole.clear();
                self.cut = whole;
            }
        }
        self.cut.extend_from_slice(rest);
        if self.cut.len() > 4 * HALF {
            let without = self.cut.drain(HALF..self.cut.len() - HALF);
            self.extent.binary_bytes += binary_bytes(without.as_slice());
        }
    }

    /// Ends the log.
    pub fn finish(&mut self) {
        let last = std::mem::take(&mut self.cut);
        if !last.is_empty() {
            self.line(&last, false);
        }
        self.close(None);
    }

    fn line(&mut self, bytes: &[u8], has_line_feed: bool) {
        if bytes.len() > 2 * HALF {
            let (begin, end) = (HALF, bytes.len() - HALF);
            self.extent.binary_bytes += binary_bytes(&bytes[begin..end]);
            return self.line(&[&bytes[..begin], &bytes[end..]].concat(), has_line_feed);
        }
        self.extent.lines += 1;
        let (number, bytes) = (self.extent.lines, trimmed(bytes));
        // Nearly every line is one whole record. No record can end in another one, because none has a field `seq`.
        let place = self.open.as_ref().map_or(0, |open| open.records.len());
        if let Ok(envelope) = &decode_by(bytes, |text| self.known.read(place, text)) {
            return self.record(number, envelope, bytes, &[]);
        }
        match content(bytes) {
            Content::Text => {
                self.extent.binary_bytes += binary_bytes(bytes);
                self.text(number, bytes);
            }
            Content::Record { envelope, bytes, before } => {
                // A record has none.
                self.extent.binary_bytes += binary_bytes(before);
                self.record(number, &envelope, bytes, before);
            }
            Content::Broken { error, version } => {
                self.extent.binary_bytes += binary_bytes(bytes);
                let kind = match version {
                    _ if !has_line_feed => DefectKind::CutShort,
                    Some(version) => DefectKind::Version(version),
                    None => DefectKind::Corrupt(error),
                };
                self.open.get_or_insert_default().defect(number, kind);
            }
        }
    }

    fn text(&mut self, line: u64, bytes: &[u8]) {
        let kept = self.open.as_mut().map_or(&mut self.preamble, |open| &mut open.console);
        if !bytes.is_empty() && kept.len() < KEPT_TEXT_LINES {
            kept.push(TextLine { line, bytes: bytes[..bytes.len().min(KEPT_TEXT_BYTES)].into() });
        }
    }

    fn record(&mut self, line: u64, envelope: &Envelope, bytes: &[u8], before: &[u8]) {
        let nonce = match envelope.record {
            Record::Start(start) => Some(start.nonce.0),
            _ => None,
        };
        // A `start` with the nonce of the current boot is a copy of the same line, not another boot.
        let begins = nonce.is_some() && self.open.as_ref().is_none_or(|open| open.nonce != nonce);
        if begins || self.open.is_none() {
            self.text(line, before);
        }
        if begins && self.open.as_ref().is_some_and(|open| !open.records.is_empty()) {
            self.close(Some(line));
        }
        let open = self.open.get_or_insert_with(|| Open {
            records: Vec::with_capacity(self.usual_records),
            ..Open::default()
        });
        let is_first = begins || open.records.is_empty();
        if is_first {
            open.prefix = Prefix::of(before);
        }
        if begins {
            open.nonce = nonce;
        }
        let is_prefix = open.prefix.is(before);
        if is_tagged(before) || !(before.is_empty() || begins || is_prefix) {
            open.defect(line, DefectKind::MidLine);
        }
        if !matches!(envelope.record, Record::End(_)) {
            open.digest.add(bytes);
        }
        open.records.push(Located { line, envelope: *envelope });
        if !is_first && !is_prefix {
            self.text(line, before);
        }
    }

    fn close(&mut self, next_boot: Option<u64>) {
        if let Some(open) = self.open.take() {
            let Open { records, digest, console, mut defects, more_defects, broken, .. } = open;
            self.usual_records = records.len().min(MOST_ROOM);
            let (records, found) = sequence::examine(records, &broken);
            defects.extend(found);
            if defects.is_empty() {
                defects.extend(sequence::check_end(&records, &digest));
            }
            defects.sort_by_key(|defect| defect.line);
            self.boots.push_back(Boot { records, console, defects, more_defects, next_boot });
        }
    }
}

impl Open {
    fn defect(&mut self, line: u64, kind: DefectKind) {
        let after = self.records.last().map_or(0, |located| located.line);
        if self.broken.last().is_none_or(|&last| last <= after) || kind == DefectKind::MidLine {
            self.broken.push(line);
        }
        // The last line may be the only one that shows that the log was cut.
        if self.defects.len() < LISTED_DEFECTS || kind == DefectKind::CutShort {
            self.defects.push(Defect { line, kind });
        } else {
            self.more_defects += 1;
        }
    }
}
