//! Every form that collectors give a log, undone.

use std::io::{Cursor, Read, Write};

use abi::wire::{decode, is_tagged};
use base64ct::{Base64, Encoding};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use test_support::guest::Guest;
use unwrap::{Form, open};

fn good() -> String {
    String::from_utf8(Guest::of(2).log()).expect("ASCII")
}

/// The log without what is around it, and the names of what was undone.
fn undone(bytes: &[u8]) -> (String, Vec<Form>) {
    let mut log = open(Cursor::new(bytes.to_vec())).expect("readable");
    let undone = log.undone();
    let mut text = Vec::new();
    log.read_to_end(&mut text).expect("readable");
    (String::from_utf8_lossy(&text).into_owned(), undone.forms().map(|(form, _)| form).collect())
}

/// The records of a log, whatever is before and between them.
fn records(log: &str) -> Vec<String> {
    let lines = log.lines().map(|line| line.trim_end_matches('\r'));
    let tagged = lines.filter_map(|line| line.find("ASSAY").map(|at| line[at..].to_owned()));
    tagged.filter(|line| is_tagged(line.as_bytes()) && decode(line.as_bytes()).is_ok()).collect()
}

#[track_caller]
fn gives_the_records(wrapped: impl AsRef<[u8]>, form: Form) {
    let (log, forms) = undone(wrapped.as_ref());
    let (found, due) = (records(&log), records(&good()));
    let missing: Vec<_> = due.iter().filter(|record| !found.contains(record)).take(2).collect();
    assert!(found == due, "{form:?}: {} of {}, without {missing:?}", found.len(), due.len());
    assert!(forms.contains(&form), "{forms:?}");
}

/// Each line of the good log, changed.
fn each(change: impl Fn(&str) -> String) -> String {
    good().lines().map(|line| change(line) + "\n").collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

#[test]
fn a_log_that_needs_nothing_is_the_same_bytes() {
    let (log, forms) = undone(good().as_bytes());
    assert_eq!((log, forms), (good(), Vec::new()));
    for prefix in
        ["[    0.123456] ", "2026-11-28T12:00:00Z vm kernel: ", "12:", "> ", "2026-01-01T00:00:00Z stdout F "]
    {
        let prefixed = each(|line| format!("{prefix}{line}"));
        assert_eq!(undone(prefixed.as_bytes()), (prefixed.clone(), Vec::new()), "a prefix needs nothing");
    }
    for other in ["", "\n", "no records here\nASSAY is a word\n", "\u{feff}text\n"] {
        assert_eq!(undone(other.as_bytes()), (other.to_owned(), Vec::new()));
    }
}

#[test]
fn compressed_logs() {
    gives_the_records(gzip(good().as_bytes()), Form::Gzip);
    let halves = good();
    let (one, other) = halves.split_at(halves.len() / 2);
    gives_the_records([gzip(one.as_bytes()), gzip(other.as_bytes())].concat(), Form::Gzip);
    let mut xz = Vec::new();
    liblzma::read::XzEncoder::new(good().as_bytes(), 1).read_to_end(&mut xz).unwrap();
    gives_the_records(xz, Form::Xz);
    let cut = gzip(good().as_bytes())[..200].to_vec();
    let read = open(Cursor::new(cut)).and_then(|mut log| log.read_to_end(&mut Vec::new()));
    assert!(read.is_err(), "a compressed file that was cut is an error, not a short log");
}

#[test]
fn utf_16() {
    let units = |log: &str| log.encode_utf16().collect::<Vec<_>>();
    let little = |log: &str| units(log).into_iter().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let big = |log: &str| units(log).into_iter().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
    let marked = format!("\u{feff}{}", good().replace('\n', "\r\n"));
    gives_the_records(little(&marked), Form::Utf16);
    gives_the_records(big(&marked), Form::Utf16);
    gives_the_records(little(&good()), Form::Utf16);
    gives_the_records(big(&good()), Form::Utf16);
    gives_the_records([little(&marked), vec![0x41]].concat(), Form::Utf16);
}

#[test]
fn json_lines() {
    let quoted = |line: &str| serde_json::to_string(line).unwrap();
    let docker = |line: &str| {
        format!("{{\"log\":{},\"stream\":\"stdout\",\"time\":\"x\"}}", quoted(&format!("{line}\n")))
    };
    gives_the_records(each(docker), Form::DockerJson);
    let journal = |line: &str| format!("{{\"_PID\":\"1\",\"MESSAGE\":{}}}", quoted(line));
    gives_the_records(each(journal), Form::JournalJson);
    let bytes = |line: &str| format!("{{\"MESSAGE\":{:?}}}", line.as_bytes());
    gives_the_records(each(bytes), Form::JournalJson);
    let cloud = |line: &str| format!("{{\"severity\":\"INFO\",\"textPayload\":{}}}", quoted(line));
    gives_the_records(each(cloud), Form::JsonLines);
    gives_the_records(
        each(docker).replacen('{', "not json\n{", 1).replace("not json\n", "") + "not json\n",
        Form::DockerJson,
    );
}

#[test]
fn documents_of_clouds() {
    let log = good();
    let ec2 = |output: &str| serde_json::json!({ "InstanceId": "i-0", "Output": output }).to_string();
    gives_the_records(ec2(&log), Form::Ec2Json);
    gives_the_records(ec2(&Base64::encode_string(log.as_bytes())), Form::Base64);
    gives_the_records(Base64::encode_string(log.as_bytes()), Form::Base64);
    let folded: Vec<String> = Base64::encode_string(log.as_bytes())
        .as_bytes()
        .chunks(76)
        .map(|line| String::from_utf8_lossy(line).into())
        .collect();
    gives_the_records(folded.join("\n"), Form::Base64);
    let gce = serde_json::json!({ "kind": "compute#serialPortOutput", "start": "0", "contents": log });
    gives_the_records(serde_json::to_string_pretty(&gce).unwrap(), Form::GceJson);
    gives_the_records(serde_json::json!([{ "output": log }]).to_string(), Form::JsonDocument);
    gives_the_records(gzip(ec2(&Base64::encode_string(log.as_bytes())).as_bytes()), Form::Ec2Json);
}

/// A log as a terminal of `width` columns shows it.
fn broken_at(width: usize, keep_blanks: bool) -> String {
    let line = |line: &str| {
        let parts: Vec<String> = line
            .as_bytes()
            .chunks(width)
            .map(|part| {
                let part = String::from_utf8_lossy(part).into_owned();
                if keep_blanks { part } else { part.trim_end().to_owned() }
            })
            .collect();
        parts.join("\n")
    };
    each(line)
}

#[test]
fn lines_broken_at_a_terminals_width() {
    for width in [40, 80, 100, 132] {
        gives_the_records(broken_at(width, true), Form::Wrapped);
        gives_the_records(broken_at(width, false), Form::Wrapped);
        gives_the_records(broken_at(width, true).replace('\n', "\r\n"), Form::Wrapped);
    }
    let (log, _) = undone(broken_at(80, true).as_bytes());
    assert_eq!(
        log.lines().count(),
        broken_at(80, true).lines().count(),
        "line numbers are those of the file"
    );
}

#[test]
fn what_is_after_a_record_or_in_it() {
    gives_the_records(each(|line| format!("{line}   ")), Form::Trailing);
    gives_the_records(each(|line| format!("\"{line}\",")), Form::Trailing);
    gives_the_records(each(|line| format!("{line}\\n\"}}")), Form::Trailing);
    gives_the_records(each(|line| format!("{line}\x1b[K")), Form::Trailing);
    gives_the_records(each(|line| format!("\0\0{line}\0\0")), Form::Trailing);
    let in_it = |line: &str| match line.find(" ev=") {
        Some(at) => format!("{}\x1b[0m\x1b[2K{}", &line[..at], &line[at..]),
        None => line.to_owned(),
    };
    gives_the_records(each(in_it), Form::Escapes);
    gives_the_records(each(|line| line.replace(" ev=", "\0 ev=")), Form::Escapes);
}

#[test]
fn a_record_with_another_checksum_stays_broken() {
    let changed = good().replace("done=2", "done=3");
    let (log, forms) = undone(changed.as_bytes());
    assert_eq!((log.as_str(), forms), (changed.as_str(), Vec::new()));
    let half: String = good().lines().map(|line| format!("{}\n", &line[..line.len() / 2])).collect();
    assert_eq!(undone(half.as_bytes()).0, half, "nothing is made up");
}

#[test]
fn it_says_what_was_undone() {
    let mut log = open(Cursor::new(gzip(broken_at(80, true).as_bytes()))).unwrap();
    let undone = log.undone();
    log.read_to_end(&mut Vec::new()).unwrap();
    let shown = undone.to_string();
    assert!(
        shown.starts_with("gzip, lines broken at a terminal's width (") && shown.ends_with(" records)"),
        "{shown}"
    );
    for form in Form::ALL {
        assert!(!form.name().is_empty() && !form.better().is_empty());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_fail_and_lines_without_a_tag_stay(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let mut all = Vec::new();
        // A broken compressed file is an error of its reader.
        let read = open(Cursor::new(bytes.clone())).and_then(|mut log| log.read_to_end(&mut all));
        let (plain, wrapped) = (bytes.first().is_some_and(u8::is_ascii_lowercase), all != bytes);
        prop_assert!(read.is_err() || !(plain && wrapped), "{bytes:?}");
    }

    #[test]
    fn a_log_cut_anywhere_keeps_its_whole_records(at in 0_usize..4_000, width in 20_usize..200) {
        let log = good();
        let cut = &log[at.min(log.len())..];
        let (read, _) = undone(cut.as_bytes());
        prop_assert!(records(&read) == records(cut));
        let broken = broken_at(width, true);
        prop_assert!(records(&undone(broken.as_bytes()).0) == records(&good()));
    }
}
