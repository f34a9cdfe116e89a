//! The map of `kv-hash`: hashbrown, which is the standard library's, with a hash that is the same in every run.

use core::hash::{BuildHasherDefault, Hasher};

use abi::random::mix;
use hashbrown::HashMap;

use super::store::{Map, Value};

/// A table with open addressing.
pub type Hash = HashMap<u64, Value, BuildHasherDefault<Mixer>>;

/// Hashes one number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        mix(self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0 << 8 ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl Map for Hash {
    fn insert(&mut self, key: u64, value: Value) {
        HashMap::insert(self, key, value);
    }

    fn value(&mut self, key: u64) -> Option<&mut Value> {
        self.get_mut(&key)
    }
}
