//! A good log taken apart, so that it can be changed and put together again.

use abi::wire::record::{End, RunStatus};
use abi::wire::{Envelope, Record, StreamDigest, Timestamp, decode, encode, is_tagged};

/// A log: text before the records, the records, text after them.
#[derive(Clone)]
pub struct Script {
    before: Vec<u8>,
    /// The records, in order; numbers and `end` are made anew by [`Script::seal`].
    pub records: Vec<Envelope>,
    after: Vec<u8>,
}

impl Script {
    /// Takes apart a log whose records are all good.
    pub fn of(log: &[u8]) -> Self {
        let mut script = Self { before: Vec::new(), records: Vec::new(), after: Vec::new() };
        for line in log.split_inclusive(|&byte| byte == b'\n') {
            if is_tagged(line) {
                script.records.push(decode(line.trim_ascii_end()).expect("a good log"));
            } else if script.records.is_empty() {
                script.before.extend_from_slice(line);
            } else {
                script.after.extend_from_slice(line);
            }
        }
        script
    }

    /// Changes records in place.
    pub fn edit(mut self, mut change: impl FnMut(&mut Record)) -> Self {
        self.records.iter_mut().for_each(|envelope| change(&mut envelope.record));
        self
    }

    /// Leaves out the records for which `gone` holds.
    pub fn without(mut self, mut gone: impl FnMut(&Record) -> bool) -> Self {
        self.records.retain(|envelope| !gone(&envelope.record));
        self
    }

    /// Puts `record` before the first one for which `here` holds.
    pub fn insert_before(mut self, record: impl Into<Record>, here: impl Fn(&Record) -> bool) -> Self {
        let at = self.place(here);
        let ts = self.records[at].ts;
        self.records.insert(at, Envelope { seq: 0, ts, record: record.into() });
        self
    }

    /// Puts the stamps from the first record on for which `here` holds so many microseconds later, or earlier.
    pub fn later(mut self, micros: i64, here: impl Fn(&Record) -> bool) -> Self {
        let at = self.place(here);
        for envelope in &mut self.records[at..] {
            let moved = envelope.ts.micros().map(|at| at.saturating_add_signed(micros));
            envelope.ts = moved.map_or(Timestamp::UNKNOWN, Timestamp::from_micros);
        }
        self
    }

    /// Ends the log before the first record for which `here` holds, with no text after it.
    pub fn until(mut self, here: impl Fn(&Record) -> bool) -> Self {
        let at = self.place(here);
        self.records.truncate(at);
        self.after.clear();
        self
    }

    /// Where the first record is for which `here` holds.
    pub fn place(&self, here: impl Fn(&Record) -> bool) -> usize {
        self.records.iter().position(|envelope| here(&envelope.record)).expect("the log has such a record")
    }

    /// Numbers the records and makes `end` true. Each element is one line without its ending.
    pub fn seal(mut self) -> Lines {
        let mut digest = StreamDigest::default();
        let mut lines = Vec::new();
        for (seq, envelope) in (0..).zip(&mut self.records) {
            envelope.seq = seq;
            if let Record::End(End { status, .. }) = envelope.record {
                envelope.record = End { records: seq, status, digest: digest.digest() }.into();
            }
            let line = encode(envelope);
            digest.add(line.as_bytes());
            lines.push(line.as_bytes().to_vec());
        }
        Lines { before: self.before, lines, after: self.after }
    }

    /// Numbers the records, makes `end` true, and gives the log.
    pub fn log(self) -> Vec<u8> {
        self.seal().log()
    }

    /// The same with another status in `end`.
    pub fn status(self, status: RunStatus) -> Self {
        self.edit(|record| {
            if let Record::End(end) = record {
                end.status = status;
            }
        })
    }
}

/// A sealed log, whose lines can be harmed.
pub struct Lines {
    before: Vec<u8>,
    /// The lines of records, without their endings.
    pub lines: Vec<Vec<u8>>,
    after: Vec<u8>,
}

impl Lines {
    /// The log as it comes off the wire.
    pub fn log(&self) -> Vec<u8> {
        let mut log = self.before.clone();
        for line in &self.lines {
            log.extend_from_slice(line);
            log.extend_from_slice(b"\r\n");
        }
        log.extend_from_slice(&self.after);
        log
    }
}
