//! `kv-btree` and `kv-hash`: reads and updates of stores, replayed without a map: a record is an index, and its value is
//! made anew from the number of its last update.

#[cfg(test)]
mod tests;

use abi::random::{SplitMix64, mix};

use crate::digest::{bind, fingerprint};
use crate::kept::Kept;
use crate::{Expectation, Needs, Task, Units};

/// The most records of all stores together: some tens of milliseconds.
const MOST_RECORDS: u64 = 1 << 18;

/// Operations for each record.
const OPERATIONS: u64 = 2;

/// The heap for a record: a hash table that grows has had tables of half the size before, is at most half full, and its
/// memory is rounded up to a power of two.
const RECORD_BYTES: u64 = 1024;

/// The heap besides: the list of stores, and the store of the warm-up.
const SPARE_BYTES: u64 = 1 << 20;

/// The results of stores. What the maps are does not matter.
static STORES: Kept<(u64, u64, u64), Tally> = Kept::new(4096);

const UNITS: Units = Units { answer: "reads", work: "operations" };

/// Declares the task for one map: the same but for its name and type.
macro_rules! map {
    ($Name:ident, $name:literal, $doc:literal) => {
        crate::parameters! {
            #[doc = $doc]
            pub struct $Name {
                /// The first store.
                first: {
                    key: "first-store",
                    expected: "a whole number below 262144",
                    fits: |whole| whole.first < MOST_RECORDS,
                },
                /// The end of the stores, itself not one.
                end: {
                    key: "end-store",
                    expected: "a whole number above the first store, so that all stores together have at most 262144 \
                               records",
                    fits: |whole| whole.first < whole.end
                        && (whole.end - whole.first).saturating_mul(whole.records) <= MOST_RECORDS,
                },
                /// The records of each store. Twice as many operations are made on it.
                records: {
                    key: "records",
                    expected: "a whole number of at least 1 and at most 262144",
                    fits: |whole| (1..=MOST_RECORDS).contains(&whole.records),
                },
                /// How many of 256 operations are updates: 128 in mix A, 0 in mix C.
                updates: {
                    key: "updates-of-256",
                    expected: "a whole number of at most 256",
                    fits: |whole| whole.updates <= 256,
                },
            }
        }

        impl Task for $Name {
            const NAME: &'static str = $name;

            const UNITS: Units = UNITS;

            const NEEDS: Needs = Needs { prepare: true, ..Needs::NONE };

            fn example() -> Self {
                Self { first: 1, end: 9, records: 500, updates: 128 }
            }

            fn expectation(&self, challenge: u64) -> Expectation {
                expectation([self.first, self.end, self.records, self.updates], challenge)
            }

            fn memory_bytes(&self) -> u64 {
                let stores = self.end.saturating_sub(self.first).min(MOST_RECORDS);
                let records = stores.saturating_mul(self.records.min(MOST_RECORDS));
                records.min(MOST_RECORDS) * RECORD_BYTES + SPARE_BYTES
            }
        }
    };
}

map!(KvBTree, "kv-btree", "Reads and updates of records in B-trees.");
map!(KvHash, "kv-hash", "Reads and updates of records in hash tables.");

/// What a store gives.
#[derive(Clone, Copy)]
struct Tally {
    reads: u64,
    /// The sum of the fingerprints of what was read.
    read: u64,
}

fn expectation([first, end, records, updates]: [u64; 4], challenge: u64) -> Expectation {
    let records = records.min(MOST_RECORDS);
    let [first, end] = [first, end].map(|bound| bound.min(2 * MOST_RECORDS));
    let end = end.min(first.saturating_add(MOST_RECORDS / records.max(1)));
    let tallies =
        (first..end).map(|store| STORES.get((store, records, updates), || tally(store, records, updates)));
    tallies
        .map(|Tally { reads, read }| Expectation {
            answer: reads,
            work: records * OPERATIONS,
            digest: bind(read, challenge),
        })
        .sum()
}

fn tally(store: u64, records: u64, updates: u64) -> Tally {
    let mut versions = vec![0_u64; usize::try_from(records).unwrap_or_default()];
    let mut random = SplitMix64::new(mix(store));
    let mut tally = Tally { reads: 0, read: 0 };
    for operation in 1..=records * OPERATIONS {
        let record = popular(&mut random, versions.len());
        if random.draw() & 0xff < updates {
            versions[record] = operation;
        } else {
            tally.reads += 1;
            let key = mix(store << 32 ^ record as u64);
            tally.read = tally.read.wrapping_add(fingerprint(&value(key, versions[record])));
        }
    }
    tally
}

/// A record: its rank has k random bits after the first, k uniform, so that the density falls as 1/rank; ranks beyond the
/// records are drawn again.
fn popular(random: &mut SplitMix64, records: usize) -> usize {
    loop {
        let k = random.below((records.ilog2() + 1) as usize);
        let rank = (1 << k) - 1 + random.below(1 << k);
        if rank < records {
            let scrambled = mix(rank as u64) % records as u64;
            return usize::try_from(scrambled).unwrap_or_default();
        }
    }
}

/// 100 bytes of the generator of a key and the number of the update, 0 if there was none.
fn value(key: u64, version: u64) -> Vec<u8> {
    let mut random = SplitMix64::new(key ^ version << 48 ^ version);
    (0..13).flat_map(|_| random.draw().to_le_bytes()).take(100).collect()
}
