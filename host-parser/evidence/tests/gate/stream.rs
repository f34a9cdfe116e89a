//! Damaged logs: lines are lost, repeated, torn, moved or changed.

use abi::exit::GuestExit;
use abi::wire::record::Panic;
use abi::wire::{Hex64, LineError, Record, Text, decode, encode};
use abi::{CpuId, Digest};
use evidence::gate::{Ended, HostEvidence, ReasonCode};

use super::{Guest, Trial, script};
use test_support::script::Lines;

/// The number of the line with the first `worker` record.
fn worker_line() -> usize {
    script(2).place(|record| matches!(record, Record::Worker(_)))
}

/// The log of two CPUs with its lines damaged.
fn damaged(damage: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut sealed: Lines = script(2).seal();
    damage(&mut sealed.lines);
    sealed.log()
}

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::new("not-assay-empty", ReasonCode::NotAssay, Vec::new()),
        Trial::new("not-assay-binary", ReasonCode::NotAssay, binary()),
        Trial::new("not-assay-linux", ReasonCode::NotAssay, LINUX.to_vec()),
        Trial::new("protocol-version-tag", ReasonCode::ProtocolVersion, other_tag()),
        Trial::new("protocol-version-start", ReasonCode::ProtocolVersion, other_start()),
        Trial::new("nonce-reused", ReasonCode::NonceReused, script(2).log()).after(script(2).log()),
        Trial::new("readings-repeated", ReasonCode::ReadingsRepeated, renamed()).after(script(2).log()),
        Trial::new("end-digest", ReasonCode::EndDigest, forged()),
        Trial::new("end-count", ReasonCode::EndDigest, miscounted()),
    ];
    trials.extend(corrupt());
    trials.extend(out_of_place());
    trials.extend(cut());
    trials.extend(boots());
    trials
}

/// The same boot under another nonce.
fn renamed() -> Vec<u8> {
    let renamed = script(2).edit(|record| {
        if let Record::Start(start) = record {
            start.nonce = Hex64(7);
        }
    });
    renamed.log()
}

fn corrupt() -> Vec<Trial> {
    let at = worker_line();
    let flipped = damaged(|lines| lines[at][30] ^= 1);
    // The end of one line, its line feed and the beginning of the next line are lost.
    let torn = damaged(|lines| {
        let next = lines.remove(at + 1);
        lines[at].truncate(60);
        lines[at].extend_from_slice(&next[40..]);
    });
    // The end of one line is lost with its line feed: the second of the two records is whole.
    let joined = damaged(|lines| {
        let next = lines.remove(at + 1);
        lines[at].truncate(60);
        lines[at].extend_from_slice(&next);
    });
    let broken_into = damaged(|lines| {
        lines[at].splice(50..50, *b"\r\n[    1.0] some other console\r\n");
    });
    let mid_line = damaged(|lines| {
        lines[at].splice(0..0, *b"login: ");
    });
    let mut after_end = script(2).log();
    after_end.extend_from_slice(b"ASSAY1 seq=29 ts=1.0");
    let not_ascii = damaged(|lines| lines[at][20] = 0xff);
    vec![
        Trial::new("corrupt-record-bit", ReasonCode::CorruptRecord, flipped),
        Trial::new("corrupt-record-joined", ReasonCode::CorruptRecord, joined),
        Trial::new("corrupt-record-broken-into", ReasonCode::CorruptRecord, broken_into),
        Trial::new("corrupt-record-mid-line", ReasonCode::CorruptRecord, mid_line),
        Trial::new("corrupt-record-not-ascii", ReasonCode::CorruptRecord, not_ascii),
        Trial::new("corrupt-record-after-end", ReasonCode::CorruptRecord, after_end),
        Trial::new("corrupt-record-torn", ReasonCode::CorruptRecord, torn),
    ]
}

fn out_of_place() -> Vec<Trial> {
    let at = worker_line();
    let doubled = damaged(|lines| lines.insert(at, lines[at].clone()));
    let swapped = damaged(|lines| lines.swap(at, at + 1));
    let gap = damaged(|lines| drop(lines.remove(at)));
    let head_lost = damaged(|lines| drop(lines.drain(..7)));
    let after_end = damaged(|lines| {
        let last = decode(lines.last().expect("lines")).expect("a record");
        let record = script(2).records[at].record;
        lines.push(
            encode(&abi::wire::Envelope { seq: last.seq + 1, ts: last.ts, record }).as_bytes().to_vec(),
        );
    });
    vec![
        Trial::new("duplicate-record", ReasonCode::DuplicateRecord, doubled),
        Trial::new("misordered-record-swapped", ReasonCode::MisorderedRecord, swapped),
        Trial::new("misordered-record-after-end", ReasonCode::MisorderedRecord, after_end),
        Trial::new("dropped-records-gap", ReasonCode::DroppedRecords, gap),
        Trial::new("dropped-records-head", ReasonCode::DroppedRecords, head_lost),
    ]
}

fn cut() -> Vec<Trial> {
    let at_line = script(2).until(super::is_end).log();
    let mut in_line = script(2).until(|record| matches!(record, Record::Answer(_))).log();
    in_line.truncate(in_line.len() - 40);
    let mut whole = script(2).log();
    let crc = b"crc=";
    let last = whole.windows(crc.len()).rposition(|window| window == crc).expect("a record");
    whole.truncate(last + crc.len() + 8);
    vec![
        Trial::new("missing-end", ReasonCode::MissingEnd, at_line),
        Trial::new("missing-end-mid-record", ReasonCode::MissingEnd, in_line),
        // Only the last line feed is missing: every record is whole.
        Trial::passing("good-without-last-line-feed", whole),
    ]
}

fn boots() -> Vec<Trial> {
    let first = script(2).until(|record| matches!(record, Record::Worker(_)));
    let second = edit!(script(2), Start, |start| start.nonce = Hex64(0xb007));
    let reset = [first.clone().log(), second.log()].concat();
    let mut panicked = first.clone();
    let place = panicked.records.len() - 1;
    let panic = Panic {
        cpu: CpuId(1),
        at: Text::new("kernel/src/bench/run.rs:123"),
        message: Text::new("page fault at 0xdead000"),
    };
    let mut record = panicked.records[place];
    record.record = panic.into();
    panicked.records.push(record);
    let ended = Ended::DebugExit { value: GuestExit::Panic.value() };
    let exit = HostEvidence { ended, ..HostEvidence::default() };
    vec![
        Trial::new("guest-reset", ReasonCode::GuestReset, reset),
        Trial::new("kernel-panic", ReasonCode::KernelPanic, panicked.log()).seen(exit),
    ]
}

/// A changed record with a correct checksum: only the digest in `end` shows the change.
fn forged() -> Vec<u8> {
    let at = worker_line();
    damaged(|lines| {
        let mut envelope = decode(&lines[at]).expect("a record");
        if let Record::Worker(worker) = &mut envelope.record {
            worker.skew += 1;
        }
        lines[at] = encode(&envelope).as_bytes().to_vec();
    })
}

fn miscounted() -> Vec<u8> {
    damaged(|lines| {
        let last = lines.last_mut().expect("lines");
        let mut envelope = decode(last).expect("a record");
        if let Record::End(end) = &mut envelope.record {
            end.records += 1;
            end.digest = Digest([0; 32]);
        }
        *last = encode(&envelope).as_bytes().to_vec();
    })
}

fn other_tag() -> Vec<u8> {
    let log = damaged(|lines| lines.iter_mut().for_each(|line| line[5] = b'2'));
    assert_eq!(decode(b"ASSAY2 seq=0"), Err(LineError::Version));
    log
}

fn other_start() -> Vec<u8> {
    edit!(script(2), Start, |start| start.proto = 2).log()
}

/// Bytes as they arrive at a wrong line speed.
fn binary() -> Vec<u8> {
    let mut state = Guest::of(1).nonce;
    let bytes = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_le_bytes()[7] | 0x80
    });
    bytes.take(700).collect()
}

const LINUX: &[u8] = b"[    0.000000] Linux version 6.1.0 (build@example) #1 SMP PREEMPT_DYNAMIC\r\n\
    [    0.000000] Command line: console=ttyS0\r\n\
    [    0.004000] smpboot: CPU0: AMD QEMU Virtual CPU version 2.5+\r\n\
    [    1.204000] reboot: Power down\r\n";
