//! Any log, as bytes. If the first byte is a 1, the rest is a log whose checksums, and the count and digest in `end`,
//! are corrected first.

use std::io::{self, Read};

use abi::wire::record::End;
use abi::wire::{Envelope, Record, StreamDigest, decode, encode};
use evidence::gate::{Gate, HostEvidence, RunExpectation};
use evidence::transcript::{Boot, Boots, Transcript};

use crate::small::small;
use crate::targets::record::sealed;

pub(crate) fn check(data: &[u8]) {
    match data.split_first() {
        Some((1, rest)) => any_log(&put_right(rest)),
        _ => any_log(data),
    }
}

/// The log, with each line that can be a record made one.
fn put_right(log: &[u8]) -> Vec<u8> {
    let mut digest = StreamDigest::default();
    let mut right = Vec::new();
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        let text = line.trim_ascii_end();
        let body = text.windows(5).rposition(|it| it == b" crc=").map_or(text, |at| &text[..at]);
        let Ok(mut envelope) = decode(&sealed(body)) else {
            right.extend(line);
            continue;
        };
        if let Record::End(End { status, .. }) = envelope.record {
            let end = End { records: envelope.seq, status, digest: digest.digest() };
            envelope = Envelope { record: end.into(), ..envelope };
        }
        let sealed = encode(&envelope);
        digest.add(sealed.as_bytes());
        right.extend([sealed.as_bytes(), &line[text.len()..]].concat());
    }
    right
}

fn any_log(data: &[u8]) {
    let read = Transcript::read(data);
    let lines: Vec<&[u8]> = data.split_inclusive(|&byte| byte == b'\n').collect();
    assert_eq!((read.extent.bytes, read.extent.lines), (data.len() as u64, lines.len() as u64));
    assert!(read.extent.binary_bytes <= read.extent.bytes);
    assert_eq!(read.is_tagged(), !read.boots.is_empty());
    same_in_pieces(data, &read);
    let mut texts = read.preamble.clone();
    for boot in &read.boots {
        texts.extend(boot.console.iter().cloned());
        whole_or_says_why_not(boot, &lines);
    }
    assert!(
        texts.windows(2).all(|pair| pair[0].line < pair[1].line),
        "text in its order, a part of a line once"
    );
    for text in texts {
        let line = lines[index(text.line)];
        let is_part = line.windows(text.bytes.len().max(1)).any(|part| *part == *text.bytes);
        assert!(is_part, "text of its own line");
    }
    judge(&read);
}

/// The boots are the same if the log arrives in small pieces.
fn same_in_pieces(data: &[u8], read: &Transcript) {
    let mut boots = Boots::of(Pieces { data, bytes: 1 + data.len() / 7 });
    let each: Vec<Boot> = boots.by_ref().map(|boot| boot.expect("memory can be read")).collect();
    assert_eq!((boots.extent(), each), (read.extent, read.boots.clone()));
}

/// A log that arrives in pieces.
struct Pieces<'a> {
    data: &'a [u8],
    bytes: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let bytes = self.bytes.min(to.len());
        self.data.read(&mut to[..bytes])
    }
}

fn index(line: u64) -> usize {
    usize::try_from(line).expect("a small log") - 1
}

fn whole_or_says_why_not(boot: &Boot, lines: &[&[u8]]) {
    for located in &boot.records {
        let line = lines[index(located.line)].trim_ascii_end();
        let record = encode(&located.envelope);
        assert!(line.ends_with(record.as_bytes()), "a record stands at the end of its line");
    }
    assert!(boot.records.windows(2).all(|pair| pair[0].line < pair[1].line));
    assert!(boot.defects.is_sorted_by_key(|defect| defect.line));
    assert!(boot.defects.iter().all(|defect| (1..=lines.len() as u64).contains(&defect.line)));
    assert!(boot.defects.iter().all(|defect| !defect.kind.to_string().is_empty()));
    if boot.defects.is_empty() {
        assert!(boot.records.iter().map(|located| located.envelope.seq).eq((0..).take(boot.records.len())));
    }
    assert!(!boot.records.is_empty() || !boot.defects.is_empty(), "a boot is more than text");
}

/// One verdict for the log, and one for each boot if there are several; none passes with a finding or a defect.
fn judge(read: &Transcript) {
    let expectation = RunExpectation::default();
    let one = Gate::new(small).judge(read, &expectation, &HostEvidence::default());
    let mut each = Vec::new();
    if read.boots.len() > 1 {
        each = Gate::new(small).judge_log(read, &expectation);
        assert_eq!(each.len(), read.boots.len());
    }
    for verdict in std::iter::once(&one).chain(&each) {
        assert!(!verdict.outcome.word().is_empty());
        assert_eq!(verdict.outcome.measurement().is_some(), verdict.findings.is_empty());
    }
    let clean = |boot: &Boot| boot.defects.is_empty() && boot.end().is_some();
    if one.outcome.measurement().is_some() {
        assert!(read.boots.len() == 1 && clean(&read.boots[0]));
    }
    for (boot, verdict) in read.boots.iter().zip(&each) {
        assert!(verdict.outcome.measurement().is_none() || clean(boot));
    }
}
