//! What comes to a machine that stays. The input is the bytes of its port, and then, as a line without its checksum, which no
//! fuzzer guesses, a command. Nothing but the text that is written for a plan at the machine's place is taken.

use abi::command::{
    Collected, Collector, Command, MAX_BYTES, Order, Place, read, write_check, write_exec, write_hold,
};
use abi::plan::Plan;
use abi::wire::Hex64;

use super::record::sealed;

/// The place of the machine; the seeds have it too.
pub(crate) const PLACE: Place = Place { number: 3, after: Hex64(0x5eed) };

pub(crate) fn check(data: &[u8]) {
    let plain = plainly(data);
    assert_eq!(collected(data), plain);
    for line in plain.into_iter().flatten() {
        taken_in_its_one_form(&line);
    }
    taken_in_its_one_form(&sealed(data));
}

/// The lines that the collector makes; `None` for each that is too long.
fn collected(data: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut collector = Box::new(Collector::EMPTY);
    let mut lines = Vec::new();
    for &byte in data {
        match collector.push(byte) {
            Some(Collected::Line) => lines.push(Some(collector.line().to_vec())),
            Some(Collected::TooLong) => lines.push(None),
            None => {}
        }
    }
    lines
}

/// The same by a plain reading: what is between line feeds, without empty lines, and what is too long by its length alone.
fn plainly(data: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut pieces: Vec<&[u8]> = data.split(|&byte| byte == b'\n').collect();
    let unfinished = pieces.pop().unwrap_or_default();
    let is_empty = |piece: &[u8]| piece.len() <= MAX_BYTES && piece.iter().all(|&byte| byte == b'\r');
    let whole = pieces.into_iter().filter(|piece| !is_empty(piece));
    let lines = whole
        .map(|piece| (piece.len() <= MAX_BYTES).then(|| piece.strip_suffix(b"\r").unwrap_or(piece).to_vec()));
    lines.chain((unfinished.len() > MAX_BYTES).then_some(None)).collect()
}

/// A line that is taken holds a plan, and is the one that is written for it.
fn taken_in_its_one_form(line: &[u8]) {
    let mut decoded = line.to_vec();
    match read(&mut decoded, PLACE) {
        Ok(Command { order, plan: bytes }) => {
            let mut written = String::new();
            let whole = match order {
                Order::Exec(plan) => {
                    let again = Plan::parse(bytes).expect("it was read");
                    assert_eq!(again.work_digest(), plan.work_digest());
                    write_exec(&mut written, PLACE, bytes)
                }
                Order::Hold(hold) => write_hold(&mut written, PLACE, hold),
                Order::Check(spoilt) => write_check(&mut written, PLACE, spoilt),
            };
            whole.expect("a String takes all");
            assert_eq!(text(&written), text(&String::from_utf8_lossy(line)), "another form of a command");
        }
        Err(refusal) => assert!(!refusal.reason.word().is_empty()),
    }
}

/// What a line says, without its time and its checksum.
fn text(line: &str) -> (&str, &str) {
    let (head, rest) = line.split_once(" ts=").expect("a time");
    let (_, rest) = rest.split_once(' ').expect("a text after the time");
    (head, &rest[..rest.len() - "crc=00000000".len()])
}
