//! A good log with changes of one of two kinds, and knowledge beside it. The first byte chooses log and kind.
//!
//! On the wire: bytes and lines change as on a bad serial line. Only the unchanged log may pass.
//! By the guest: records change, and the log gets new numbers, checksums and digest. That may pass, since a guest may
//! have another CPU or take another time; but then every answer is the reference's.
//!
//! A run that passes is the expected one, and the host did not disturb it. An unchanged log passes if nothing that is
//! known condemns it.

pub(crate) mod base;
mod known;

use abi::wire::record::RunStatus;
use abi::wire::{Envelope, decode, encode};
use evidence::gate::{Gate, Measurement, Sample};
use evidence::transcript::Transcript;
use workloads::Expectation;

use self::base::{BASES, Base};
use self::known::{Known, known};
use crate::input::Input;
use crate::small::small;
use crate::targets::record::sealed;

/// The longest line that joining makes, in bytes.
const LONG: usize = 2000;

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let which = input.byte();
    let base = &BASES[usize::from(which / 2) % BASES.len()];
    let known = known(base, &mut input);
    if which.is_multiple_of(2) {
        on_the_wire(base, &known, &mut input);
    } else {
        by_the_guest(base, &known, &mut input);
    }
}

fn on_the_wire(base: &Base, known: &Known, input: &mut Input<'_>) {
    let (mut lines, unchanged) = (base.lines.clone(), input.is_empty());
    while !input.is_empty() && !lines.is_empty() {
        change_lines(&mut lines, input);
    }
    let log = lines.join(&b"\r\n"[..]);
    let log = [&log[..], b"\r\n"].concat();
    let read = Transcript::read(&log);
    let passed = passes(&read, known);
    if passed.is_some() {
        let records = read.boots.iter().flat_map(|boot| &boot.records).map(|located| located.envelope);
        assert!(records.eq(base.records.iter().copied()), "a changed record passes");
    }
    let as_known = known.doubtful || passed.is_some() == known.harmless;
    assert!(!unchanged || as_known, "a good log, and what is known beside it");
}

fn by_the_guest(base: &Base, known: &Known, input: &mut Input<'_>) {
    let mut records = base.records.clone();
    while !input.is_empty() && !records.is_empty() {
        change_records(&mut records, input);
    }
    let log = resealed(records);
    if let Some(measurement) = passes(&Transcript::read(&log), known) {
        measurement.samples().iter().for_each(|sample| is_right(&measurement, sample));
    }
}

/// Damages the lines in one way.
fn change_lines(lines: &mut Vec<Vec<u8>>, input: &mut Input<'_>) {
    let (kind, at, other) = (input.byte(), usize::from(input.byte()), usize::from(input.byte()));
    let (at, other) = (at % lines.len(), other % lines.len());
    match kind % 7 {
        0 => drop(lines.remove(at)),
        1 => lines.insert(other, lines[at].clone()),
        2 => lines.swap(at, other),
        3 => {
            let place = usize::from(input.byte());
            if let Some(byte) = lines[at].get_mut(place) {
                *byte = input.byte();
            }
        }
        4 => {
            let place = usize::from(input.byte()).min(lines[at].len());
            let most = usize::from(input.byte());
            let new = input.take(most);
            lines[at].splice(place..place, new.iter().copied());
        }
        5 => {
            let place = usize::from(input.byte()).min(lines[at].len());
            lines[at].truncate(place);
        }
        // A line that is doubled again and again would soon fill all memory.
        _ if lines[at].len() + lines[other].len() <= LONG => {
            let next = lines[other].clone();
            lines[at].extend(next);
        }
        _ => {}
    }
}

/// Changes, doubles, moves or drops a record, as a lying guest might.
fn change_records(records: &mut Vec<Envelope>, input: &mut Input<'_>) {
    let (kind, at, other) = (input.byte(), usize::from(input.byte()), usize::from(input.byte()));
    let (at, other) = (at % records.len(), other % records.len());
    match kind % 6 {
        0 => drop(records.remove(at)),
        1 => records.insert(other, records[at]),
        2 => records.swap(at, other),
        _ => {
            let most = usize::from(input.byte() % 24);
            let value = input.take(most);
            records[at] = with_field(&records[at], other, value).unwrap_or(records[at]);
        }
    }
}

/// The record with the value of one field replaced; `None` if the field cannot have that value.
fn with_field(record: &Envelope, field: usize, value: &[u8]) -> Option<Envelope> {
    let line = encode(record);
    let mut fields: Vec<&[u8]> = line.as_bytes().split(|&byte| byte == b' ').collect();
    // The line gets a new checksum, and the tag stays.
    fields.pop();
    let at = 1 + field % (fields.len() - 1);
    let key = fields[at].iter().position(|&byte| byte == b'=')?;
    let changed = [&fields[at][..=key], value].concat();
    fields[at] = &changed;
    decode(&sealed(&fields.join(&b' '))).ok()
}

/// The records as a log of one boot, numbered and with a correct `end`.
fn resealed(mut records: Vec<Envelope>) -> Vec<u8> {
    let mut log = base::sealed(&mut records).join(&b"\r\n"[..]);
    log.extend(b"\r\n");
    log
}

fn passes(read: &Transcript, known: &Known) -> Option<Measurement> {
    let mut gate = Gate::new(small);
    let verdict = gate.judge(read, &known.expectation, &known.evidence);
    let measurement = verdict.outcome.measurement().cloned();
    assert_eq!(measurement.is_some(), verdict.findings.is_empty());
    if let Some(measurement) = &measurement {
        known.holds_for(measurement);
        // The same machine cannot have booted twice with one nonce.
        let again = gate.judge(read, &known.expectation, &known.evidence);
        assert!(again.outcome.measurement().is_none(), "the same boot passes a second time");
        let end = read.boots[0].end().expect("what passes has an end");
        let skipped = !measurement.skipped().is_empty();
        assert!(end.status == RunStatus::Ok || (end.status == RunStatus::Failed && skipped));
    }
    measurement
}

/// Asserts that a sample is what it claims: every part done, each by another worker, with the reference's answers.
fn is_right(measurement: &Measurement, sample: &Sample) {
    let challenge = measurement.identity().challenge.map_or(0, |challenge| challenge.0);
    let workload = small(measurement.identity().workload.as_str()).expect("the gate knows it");
    assert!(sample.workers.iter().map(|worker| worker.worker).eq(0..sample.case));
    let mut cpus: Vec<_> = sample.workers.iter().map(|worker| worker.cpu).collect();
    cpus.sort_unstable();
    cpus.dedup();
    assert_eq!(cpus.len(), usize::from(sample.case), "each worker has a CPU of its own");
    let parts: Vec<_> = sample.workers.iter().map(|worker| worker.task.params).collect();
    assert_eq!(workload.join(&parts), Some(measurement.identity().whole));
    for worker in &sample.workers {
        let Expectation { answer, work, digest } = workload.expectation(worker.task.params, challenge);
        assert_eq!((worker.task.answer, worker.task.work), (answer, work));
        assert_eq!(worker.task.digest.0, digest);
        assert!(worker.cycles.0 > 0 && worker.cycles <= sample.longest());
        assert_eq!(u64::from(worker.scaled()), (worker.cycles.0 >> 20).min(u64::from(u32::MAX)));
    }
    assert!(sample.longest() <= sample.makespan() && sample.start_spread() <= sample.makespan());
}

#[cfg(test)]
mod tests {
    use abi::random::SplitMix64;

    use super::*;

    /// Mostly inputs without a change: what is known takes up to 17 bytes, plus those of the delays.
    #[test]
    fn what_is_known_beside_a_good_log_decides() {
        let mut random = SplitMix64::new(7);
        for _ in 0..1000 {
            let bytes = [random.draw(), random.draw(), random.draw()].map(u64::to_le_bytes);
            let length = 1 + random.below(16);
            check(&[&[bytes[0][0] & 0xfe], &bytes.as_flattened()[1..length]].concat());
        }
    }

    #[test]
    fn the_good_logs_pass() {
        for which in 0..2 * u8::try_from(BASES.len()).expect("a few") {
            check(&[which]);
            let base = &BASES[usize::from(which / 2)];
            let known = known(base, &mut Input::new(&[]));
            assert!(passes(&Transcript::read(&resealed(base.records.clone())), &known).is_some());
        }
    }
}
