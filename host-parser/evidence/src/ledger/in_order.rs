//! A map whose keys nearly always come in order. It takes no more memory than its entries then: a log may have hundreds of
//! thousands of boots, and the nodes of a tree that is filled in order stay half empty.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A map by a key that nearly always comes in order.
#[derive(Clone, Debug)]
pub(super) struct InOrder<K, V> {
    /// All entries, sorted, as long as the keys came in order.
    sorted: Vec<(K, V)>,
    /// All entries after that.
    tree: BTreeMap<K, V>,
}

impl<K, V> Default for InOrder<K, V> {
    fn default() -> Self {
        Self { sorted: Vec::new(), tree: BTreeMap::new() }
    }
}

impl<K: Copy + Ord, V> InOrder<K, V> {
    /// Makes room for entries, so that it need not be moved while it grows.
    pub fn reserve(&mut self, entries: usize) {
        self.sorted.reserve(entries);
    }

    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty() && self.tree.is_empty()
    }

    /// Adds an entry, in place of an earlier one with its key.
    pub fn insert(&mut self, key: K, value: V) {
        if self.tree.is_empty() {
            match self.sorted.last_mut() {
                Some(last) if last.0 == key => return last.1 = value,
                Some(last) if last.0 > key => self.tree.extend(std::mem::take(&mut self.sorted)),
                _ => return self.sorted.push((key, value)),
            }
        }
        self.tree.insert(key, value);
    }

    pub fn get(&self, key: K) -> Option<&V> {
        match self.sorted.binary_search_by_key(&key, |entry| entry.0) {
            Ok(at) => Some(&self.sorted[at].1),
            Err(_) => self.tree.get(&key),
        }
    }

    /// The entries with these keys, in order.
    pub fn range(&self, keys: RangeInclusive<K>) -> impl Iterator<Item = (K, &V)> {
        let begin = self.sorted.partition_point(|entry| entry.0 < *keys.start());
        let in_range = self.sorted[begin..].iter().take_while({
            let end = *keys.end();
            move |entry| entry.0 <= end
        });
        in_range
            .map(|entry| (entry.0, &entry.1))
            .chain(self.tree.range(keys).map(|(&key, value)| (key, value)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_a_map_in_any_order(
            ordered in prop::collection::btree_set(0_u8..40, 0..20),
            others in prop::collection::vec(0_u8..40, 0..10),
            (from, to) in (0_u8..40, 0_u8..40),
        ) {
            let (mut found, mut due) = (InOrder::default(), BTreeMap::new());
            for (value, &key) in (0_u32..).zip(ordered.iter().chain(&others)) {
                found.insert(key, value);
                due.insert(key, value);
                prop_assert_eq!(found.get(key), Some(&value));
            }
            prop_assert_eq!(found.is_empty(), due.is_empty());
            prop_assert!((0..40).all(|key| found.get(key) == due.get(&key)));
            let (from, to) = (from.min(to), from.max(to));
            let range: Vec<_> = found.range(from..=to).map(|(key, &value)| (key, value)).collect();
            let of_tree: Vec<_> = due.range(from..=to).map(|(&key, &value)| (key, value)).collect();
            prop_assert_eq!(range, of_tree);
        }
    }
}
