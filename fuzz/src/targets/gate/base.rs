//! The good logs that are changed: golden transcripts.

use std::sync::LazyLock;

use abi::wire::record::{End, Sweep};
use abi::wire::{Envelope, Record, StreamDigest, decode, encode};

use crate::golden;

/// A log of a guest that did everything right.
pub(crate) struct Base {
    pub records: Vec<Envelope>,
    /// The log's lines, without their endings.
    pub lines: Vec<Vec<u8>>,
}

/// Two, one and four CPUs; several cases in one boot; and a sweep with SMT. Inputs name them by their index.
pub(crate) static BASES: LazyLock<Vec<Base>> = LazyLock::new(|| {
    let logs = [
        (golden::TWO_CPUS, 1),
        (golden::ONE_CPU, 1),
        (golden::FOUR_CPUS, 1),
        // Of two iterations one may be disturbed, and the run still passes.
        (golden::CASES_ON_TWO_CPUS, 2),
        (golden::SMT_SWEEP, 1),
    ];
    logs.map(|(log, iterations)| base(log, iterations)).into()
});

/// The log with only its first iterations: the fuzzer reads it a million times.
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

/// Which iteration a record belongs to; 0 if to none.
fn iteration(record: &Record) -> u16 {
    match record {
        Record::CaseReady(record) => record.iter,
        Record::CaseBegin(record) => record.iter,
        Record::Worker(record) => record.iter,
        Record::Answer(record) => record.iter,
        Record::WorkerEnd(record) => record.iter,
        Record::CaseEnd(record) => record.iter,
        Record::Gap(record) => record.iter,
        Record::Region(record) => record.iter,
        Record::Mark(record) => record.iter,
        Record::Conditions(record) => record.iter,
        Record::Counters(record) => record.iter,
        Record::Interrupts(record) => record.iter,
        Record::InterruptVector(record) => record.iter,
        _ => 0,
    }
}

/// Numbers the records as one boot's and corrects `end`. Returns their lines.
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
