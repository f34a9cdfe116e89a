//! The order of a boot's records: what is missing, doubled or misplaced.

use std::collections::HashMap;

use abi::wire::{Record, StreamDigest, encode};

use super::{Defect, DefectKind, Located};

/// A line in which records were lost.
pub(super) struct Broken {
    /// The line.
    pub line: u64,
    /// How many records the line accounts for: one for each tag in it.
    pub tags: u32,
}

/// Looks at the numbers of `records`, which are in the order of the log. Gives back each number's first record, and
/// what is wrong.
pub(super) fn examine(records: Vec<Located>, broken: &[Broken]) -> (Vec<Located>, Vec<Defect>) {
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

/// The numbers that are missing, less those that broken lines at the same place account for.
fn gaps(kept: &[Located], broken: &[Broken]) -> Vec<Defect> {
    let mut order: Vec<(u32, u64)> =
        kept.iter().map(|located| (located.envelope.seq, located.line)).collect();
    order.sort_unstable();
    let (lost, mut found) = (Lost::new(broken), Vec::new());
    let (mut expected, mut after) = (0, 0);
    for (seq, line) in order {
        let missing = seq - expected;
        let lost = if missing == 0 { 0 } else { lost.between(after, line) };
        if missing > lost {
            found.push(Defect { line, kind: DefectKind::Gap { first: expected, count: missing - lost } });
        }
        // A number cannot be followed by another past the last one; a stream has no more than 2^32 records.
        expected = seq.saturating_add(1);
        after = line;
    }
    found
}

/// For how many records each line of `broken`, and all before it, account.
struct Lost {
    lines: Vec<u64>,
    sums: Vec<u32>,
}

impl Lost {
    /// `broken` is in the order of its lines.
    fn new(broken: &[Broken]) -> Self {
        let sums = broken.iter().scan(0_u32, |sum, broken| {
            *sum = sum.saturating_add(broken.tags);
            Some(*sum)
        });
        Self { lines: broken.iter().map(|broken| broken.line).collect(), sums: sums.collect() }
    }

    fn up_to(&self, line: u64) -> u32 {
        let count = self.lines.partition_point(|&at| at <= line);
        count.checked_sub(1).map_or(0, |last| self.sums[last])
    }

    /// How many records were lost in the lines after `after` and up to `line`.
    fn between(&self, after: u64, line: u64) -> u32 {
        self.up_to(line).saturating_sub(self.up_to(after))
    }
}

/// Whether `end` sums up the records before it; for a stream in which nothing else is wrong.
pub(super) fn check_end(records: &[Located]) -> Option<Defect> {
    let (last, before) = records.split_last()?;
    let Record::End(end) = last.envelope.record else { return None };
    let fail = |kind| Some(Defect { line: last.line, kind });
    if end.records != last.envelope.seq {
        return fail(DefectKind::EndCount { said: end.records, found: last.envelope.seq });
    }
    let mut digest = StreamDigest::default();
    for located in before {
        // What `decode` accepts, `encode` gives back byte for byte: these are the lines of the log.
        digest.add(encode(&located.envelope).as_bytes());
    }
    if digest.digest() == end.digest { None } else { fail(DefectKind::EndDigest) }
}
