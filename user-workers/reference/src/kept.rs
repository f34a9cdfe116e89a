//! What was worked out once and does not depend on the challenge.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// A cache with room for a number of entries; a further one empties it.
pub struct Kept<K, V> {
    entries: Mutex<Option<HashMap<K, V>>>,
    room: usize,
}

impl<K: Copy + Eq + Hash, V: Clone> Kept<K, V> {
    pub const fn new(room: usize) -> Self {
        Self { entries: Mutex::new(None), room }
    }

    /// The entry of `key`, which `make` works out if it is not there. No lock is held meanwhile.
    pub fn get(&self, key: K, make: impl FnOnce() -> V) -> V {
        if let Some(value) = self.with(|entries| entries.get(&key).cloned()) {
            return value;
        }
        let value = make();
        self.with(|entries| {
            if entries.len() >= self.room {
                entries.clear();
            }
            entries.insert(key, value.clone());
        });
        value
    }

    /// An entry that a panic left behind is whole: it was inserted at once.
    fn with<R>(&self, use_it: impl FnOnce(&mut HashMap<K, V>) -> R) -> R {
        use_it(self.entries.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_each_entry_once_and_forgets_when_full() {
        let kept = Kept::new(2);
        let mut made = 0;
        let mut get = |key| {
            let value = kept.get(key, || {
                made += 1;
                key * 10
            });
            (value, made)
        };
        assert_eq!([get(1), get(1), get(2), get(1)], [(10, 1), (10, 1), (20, 2), (10, 2)]);
        assert_eq!([get(3), get(1)], [(30, 3), (10, 4)]);
    }
}
