//! Every record, there and back; and that nothing else comes back.

mod support;

use abi::wire::{Envelope, LineError, MAX_LINE_BYTES, Record, decode, encode, is_tagged, line::TAG};
use proptest::prelude::*;
use support::{record, timestamp};

fn envelope() -> impl Strategy<Value = Envelope> {
    (any::<u32>(), timestamp(), record()).prop_map(|(seq, ts, record)| Envelope { seq, ts, record })
}

/// A line, and one of its bytes made another.
fn changed_line() -> impl Strategy<Value = (Vec<u8>, usize, Vec<u8>)> {
    (envelope(), any::<prop::sample::Index>(), 1..=u8::MAX).prop_map(|(envelope, at, flip)| {
        let good = encode(&envelope).as_bytes().to_vec();
        let at = at.index(good.len());
        let mut bad = good.clone();
        bad[at] ^= flip;
        (good, at, bad)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_record_comes_back_as_it_was(envelope in envelope()) {
        let line = encode(&envelope);
        prop_assert_eq!(decode(line.as_bytes()), Ok(envelope));
        prop_assert!(is_tagged(line.as_bytes()) && line.as_bytes().len() <= MAX_LINE_BYTES);
        prop_assert!(line.as_bytes().iter().all(|byte| (b' '..=b'~').contains(byte)));
    }

    #[test]
    fn a_changed_byte_is_noticed((good, at, bad) in changed_line()) {
        prop_assert!(decode(&bad).is_err(), "byte {} of {}", at, String::from_utf8_lossy(&good));
        // It is passed over as console text only if the tag itself was hit; the gap in `seq` shows that.
        prop_assert!(is_tagged(&bad) || at < "ASSAY1 s".len());
    }

    #[test]
    fn a_cut_line_is_noticed(envelope in envelope(), at in any::<prop::sample::Index>()) {
        let line = encode(&envelope);
        let bytes = line.as_bytes();
        prop_assert!(decode(&bytes[..at.index(bytes.len())]).is_err());
        prop_assert!(decode(&bytes[1 + at.index(bytes.len() - 1)..]).is_err());
    }

    #[test]
    fn two_lines_on_one_are_noticed(first in envelope(), second in envelope(), at in any::<prop::sample::Index>()) {
        let (first, second) = (encode(&first), encode(&second));
        let torn = [&first.as_bytes()[..at.index(first.as_bytes().len())], second.as_bytes()].concat();
        prop_assert!(torn == second.as_bytes() || decode(&torn).is_err());
        prop_assert!(is_tagged(&torn));
    }

    #[test]
    fn any_bytes_are_a_record_in_its_one_form_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..260)) {
        if let Ok(envelope) = decode(&bytes) {
            prop_assert!(encode(&envelope).as_bytes() == bytes);
        }
        let _ = is_tagged(&bytes);
    }

    #[test]
    fn text_that_looks_like_a_record_is_one_in_its_one_form_or_an_error(
        body in "( (seq|ts|ev|proto|case|crc)=[0-9a-z.-]{0,6}){0,8} ?",
    ) {
        // With a right checksum, so that what is behind it is reached.
        let covered = format!("{TAG}{body}");
        let line = format!("{covered}crc={:08x}", crc32fast::hash(covered.as_bytes()));
        if let Ok(envelope) = decode(line.as_bytes()) {
            prop_assert!(encode(&envelope).as_str() == line);
        }
    }
}

#[test]
fn every_record_is_made_and_its_longest_form_fits() {
    let envelope_bytes = "ASSAY1 seq=4294967295 ts=4294967295.999999 ev=".len() + " crc=00000000".len();
    for spec in Record::SPECS {
        assert!(envelope_bytes + spec.name.len() + spec.max_len <= MAX_LINE_BYTES, "{}", spec.name);
        assert!(!spec.doc.trim().is_empty() && spec.fields.iter().all(|field| !field.doc.trim().is_empty()));
    }
    let mut names: Vec<_> = Record::SPECS.iter().map(|spec| spec.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Record::SPECS.len());
}

#[test]
fn says_why_a_line_is_no_record() {
    let cases: [(&[u8], LineError); 7] = [
        (b"", LineError::Version),
        (b"ASSAY2 seq=0 ts=- ev=start", LineError::Version),
        (b"ASSAY12 seq=0 ts=- ev=start crc=00000000", LineError::Version),
        (b"ASSAY1 seq=0 ts=- ev=start", LineError::Envelope),
        (b"ASSAY1 seq=0 ts=- ev=start crc=00000000", LineError::Checksum),
        (b"ASSAY1 seq=0\t", LineError::NotAscii),
        (&[b'A'; MAX_LINE_BYTES + 1], LineError::TooLong),
    ];
    for (line, error) in cases {
        assert_eq!(decode(line), Err(error), "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn a_tag_is_seen_wherever_it_stands_and_nowhere_else() {
    for tagged in ["ASSAY1 seq=0", "ASSAY2 seq=0", "ASSAY12 seq=0", "ASSAY1 seASSAY1 seq=0", "x ASSAY1 s"] {
        assert!(is_tagged(tagged.as_bytes()), "{tagged}");
    }
    for text in ["", "ASSAY1", "ASSAY1 ", "ASSAY-PLAN2 seq", "assay1 seq=0", "ASSAYS seq=0", "ASSAY1 of gold"]
    {
        assert!(!is_tagged(text.as_bytes()), "{text}");
    }
}

#[test]
fn no_record_can_end_in_another_one() {
    // A reader of lines may therefore try the whole line first: only the envelope has these.
    let mut fields = Record::SPECS.iter().flat_map(|spec| spec.fields);
    assert!(fields.all(|field| !["seq", "ts", "ev", "crc"].contains(&field.key)));
}
