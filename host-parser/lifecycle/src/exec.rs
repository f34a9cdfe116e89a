//! `exec`: a command to a machine that is up. The boot's log ends with its `end` record, and what follows up to the next one is
//! the answer, which the gate judges as a log of its own.

use abi::Digest;
use abi::command::{Place, write_exec};
use abi::wire::record::CommandKind;
use abi::wire::{Hex64, Record, decode};
use evidence::challenge;
use evidence::transcript::Transcript;
use experiment::plan::PlanBytes;

/// The challenge of the command of a cycle, whose boot had `booted` and ended with this digest. So no answer can be made, nor
/// a command be chosen, before the boot has ended.
pub(crate) fn challenge(booted: u64, ended: Digest, cycle: u32) -> u64 {
    challenge::next(booted, ended, cycle)
}

/// The line, with its end, that has the machine whose boot had this nonce run `plan` as its first command.
pub(crate) fn line(plan: &PlanBytes, nonce: Hex64) -> Vec<u8> {
    let mut line = String::new();
    write_exec(&mut line, Place { number: 0, after: nonce }, plan.text().as_bytes())
        .expect("a String takes all");
    line.push_str("\r\n");
    line.into_bytes()
}

/// The streams of a log, each up to and with its `end` record, and what follows the last one.
pub(crate) fn streams(log: &[u8]) -> Vec<&[u8]> {
    let (mut streams, mut begin, mut at) = (Vec::new(), 0, 0);
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        at += line.len();
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        if ends_stream(bare.strip_suffix(b"\r").unwrap_or(bare)) {
            streams.push(&log[begin..at]);
            begin = at;
        }
    }
    streams.push(&log[begin..]);
    streams
}

/// Whether a line is an `end` record.
pub(crate) fn ends_stream(line: &[u8]) -> bool {
    decode(line).is_ok_and(|envelope| matches!(envelope.record, Record::End(_)))
}

/// Checks that a log answers the first command of the boot whose log is `boot`, and nothing was refused before it.
///
/// # Errors
/// What it is instead.
pub(crate) fn check_answer(answer: &Transcript, boot: &Transcript) -> Result<(), String> {
    let records = |log: &Transcript| -> Vec<Record> {
        log.boots.iter().flat_map(|boot| &boot.records).map(|located| located.envelope.record).collect()
    };
    let nonce = records(boot).into_iter().find_map(|record| match record {
        Record::Start(start) => Some(start.nonce),
        _ => None,
    });
    for record in records(answer) {
        match record {
            Record::CommandRefused(refused) => {
                let (reason, detail) = (refused.reason.word(), refused.detail);
                return Err(format!("the command was refused: {reason}: {detail}"));
            }
            Record::CommandTaken(taken) => {
                let is_first = taken.kind == CommandKind::Exec && taken.number == 0 && taken.refused == 0;
                return match Some(taken.after) == nonce && is_first {
                    true => Ok(()),
                    false => Err(format!("answers another command: {taken:?}")),
                };
            }
            _ => {}
        }
    }
    Err("the command was not answered".to_owned())
}

#[cfg(test)]
mod tests {
    use abi::wire::record::{CommandRefused, CommandTaken, RefusedFor, RunStatus, Start};
    use abi::wire::{StreamWriter, Text, Timestamp};

    use super::*;

    const NONCE: Hex64 = Hex64(0x5eed);
    const TAKEN: CommandTaken =
        CommandTaken { kind: CommandKind::Exec, number: 0, after: NONCE, bytes: 1, took_us: 1, refused: 0 };

    /// A stream with this nonce and this record.
    fn stream(nonce: Hex64, record: Option<Record>) -> String {
        let mut writer = StreamWriter::default();
        let start = Start { proto: 1, nonce, plan: Digest::of(b""), build: Hex64(0) };
        let mut text = String::new();
        for record in [Some(start.into()), record].into_iter().flatten() {
            text += writer.line(Timestamp::UNKNOWN, record).as_str();
            text += "\r\n";
        }
        text + writer.end(Timestamp::UNKNOWN, RunStatus::Ok).as_str() + "\r\n"
    }

    fn checked(record: Option<Record>) -> Result<(), String> {
        let read = |text: String| Transcript::read(text.as_bytes());
        check_answer(&read(stream(Hex64(7), record)), &read(stream(NONCE, None)))
    }

    #[test]
    fn a_log_is_cut_after_each_end() {
        let (boot, answer) = (stream(NONCE, None), stream(Hex64(7), Some(TAKEN.into())));
        let log = format!("firmware\r\n{boot}  table\r\n{answer}  table");
        let streams = streams(log.as_bytes());
        let due = [format!("firmware\r\n{boot}"), format!("  table\r\n{answer}"), "  table".to_owned()];
        assert_eq!(streams, due.each_ref().map(|text| text.as_bytes()));
        assert_eq!(super::streams(b""), [b""]);
    }

    #[test]
    fn an_answer_names_the_boot_and_nothing_was_refused_before_it() {
        assert_eq!(checked(Some(TAKEN.into())), Ok(()));
        let refused = CommandRefused { reason: RefusedFor::Checksum, refused: 0, detail: Text::new("x y") };
        for (record, said) in [
            (None, "was not answered"),
            (Some(refused.into()), "refused: checksum: x y"),
            (Some(CommandTaken { after: Hex64(1), ..TAKEN }.into()), "another command"),
            (Some(CommandTaken { number: 1, ..TAKEN }.into()), "another command"),
            (Some(CommandTaken { refused: 1, ..TAKEN }.into()), "another command"),
        ] {
            let problem = checked(record).unwrap_err();
            assert!(problem.contains(said), "{problem}");
        }
    }
}
