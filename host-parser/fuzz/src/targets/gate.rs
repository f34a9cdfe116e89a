//! A good log with changes, of two kinds.
//!
//! On the wire: bytes and lines are changed as a bad line would. Nothing but the log as it was may pass.
//! By the guest: records are changed, and the whole is numbered and summed up anew. That may pass, for a guest may
//! well have another CPU or take another time; but then every answer is the reference's.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use abi::wire::record::{End, RunStatus};
use abi::wire::{Envelope, Record, StreamDigest, decode, encode};
use host_parser::gate::{Gate, HostEvidence, Measurement, RunExpectation, Sample};
use host_parser::transcript::Transcript;
use user_workers::reference::{Answer, BadParameter, Workload, by_name};

use crate::input::Input;
use crate::targets::record::sealed;

/// A guest with two CPUs that did everything right: the golden transcript, so that both follow the rules together.
const GOOD: &str = include_str!("../../../tests/transcripts/good-2.log");

/// Its records.
static RECORDS: LazyLock<Vec<Envelope>> =
    LazyLock::new(|| GOOD.lines().filter_map(|line| decode(line.as_bytes()).ok()).collect());

/// The longest that lines are joined to.
const LONG: usize = 2000;

/// The most candidates that an answer is worked out for.
const SMALL: u64 = 400_000;

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    if input.byte().is_multiple_of(2) {
        on_the_wire(GOOD.lines().map(|line| line.as_bytes().to_vec()).collect(), &mut input);
    } else {
        by_the_guest(RECORDS.clone(), &mut input);
    }
}

fn on_the_wire(mut lines: Vec<Vec<u8>>, input: &mut Input<'_>) {
    while !input.is_empty() && !lines.is_empty() {
        change_lines(&mut lines, input);
    }
    let log = lines.join(&b"\r\n"[..]);
    let log = [&log[..], b"\r\n"].concat();
    let read = Transcript::read(&log);
    if passes(&read).is_some() {
        let records: Vec<_> =
            read.boots.iter().flat_map(|boot| &boot.records).map(|it| it.envelope).collect();
        assert_eq!(records, *RECORDS, "a changed record passes");
    }
}

fn by_the_guest(mut records: Vec<Envelope>, input: &mut Input<'_>) {
    while !input.is_empty() && !records.is_empty() {
        change_records(&mut records, input);
    }
    let log = resealed(records);
    if let Some(measurement) = passes(&Transcript::read(&log)) {
        measurement.samples().iter().for_each(|sample| is_right(&measurement, sample));
    }
}

/// Harms the lines in one way.
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
        // Doubled again and again, a line would soon fill all memory.
        _ if lines[at].len() + lines[other].len() <= LONG => {
            let next = lines[other].clone();
            lines[at].extend(next);
        }
        _ => {}
    }
}

/// Changes, doubles, moves or leaves out a record, as a guest would that does not tell the truth.
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

/// The record with the value of one field replaced; `None` where the field cannot have that value.
fn with_field(record: &Envelope, field: usize, value: &[u8]) -> Option<Envelope> {
    let line = encode(record);
    let mut fields: Vec<&[u8]> = line.as_bytes().split(|&byte| byte == b' ').collect();
    // The checksum is made anew, and the tag stays.
    fields.pop();
    let at = 1 + field % (fields.len() - 1);
    let key = fields[at].iter().position(|&byte| byte == b'=')?;
    let changed = [&fields[at][..=key], value].concat();
    fields[at] = &changed;
    decode(&sealed(&fields.join(&b' '))).ok()
}

/// The records as a log of one boot, numbered and with a true `end`.
fn resealed(records: Vec<Envelope>) -> Vec<u8> {
    let mut digest = StreamDigest::default();
    let mut log = Vec::new();
    for (seq, mut envelope) in (0..).zip(records) {
        envelope.seq = seq;
        if let Record::End(End { status, .. }) = envelope.record {
            envelope.record = End { records: seq, status, digest: digest.digest() }.into();
        }
        let line = encode(&envelope);
        digest.add(line.as_bytes());
        log.extend(line.as_bytes());
        log.extend(b"\r\n");
    }
    log
}

fn passes(read: &Transcript<'_>) -> Option<Measurement> {
    let mut gate = Gate::new(workload_of_small_wholes);
    let verdict = gate.judge(read, &RunExpectation::default(), &HostEvidence::default());
    let measurement = verdict.outcome.measurement().cloned();
    assert_eq!(measurement.is_some(), verdict.findings.is_empty());
    // The same machine cannot have booted twice with one nonce.
    if measurement.is_some() {
        let again = gate.judge(read, &RunExpectation::default(), &HostEvidence::default());
        assert!(again.outcome.measurement().is_none(), "the same boot passes a second time");
        let end = read.boots[0].end().expect("what passes has an end");
        assert_eq!(end.status, RunStatus::Ok);
    }
    measurement
}

/// Whether a sample is what it claims: every part done, by a worker of its own, with the reference's answer.
fn is_right(measurement: &Measurement, sample: &Sample) {
    let workload = workload_of_small_wholes(&measurement.identity().workload).expect("the gate knows it");
    assert!(sample.workers.iter().map(|worker| worker.worker).eq(0..sample.case));
    let mut cpus: Vec<_> = sample.workers.iter().map(|worker| worker.cpu).collect();
    cpus.sort_unstable();
    cpus.dedup();
    assert_eq!(cpus.len(), usize::from(sample.case), "each worker has a CPU of its own");
    let parts: Vec<_> = sample.workers.iter().map(|worker| worker.params).collect();
    assert_eq!(workload.whole(&parts), Some(measurement.identity().whole));
    for worker in &sample.workers {
        let Answer { answer, work, digest } = workload.expected(worker.params);
        assert_eq!((worker.answer, worker.work), (answer, work));
        assert_eq!(worker.digest, format!("{digest:016x}"));
        assert!(worker.cycles.0 > 0 && worker.cycles <= sample.longest);
        assert_eq!(u64::from(worker.scaled), (worker.cycles.0 >> 20).min(u64::from(u32::MAX)));
    }
    assert!(sample.longest <= sample.makespan && sample.start_spread <= sample.makespan);
}

/// The workloads, but only for wholes that are soon worked out.
pub(crate) fn workload_of_small_wholes(name: &str) -> Option<&'static dyn Workload> {
    by_name(name).filter(|workload| workload.name() == "primes").map(|_| &Small as &dyn Workload)
}

/// How many answers are kept.
const MOST_KNOWN: usize = 4096;

/// Answers that were worked out before: nearly every input asks for the same ones, and a sieve takes longer than the
/// gate itself.
static KNOWN: Mutex<BTreeMap<[u64; 4], Answer>> = Mutex::new(BTreeMap::new());

struct Small;

impl Small {
    fn primes(&self) -> &'static dyn Workload {
        by_name("primes").expect("the workload is known")
    }
}

impl Workload for Small {
    fn name(&self) -> &'static str {
        self.primes().name()
    }

    fn parameters(&self) -> &'static [&'static str] {
        self.primes().parameters()
    }

    fn check(&self, params: [u64; 4]) -> Result<(), BadParameter> {
        match params[1] > SMALL {
            true => Err(BadParameter { index: 1, expected: "few candidates" }),
            false => self.primes().check(params),
        }
    }

    fn expected(&self, params: [u64; 4]) -> Answer {
        assert!(params[1] <= SMALL, "the gate asks only for what was checked");
        let mut known = KNOWN.lock().expect("nothing panics that holds it");
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        *known.entry(params).or_insert_with(|| self.primes().expected(params))
    }

    fn splits(&self, params: [u64; 4], workers: u16) -> Vec<[u64; 4]> {
        self.primes().splits(params, workers)
    }

    fn whole(&self, parts: &[[u64; 4]]) -> Option<[u64; 4]> {
        self.primes().whole(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_good_log_passes() {
        assert!(passes(&Transcript::read(GOOD.as_bytes())).is_some());
        assert!(passes(&Transcript::read(&resealed(RECORDS.clone()))).is_some());
        check(&[0]);
        check(&[1]);
    }
}
