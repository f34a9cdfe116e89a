//! A stream as a whole: numbered without a gap, and summed up at its end.

mod support;

use abi::Digest;
use abi::wire::record::{End, RunStatus};
use abi::wire::{Record, StreamDigest, StreamWriter, Timestamp, decode};
use proptest::prelude::*;
use support::{record, timestamp};

proptest! {
    #[test]
    fn lines_are_numbered_and_the_end_counts_and_digests_them(
        records in prop::collection::vec((timestamp(), record()), 0..20),
    ) {
        let mut writer = StreamWriter::default();
        let mut text = String::new();
        for (seq, (ts, record)) in (0..).zip(&records) {
            let line = writer.line(*ts, *record);
            let read = decode(line.as_bytes()).unwrap();
            prop_assert_eq!((read.seq, read.ts, read.record), (seq, *ts, *record));
            text += line.as_str();
            text.push('\n');
        }
        let count = u32::try_from(records.len()).unwrap();
        let end = decode(writer.end(Timestamp::UNKNOWN, RunStatus::Ok).as_bytes()).unwrap();
        let expected = End { records: count, status: RunStatus::Ok, digest: Digest::of(text.as_bytes()) };
        prop_assert_eq!((end.seq, end.record), (count, Record::End(expected)));
    }

    #[test]
    fn the_digest_of_a_stream_tells_its_lines_apart(lines in prop::collection::vec("[a-c]{0,3}", 0..5)) {
        let mut streamed = StreamDigest::default();
        lines.iter().for_each(|line| streamed.add(line.as_bytes()));
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        prop_assert_eq!(streamed.digest(), Digest::of(text.as_bytes()));
    }
}
