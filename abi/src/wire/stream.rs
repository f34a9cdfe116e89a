//! A whole stream of records: numbered without a gap; the last holds a digest of the others.

use super::record::{End, RunStatus};
use super::{Envelope, Line, Record, Timestamp, encode};
use crate::digest::{Digest, Hasher};

/// The digest of a stream: SHA-256 over the bytes of each line and one line feed, whatever the line ending on the wire.
#[derive(Clone, Default)]
pub struct StreamDigest(Hasher);

impl StreamDigest {
    /// Adds a line, without its line ending.
    pub fn add(&mut self, line: &[u8]) {
        self.0.update(line);
        self.0.update(b"\n");
    }

    /// The digest of the lines so far.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }
}

/// Writes a stream.
#[derive(Clone, Default)]
pub struct StreamWriter {
    next_seq: u32,
    digest: StreamDigest,
}

impl StreamWriter {
    /// The line for the next record.
    pub fn line(&mut self, ts: Timestamp, record: impl Into<Record>) -> Line {
        let line = encode(&Envelope { seq: self.next_seq, ts, record: record.into() });
        self.next_seq = self.next_seq.wrapping_add(1);
        self.digest.add(line.as_bytes());
        line
    }

    /// The last line, with the number of the records before it and their digest.
    pub fn end(&mut self, ts: Timestamp, status: RunStatus) -> Line {
        let end = End { records: self.next_seq, status, digest: self.digest.digest() };
        self.line(ts, end)
    }
}
