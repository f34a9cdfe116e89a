//! The map of `kv-btree`: the standard library's.

use alloc::collections::BTreeMap;

use super::store::{Map, Value};

/// A B-tree.
pub type BTree = BTreeMap<u64, Value>;

impl Map for BTree {
    fn insert(&mut self, key: u64, value: Value) {
        BTreeMap::insert(self, key, value);
    }

    fn value(&mut self, key: u64) -> Option<&mut Value> {
        self.get_mut(&key)
    }
}
