//! A good log as records, so that a test can change them and make a log again.

use std::collections::HashMap;

use abi::watch::WATCH_US;
use abi::wire::record::{End, RunStatus};
use abi::wire::{Envelope, Record, StreamDigest, Timestamp, decode, encode, is_tagged};

/// A log: text before the records, the records, text after them.
#[derive(Clone)]
pub struct Script {
    before: Vec<u8>,
    /// The records, in order; [`Script::seal`] makes new numbers and a new `end`.
    pub records: Vec<Envelope>,
    after: Vec<u8>,
}

impl Script {
    /// Splits a log into records. All of them must be valid.
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

    /// Makes the watches over the workers' calls fit the times that `region` says.
    pub fn watched(self, khz: u64) -> Self {
        let period = WATCH_US * khz / 1_000;
        let mut took = HashMap::new();
        self.edit(|record| match record {
            Record::Region(is) => {
                took.insert((is.case, is.iter, is.worker), is.entered + is.returned);
            }
            Record::Conditions(is) => {
                let Some(took) = took.get(&(is.case, is.iter, is.worker)) else { return };
                let watches = u32::try_from(took / period).expect("not for ever");
                (is.watches, is.late) = (Some(watches), Some(if watches == 0 { 0 } else { 21_000 }));
            }
            _ => {}
        })
    }

    /// Removes the records for which `gone` is true.
    pub fn without(mut self, mut gone: impl FnMut(&Record) -> bool) -> Self {
        self.records.retain(|envelope| !gone(&envelope.record));
        self
    }

    /// Inserts `record` before the first record for which `here` is true.
    pub fn insert_before(mut self, record: impl Into<Record>, here: impl Fn(&Record) -> bool) -> Self {
        let at = self.place(here);
        let ts = self.records[at].ts;
        self.records.insert(at, Envelope { seq: 0, ts, record: record.into() });
        self
    }

    /// Moves the time stamps by this many microseconds, from the first record on for which `here` is true.
    pub fn later(mut self, micros: i64, here: impl Fn(&Record) -> bool) -> Self {
        let at = self.place(here);
        for envelope in &mut self.records[at..] {
            let moved = envelope.ts.micros().map(|at| at.saturating_add_signed(micros));
            envelope.ts = moved.map_or(Timestamp::UNKNOWN, Timestamp::from_micros);
        }
        self
    }

    /// Ends the log before the first record for which `here` is true, with no text after it.
    pub fn until(mut self, here: impl Fn(&Record) -> bool) -> Self {
        let at = self.place(here);
        self.records.truncate(at);
        self.after.clear();
        self
    }

    /// The index of the first record for which `here` is true.
    pub fn place(&self, here: impl Fn(&Record) -> bool) -> usize {
        self.records.iter().position(|envelope| here(&envelope.record)).expect("the log has such a record")
    }

    /// Numbers the records and corrects `end`. Each element is one line without its ending.
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

    /// Numbers the records, corrects `end`, and returns the log.
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

/// A sealed log, whose lines a test can damage.
pub struct Lines {
    before: Vec<u8>,
    /// The lines of records, without their endings.
    pub lines: Vec<Vec<u8>>,
    after: Vec<u8>,
}

impl Lines {
    /// The log as it arrives from the serial line.
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
