//! Good logs to begin with: golden transcripts, so that both follow the rules together.

use std::sync::LazyLock;

use abi::wire::record::{End, Sweep};
use abi::wire::{Envelope, Record, StreamDigest, decode, encode};

/// A log of a guest that did everything right.
pub(crate) struct Base {
    pub records: Vec<Envelope>,
    /// The log's lines, without their endings.
    pub lines: Vec<Vec<u8>>,
}

/// One, two and four CPUs; cases in one boot, and a sweep with SMT.
pub(crate) static BASES: LazyLock<Vec<Base>> = LazyLock::new(|| {
    let logs = [
        (include_str!("../../../../evidence/tests/transcripts/good-2.log"), 1),
        (include_str!("../../../../evidence/tests/transcripts/good-1.log"), 1),
        (include_str!("../../../../evidence/tests/transcripts/good-4.log"), 1),
        // With two iterations one may be disturbed, and that is not too much.
        (include_str!("../../../../evidence/tests/transcripts/good-sweep-on-two.log"), 2),
        (include_str!("../../../../evidence/tests/transcripts/good-sweep-smt.log"), 1),
    ];
    logs.map(|(log, iterations)| base(log, iterations)).into()
});

/// The log with so many of its iterations: all of them would be read a million times.
fn base(log: &str, iterations: u16) -> Base {
    let mut records: Vec<_> = log.lines().filter_map(|line| decode(line.as_bytes()).ok()).collect();
    if records.iter().all(|envelope| iteration(&envelope.record) < iterations) {
        return Base { records, lines: log.lines().map(|line| line.as_bytes().to_vec()).collect() };
    }
    records.retain(|envelope| iteration(&envelope.record) < iterations);
    for envelope in &mut records {
        if let Record::Sweep(sweep) = envelope.record {
            envelope.record = Sweep { iterations, ..sweep }.into();
        }
    }
    let lines = sealed(&mut records);
    Base { records, lines }
}

/// Which iteration a record is of; 0 for those of none.
fn iteration(record: &Record) -> u16 {
    match record {
        Record::CaseReady(record) => record.iter,
        Record::CaseBegin(record) => record.iter,
        Record::Worker(record) => record.iter,
        Record::Answer(record) => record.iter,
        Record::WorkerEnd(record) => record.iter,
        Record::CaseEnd(record) => record.iter,
        Record::Gap(record) => record.iter,
        _ => 0,
    }
}

/// Numbers the records as those of one boot and makes `end` true; their lines.
pub(super) fn sealed(records: &mut [Envelope]) -> Vec<Vec<u8>> {
    let mut digest = StreamDigest::default();
    let sealed = (0..).zip(records).map(|(seq, envelope)| {
        envelope.seq = seq;
        if let Record::End(End { status, .. }) = envelope.record {
            envelope.record = End { records: seq, status, digest: digest.digest() }.into();
        }
        let line = encode(envelope);
        digest.add(line.as_bytes());
        line.as_bytes().to_vec()
    });
    sealed.collect()
}
