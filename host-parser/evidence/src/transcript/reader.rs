//! Collects lines into boots.

use abi::wire::{Envelope, Record, StreamDigest, is_tagged};

use super::line::{Content, RawLine, content, is_binary, lines};
use super::sequence;
use super::{Boot, Defect, DefectKind, Located, TextLine, Transcript};

/// Reads a log.
pub(super) fn read(log: &[u8]) -> Transcript<'_> {
    let mut transcript = Transcript {
        bytes: log.len() as u64,
        binary_bytes: log.iter().filter(|&&byte| is_binary(byte)).count() as u64,
        ..Transcript::default()
    };
    let mut reader = Reader::default();
    for line in lines(log) {
        transcript.lines = line.number;
        match content(line.bytes) {
            Content::Text => reader.text(line.number, line.bytes),
            Content::Record { envelope, bytes, before } => {
                reader.record(line.number, *envelope, bytes, before);
            }
            Content::Broken { error, version } => {
                let kind = match version {
                    _ if !line.whole => DefectKind::CutShort,
                    Some(version) => DefectKind::Version(version),
                    None => DefectKind::Corrupt(error),
                };
                reader.broken(line, kind);
            }
        }
    }
    reader.finish(&mut transcript);
    transcript
}

/// A boot that is still being read.
#[derive(Default)]
struct Open<'a> {
    records: Vec<Located>,
    /// The digest over the lines of its records, up to `end`.
    digest: StreamDigest,
    console: Vec<TextLine<'a>>,
    /// Defects of single lines; those of the sequence are found at the end.
    defects: Vec<Defect>,
    /// The nonce of its `start`.
    nonce: Option<u64>,
}

#[derive(Default)]
struct Reader<'a> {
    preamble: Vec<TextLine<'a>>,
    boots: Vec<Boot<'a>>,
    open: Option<Open<'a>>,
}

impl<'a> Reader<'a> {
    fn text(&mut self, line: u64, bytes: &'a [u8]) {
        if !bytes.is_empty() {
            let console = self.open.as_mut().map_or(&mut self.preamble, |open| &mut open.console);
            console.push(TextLine { line, bytes });
        }
    }

    fn broken(&mut self, line: RawLine<'a>, kind: DefectKind) {
        let open = self.open.get_or_insert_default();
        open.defects.push(Defect { line: line.number, kind });
    }

    fn record(&mut self, line: u64, envelope: Envelope, bytes: &[u8], before: &'a [u8]) {
        self.text(line, before);
        let nonce = match envelope.record {
            Record::Start(start) => Some(start.nonce.0),
            _ => None,
        };
        // A `start` with the nonce of the current boot is a copy of the same line, not another boot.
        let begins = nonce.is_some() && self.open.as_ref().is_none_or(|open| open.nonce != nonce);
        if begins && self.open.as_ref().is_some_and(|open| !open.records.is_empty()) {
            self.close();
        }
        let open = self.open.get_or_insert_default();
        if begins {
            open.nonce = nonce;
        }
        if is_tagged(before) || !(before.is_empty() || begins) {
            open.defects.push(Defect { line, kind: DefectKind::MidLine });
        }
        if !matches!(envelope.record, Record::End(_)) {
            open.digest.add(bytes);
        }
        open.records.push(Located { line, envelope });
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            let Open { records, digest, console, mut defects, .. } = open;
            let (records, found) = sequence::examine(records, &defects);
            defects.extend(found);
            if defects.is_empty() {
                defects.extend(sequence::check_end(&records, &digest));
            }
            defects.sort_by_key(|defect| defect.line);
            self.boots.push(Boot { records, console, defects });
        }
    }

    fn finish(mut self, transcript: &mut Transcript<'a>) {
        self.close();
        transcript.preamble = self.preamble;
        transcript.boots = self.boots;
    }
}
