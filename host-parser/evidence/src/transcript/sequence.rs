//! The order of a boot's records: missing, duplicate and misplaced ones.

use std::collections::HashMap;

use abi::wire::{Record, StreamDigest};

use super::{Defect, DefectKind, Located};

/// Checks the numbers of `records`, which are in the order of the log. Gives back each number's first record, and
/// what is wrong beyond the `broken` lines, which are in their order.
pub(super) fn examine(records: Vec<Located>, broken: &[Defect]) -> (Vec<Located>, Vec<Defect>) {
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

/// The numbers that are missing, but for those at a broken line: what was lost there is one loss, already reported.
fn gaps(kept: &[Located], broken: &[Defect]) -> Vec<Defect> {
    let mut order: Vec<(u32, u64)> =
        kept.iter().map(|located| (located.envelope.seq, located.line)).collect();
    order.sort_unstable();
    let mut found = Vec::new();
    let (mut expected, mut after) = (0, 0);
    for (seq, line) in order {
        let next_broken = broken.partition_point(|defect| defect.line <= after);
        let explained = broken.get(next_broken).is_some_and(|defect| defect.line <= line);
        if seq > expected && !explained {
            found.push(Defect { line, kind: DefectKind::Gap { first: expected, count: seq - expected } });
        }
        // A number cannot be followed by another past the last one; a stream has no more than 2^32 records.
        expected = seq.saturating_add(1);
        after = line;
    }
    found
}

/// Whether `end` sums up the records before it, whose lines have this digest; for a stream in which nothing else is wrong.
pub(super) fn check_end(records: &[Located], digest: &StreamDigest) -> Option<Defect> {
    let last = records.last()?;
    let Record::End(end) = last.envelope.record else { return None };
    let fail = |kind| Some(Defect { line: last.line, kind });
    if end.records != last.envelope.seq {
        return fail(DefectKind::EndCount { said: end.records, found: last.envelope.seq });
    }
    if digest.digest() == end.digest { None } else { fail(DefectKind::EndDigest) }
}
