//! The order of a boot's records: which are missing, repeated or misplaced.

use std::collections::HashMap;

use abi::wire::{Record, StreamDigest};

use super::{Defect, DefectKind, Located};

/// Checks the sequence numbers of `records`, which are in the order of the log. Returns the first record of each number, and
/// the defects besides the `broken` lines, which are in order too: of each run of broken lines between two records, one is
/// enough.
pub(super) fn examine(records: Vec<Located>, broken: &[u64]) -> (Vec<Located>, Vec<Defect>) {
    if in_order(&records) {
        return (records, Vec::new());
    }
    let mut defects = Vec::new();
    let mut kept: Vec<Located> = Vec::with_capacity(records.len());
    let mut places = HashMap::with_capacity(records.len());
    let (mut highest, mut ended) = (0, false);
    for located in records {
        let seq = located.envelope.seq;
        let kind = match places.get(&seq).map(|&at: &usize| kept[at].envelope == located.envelope) {
            Some(true) => Some(DefectKind::Duplicate { seq }),
            Some(false) => Some(DefectKind::OutOfOrder { seq }),
            None => {
                places.insert(seq, kept.len());
                kept.push(located);
                match () {
                    () if ended => Some(DefectKind::AfterEnd { seq }),
                    () if seq < highest => Some(DefectKind::OutOfOrder { seq }),
                    () => None,
                }
            }
        };
        defects.extend(kind.map(|kind| Defect { line: located.line, kind }));
        highest = highest.max(seq);
        ended |= matches!(located.envelope.record, Record::End(_));
    }
    defects.extend(gaps(&kept, broken));
    (kept, defects)
}

/// Whether the records are numbered from 0 without a gap, and only the last is `end`: as nearly always.
fn in_order(records: &[Located]) -> bool {
    let before_last = records.len().saturating_sub(1);
    let numbered = (0..).zip(records).all(|(seq, located)| located.envelope.seq == seq);
    numbered
        && !records[..before_last].iter().any(|located| matches!(located.envelope.record, Record::End(_)))
}

/// The missing numbers, except at a broken line: that loss is reported already.
fn gaps(kept: &[Located], broken: &[u64]) -> Vec<Defect> {
    let mut order: Vec<(u32, u64)> =
        kept.iter().map(|located| (located.envelope.seq, located.line)).collect();
    order.sort_unstable();
    let mut found = Vec::new();
    let (mut expected, mut after) = (0, 0);
    for (seq, line) in order {
        let next_broken = broken.partition_point(|&broken| broken <= after);
        let explained = broken.get(next_broken).is_some_and(|&broken| broken <= line);
        if seq > expected && !explained {
            found.push(Defect { line, kind: DefectKind::Gap { first: expected, count: seq - expected } });
        }
        // A stream has at most 2^32 records, so no number follows the largest one.
        expected = seq.saturating_add(1);
        after = line;
    }
    found
}

/// Whether the count and the digest in `end` match the records before it. For a stream without other defects.
pub(super) fn check_end(records: &[Located], digest: &StreamDigest) -> Option<Defect> {
    let last = records.last()?;
    let Record::End(end) = last.envelope.record else { return None };
    let fail = |kind| Some(Defect { line: last.line, kind });
    if end.records != last.envelope.seq {
        return fail(DefectKind::EndCount { said: end.records, found: last.envelope.seq });
    }
    if digest.digest() == end.digest { None } else { fail(DefectKind::EndDigest) }
}
