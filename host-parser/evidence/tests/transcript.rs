//! Reading logs: any bytes, all line endings, and every change of a byte is noticed.

use std::io::Read;
use std::time::{Duration, Instant};

use evidence::gate::{Gate, HostEvidence, ReasonCode, RunExpectation};
use evidence::transcript::{Boots, DefectKind, Transcript};
use proptest::prelude::*;
use test_support::guest::Guest;
use test_support::script::Script;

fn reason(log: &[u8]) -> Option<ReasonCode> {
    let (expectation, evidence) = (RunExpectation::default(), HostEvidence::default());
    let verdict = Gate::default().judge(&Transcript::read(log), &expectation, &evidence);
    verdict.outcome.refusal().map(|(reason, _)| reason)
}

/// A log that arrives in pieces of these lengths.
struct Pieces<'a, I> {
    log: &'a [u8],
    cuts: I,
}

impl<I: Iterator<Item = usize>> Read for Pieces<'_, I> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.cuts.next().unwrap_or(1).min(to.len());
        self.log.read(&mut to[..bytes])
    }
}

fn replaced(log: &[u8], from: &str, to: &str) -> Vec<u8> {
    String::from_utf8(log.to_vec()).expect("ASCII").replace(from, to).into_bytes()
}

#[test]
fn line_endings_of_every_console_are_accepted() {
    let log = Guest::of(2).log();
    for ending in ["\n", "\r\n", "\r\r\n", "\n\r"] {
        let log = replaced(&log, "\r\n", ending);
        assert_eq!(reason(&log), None, "{ending:?}");
        assert!(Transcript::read(&log).boots[0].defects.is_empty());
    }
}

/// The log with something before each of its lines, which count from 0.
fn prefixed(log: &[u8], prefix: impl Fn(usize) -> String) -> Vec<u8> {
    let log = String::from_utf8(log.to_vec()).expect("ASCII");
    let lines = log.lines().enumerate().map(|(line, text)| format!("{}{text}\n", prefix(line)));
    lines.collect::<String>().into_bytes()
}

#[test]
fn what_a_collector_puts_before_every_line_is_no_defect() {
    let log = Guest::of(2).log();
    let kernel = |line: usize| format!("[{:>12}] ", format!("{}.{:06}", line / 3, line * 7));
    let forms: [(&str, &dyn Fn(usize) -> String); 6] = [
        ("the kernel's time", &kernel),
        ("ISO time", &|line| format!("2026-11-28T12:00:{:02}.{line}Z ", line % 60)),
        ("syslog", &|line| format!("Nov {:>2} 08:00:{:02} vm-1 kernel: ", 9 + line / 40, line % 60)),
        ("CRI", &|line| format!("2026-11-28T12:00:{:02}.{}Z stdout F ", line % 60, line * 31)),
        ("grep -n", &|line| format!("{}:", line + 1)),
        ("a quote", &|_| "> ".to_owned()),
    ];
    for (name, prefix) in forms {
        let log = prefixed(&log, prefix);
        assert_eq!(reason(&log), None, "{name}");
        // Another boot in the same file, by another collector.
        let two =
            [log.clone(), prefixed(&Guest { nonce: 77, ..Guest::of(2) }.log(), |_| "| ".to_owned())].concat();
        let boots = Transcript::read(&two).boots;
        assert!(boots.len() == 2 && boots.iter().all(|boot| boot.defects.is_empty()), "{name}");
        let at = log.windows(9).rposition(|bytes| bytes == b"ev=worker").expect("a worker");
        let begin = log[..at].windows(7).rposition(|bytes| bytes == b"ASSAY1 ").expect("its line");
        let intruded = [&log[..begin], b"login: ", &log[begin..]].concat();
        assert_eq!(
            reason(&intruded),
            Some(ReasonCode::CorruptRecord),
            "{name}: someone else prints there too"
        );
    }
}

#[test]
fn firmware_need_not_end_its_last_line() {
    let log = Guest::of(2).log();
    let log = replaced(&log, "Hard Disk...\r\nASSAY1 seq=0 ", "Hard Disk...\x1b[2JASSAY1 seq=0 ");
    assert_eq!(reason(&log), None);
    let read = Transcript::read(&log);
    assert_eq!(
        read.preamble.last().map(|line| line.text()),
        Some("Booting from Hard Disk...\\x1b[2J".to_owned())
    );
}

#[test]
fn text_is_kept_with_its_line_numbers() {
    let log = Guest::of(1).log();
    let read = Transcript::read(&log);
    let boot = &read.boots[0];
    assert_eq!(read.preamble[0].text(), "SeaBIOS (version 1.16.2-debian-1.16.2-1)");
    assert_eq!((read.preamble[0].line, read.preamble[1].line), (1, 3));
    assert_eq!(boot.console.last().map(|line| line.text()), Some(" workers  scaled cycles".to_owned()));
    assert_eq!(boot.records[0].line, 4);
    assert_eq!(boot.last_line(), boot.records.last().expect("records").line);
    assert!(boot.start().is_some() && boot.end().is_some());
}

#[test]
fn two_whole_boots_in_one_log_are_two_runs() {
    let again = Guest { nonce: 7, ..Guest::of(2) };
    let log = [Guest::of(2).log(), again.log()].concat();
    assert_eq!(reason(&log), Some(ReasonCode::GuestReset), "as the log of one run");
    let verdicts = Gate::default().judge_log(&Transcript::read(&log), &RunExpectation::default());
    assert_eq!(verdicts.len(), 2);
    assert!(verdicts.iter().all(|verdict| verdict.outcome.measurement().is_some()));
}

#[test]
fn a_boot_without_end_before_another_boot_was_reset() {
    let first = Script::of(&Guest::of(2).log()).until(|record| record.name() == "case-begin").log();
    let log = [first, Guest { nonce: 7, ..Guest::of(2) }.log()].concat();
    let verdicts = Gate::default().judge_log(&Transcript::read(&log), &RunExpectation::default());
    let reasons: Vec<_> = verdicts.iter().map(|v| v.outcome.refusal().map(|(reason, _)| reason)).collect();
    assert_eq!(reasons, [Some(ReasonCode::GuestReset), None]);
}

#[test]
fn a_log_pasted_twice_has_duplicates_but_no_second_boot() {
    let log = Guest::of(2).log().repeat(2);
    let read = Transcript::read(&log);
    assert_eq!(read.boots.len(), 1);
    assert!(read.boots[0].defects.iter().all(|defect| matches!(defect.kind, DefectKind::Duplicate { .. })));
    assert_eq!(reason(&log), Some(ReasonCode::DuplicateRecord));
}

#[test]
fn huge_logs_are_read_in_linear_time() {
    let guest = Guest::of(2).log();
    let mut worst = Vec::new();
    let lines: Vec<&[u8]> = guest.split_inclusive(|&byte| byte == b'\n').collect();
    for i in 0..60_000 {
        // Sequence numbers that go up and down, many tags on one line, and text.
        worst.extend_from_slice(lines[i * 7 % lines.len()]);
        worst.extend_from_slice(b"ASSAY1 seq=ASSAY1 seq=");
    }
    worst.extend_from_slice(&b"ASSAY1 s".repeat(500_000));
    let start = Instant::now();
    let read = Transcript::read(&worst);
    assert!(read.extent.lines > 50_000 && !read.boots.is_empty());
    // A quadratic reader takes hours; an unoptimised one on a busy machine a few seconds.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn broken_lines_beyond_a_number_are_counted_and_explain_gaps() {
    let log = Guest::of(1).log();
    let lines: Vec<&[u8]> = log.split_inclusive(|&byte| byte == b'\n').collect();
    let broken = b"ASSAY1 seq=7 broken\r\n".repeat(50_000);
    let log = [lines[..12].concat(), broken, lines[13..].concat()].concat();
    let read = Transcript::read(&log);
    let boot = &read.boots[0];
    assert_eq!(boot.defects.len() as u64 + boot.more_defects, 50_000);
    assert!(
        boot.defects.iter().all(|defect| matches!(defect.kind, DefectKind::Corrupt(_))),
        "no gap besides"
    );
    let verdict = &Gate::default().judge_log(&read, &RunExpectation::default())[0];
    let last = verdict.findings.iter().rfind(|finding| finding.reason == ReasonCode::CorruptRecord);
    assert_eq!(last.map(|last| last.detail.as_str()), Some("and 49980 more with this reason"));
}

#[test]
fn of_a_long_line_the_beginning_and_the_end_are_read() {
    let (good, filler) = (Guest::of(1).log(), vec![b'x'; 5_000_000]);
    let place = good.windows(6).position(|window| window == b"ASSAY1").expect("a record");
    let log = [&good[..place], &filler, &good[place..]].concat();
    assert_eq!(reason(&log), None, "text before the first record");
    let read = Transcript::read(&log);
    assert_eq!(read.extent.bytes, log.len() as u64);
    let log = [&good[..place], &good[place..], &filler[..]].concat();
    assert_eq!(reason(&log), None, "text after the last");
    let mut boots = Boots::of(&log[..]);
    assert_eq!(boots.by_ref().map(Result::unwrap).collect::<Vec<_>>(), Transcript::read(&log).boots);
    assert_eq!(boots.extent(), Transcript::read(&log).extent);
}

#[test]
fn an_error_of_the_log_ends_its_boots() {
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            let log = Guest::of(1).log();
            if self.0 > 0 {
                return Err(std::io::Error::other("the disk is gone"));
            }
            self.0 = 1;
            to[..log.len()].copy_from_slice(&log);
            Ok(log.len())
        }
    }
    let read: Vec<_> = Boots::of(Broken(0)).collect();
    assert!(matches!(&read[..], [Err(error)] if error.to_string() == "the disk is gone"));
}

proptest! {
    #[test]
    fn a_log_in_pieces_is_the_same_log(cuts in prop::collection::vec(1_usize..3000, 1..30), boots in 1_u64..4) {
        let logs = (0..boots).map(|nonce| Guest { nonce, ..Guest::of(2) }.log());
        let log = logs.collect::<Vec<_>>().concat();
        let mut boots = Boots::of(Pieces { log: &log, cuts: cuts.into_iter().cycle() });
        let read = boots.by_ref().map(Result::unwrap).collect::<Vec<_>>();
        let whole = Transcript::read(&log);
        prop_assert_eq!(read, whole.boots);
        prop_assert_eq!(boots.extent(), whole.extent);
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(reason(&bytes).is_some());
    }

    #[test]
    fn lines_in_any_order_are_read(picks in prop::collection::vec(0_usize..26, 0..60), cut in 0_usize..200) {
        let log = Guest::of(2).log();
        let lines: Vec<&[u8]> = log.split_inclusive(|&byte| byte == b'\n').collect();
        let mut mixed: Vec<u8> = picks.iter().flat_map(|&pick| lines[pick % lines.len()].to_vec()).collect();
        mixed.truncate(mixed.len().saturating_sub(cut));
        prop_assert!(reason(&mixed).is_some());
    }

    #[test]
    fn a_change_of_any_byte_of_a_record_is_noticed(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let log = Guest::of(2).log();
        let first = log.windows(7).position(|window| window == b"ASSAY1 ").expect("a record");
        let last = log.windows(4).rposition(|window| window == b"crc=").expect("a record") + 12;
        let at = first + place.index(last - first);
        let mut changed = log.clone();
        changed[at] = byte;
        // A line feed may take the place of a line ending, and a carriage return is part of one.
        let ending = |byte| byte == b'\r' || byte == b'\n';
        if byte != log[at] && !ending(log[at]) && !ending(byte) {
            prop_assert!(reason(&changed).is_some(), "byte {} as {}", at, byte);
        }
    }
}
