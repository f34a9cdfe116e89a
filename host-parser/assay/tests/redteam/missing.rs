//! Evidence that is not there: removed, zero, or out of range.

use abi::wire::Record;
use abi::wire::record::Gap;

use crate::attack::{Attack, repel};
use crate::boots::{edited, without};

/// Changes the gaps of every CPU.
fn gaps(change: fn(&mut Gap)) -> impl Fn(&mut Record) {
    move |record| {
        if let Record::Gap(gap) = record {
            change(gap);
        }
    }
}

#[test]
fn a_number_that_says_nothing_was_read_is_no_evidence() {
    let zero = |name, logs| Attack { name, logs, options: &[], code: 5, says: &["evidence-missing"] };
    repel(&[
        zero("08: no readings before", || edited(|_, r| gaps(|gap| gap.reads_before = 0)(r))),
        zero("08: no readings after", || edited(|_, r| gaps(|gap| gap.reads_after = 0)(r))),
        zero("no gap before", || edited(|_, r| gaps(|gap| gap.before = 0)(r))),
        zero("no gap after", || edited(|_, r| gaps(|gap| gap.after = 0)(r))),
    ]);
}

#[test]
fn a_record_that_was_removed_is_no_evidence() {
    let gone = |name, logs, says| Attack { name, logs, options: &[], code: 5, says };
    let missing: &[&str] = &["evidence-missing"];
    repel(&[
        gone("gaps", || without(|r| matches!(r, Record::Gap(_))), &["NOT MADE"]),
        gone("marks", || without(|r| matches!(r, Record::Mark(_))), missing),
        gone("regions", || without(|r| matches!(r, Record::Region(_))), missing),
        gone("second clock", || without(|r| matches!(r, Record::SecondClock(_))), missing),
        gone("challenge", || without(|r| matches!(r, Record::Challenge(_))), missing),
        gone("warp test", || without(|r| matches!(r, Record::Warp(_))), &["NOT MADE"]),
        gone("clock", || without(|r| matches!(r, Record::Tsc(_))), &["disclosure-missing"]),
        gone("answers", || without(|r| matches!(r, Record::Answer(_))), &["inconsistent-record"]),
        gone("program", || without(|r| matches!(r, Record::Blob(_))), &["disclosure-missing"]),
        gone("system", || without(|r| matches!(r, Record::System(_))), &["disclosure-missing"]),
        gone("case-ready", || without(|r| matches!(r, Record::CaseReady(_))), &["inconsistent-record"]),
    ]);
}
