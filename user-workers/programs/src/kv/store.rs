//! Reads and updates of records in a map, in the manner of YCSB: keys by Zipf's law, scrambled so that popular ones lie
//! anywhere; values of 100 bytes. Mix A updates half of the time, mix C never.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

use abi::random::{SplitMix64, mix};

use super::digest::fingerprint;

/// The size of a value in bytes: YCSB's ten fields of 100 would be a kilobyte; this is one field.
pub const VALUE_BYTES: usize = 100;

/// A value.
pub type Value = [u8; VALUE_BYTES];

/// Operations for each record of a store.
pub const OPERATIONS: u64 = 2;

/// A map from keys to values.
pub trait Map {
    /// Adds a record.
    fn insert(&mut self, key: u64, value: Value);

    /// The value of a record.
    fn value(&mut self, key: u64) -> Option<&mut Value>;
}

/// What the operations on a store gave.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// The number of reads.
    pub reads: u64,
    /// The number of reads and updates.
    pub operations: u64,
    /// The sum of the fingerprints of the values that were read.
    pub read: u64,
}

impl Tally {
    /// This and another one.
    pub fn with(self, other: Self) -> Self {
        Self {
            reads: self.reads + other.reads,
            operations: self.operations + other.operations,
            read: self.read.wrapping_add(other.read),
        }
    }
}

/// The key of a record of a store.
pub fn key(store: u64, record: u64) -> u64 {
    mix(store << 32 ^ record)
}

/// The value that the update `version` gives a key; 0 for the first.
pub fn value(key: u64, version: u64) -> Value {
    let mut value = [0; VALUE_BYTES];
    let mut random = SplitMix64::new(key ^ version << 48 ^ version);
    for bytes in value.chunks_mut(8) {
        bytes.copy_from_slice(&random.draw().to_le_bytes()[..bytes.len()]);
    }
    value
}

/// Loads the records of a store.
pub fn load(map: &mut impl Map, store: u64, records: u64) {
    for record in 0..records {
        let key = key(store, record);
        map.insert(key, value(key, 0));
    }
}

/// Makes the operations on a store. Of 256, `updates` are updates.
#[inline(never)]
pub fn run(map: &mut impl Map, store: u64, records: u64, updates: u64) -> Tally {
    let mut tally = Tally { operations: records * OPERATIONS, ..Tally::default() };
    let mut random = SplitMix64::new(mix(store));
    for operation in 0..tally.operations {
        let key = key(store, popular(&mut random, records));
        let update = random.draw() & 0xff < updates;
        let Some(place) = map.value(key) else { continue };
        if update {
            *place = value(key, operation + 1);
        } else {
            tally.reads += 1;
            tally.read = tally.read.wrapping_add(fingerprint(place));
        }
    }
    tally
}

/// A record by Zipf's law with exponent 1, scrambled. `records` is not 0.
fn popular(random: &mut SplitMix64, records: u64) -> u64 {
    let bits = u64::BITS - records.leading_zeros();
    loop {
        let below =
            |random: &mut SplitMix64, n: u64| ((u128::from(random.draw()) * u128::from(n)) >> 64) as u64;
        let k = below(random, bits.into());
        let rank = (1 << k) + below(random, 1 << k) - 1;
        if rank < records {
            return mix(rank) % records;
        }
    }
}
