//! The digests that workers leave in their result pages, summed up: a root over those of each worker, and one over all in
//! the order of the workers, which is the same for every number of workers.

use abi::Digest;
use abi::digest::Hasher;
use abi::worker::CHUNK_BYTES;

/// SHA-256 over digests, and their number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ChunkRoot {
    /// How many digests the worker counted.
    pub count: u32,
    /// SHA-256 over those that there is room for.
    pub root: Digest,
}

/// The roots of an iteration.
#[derive(Default)]
pub struct Roots {
    all: Hasher,
    count: u32,
}

impl Roots {
    /// Adds the next worker, which counted `count` digests and has room for `room`. `visit` passes the first bytes of its
    /// result pages on, as many as it is given.
    pub fn add(
        &mut self,
        count: u64,
        room: u16,
        visit: impl FnOnce(usize, &mut dyn FnMut(&[u8])),
    ) -> ChunkRoot {
        let kept = usize::from(room).min(usize::try_from(count).unwrap_or(usize::MAX));
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let mut own = Hasher::default();
        visit(kept * CHUNK_BYTES, &mut |bytes| {
            own.update(bytes);
            self.all.update(bytes);
        });
        self.count = self.count.saturating_add(count);
        ChunkRoot { count, root: own.digest() }
    }

    /// The root over all workers.
    #[must_use]
    pub fn all(self) -> ChunkRoot {
        ChunkRoot { count: self.count, root: self.all.digest() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The roots of workers with these pages.
    fn roots(pages: &[&[u8]]) -> (Vec<ChunkRoot>, ChunkRoot) {
        let mut roots = Roots::default();
        let each = pages.iter().map(|page| {
            let count = (page.len() / CHUNK_BYTES) as u64;
            roots.add(count, 9, |bytes, see| page[..bytes].chunks(40).for_each(see))
        });
        let each = each.collect();
        (each, roots.all())
    }

    #[test]
    fn the_root_over_all_is_the_same_for_every_number_of_workers() {
        let all: Vec<u8> = (0..4 * 32).collect();
        let (one, whole) = roots(&[&all]);
        assert_eq!(one, [whole]);
        assert_eq!(whole, ChunkRoot { count: 4, root: Digest::of(&all) });
        let (three, same) = roots(&[&all[..32], &all[32..96], &all[96..]]);
        assert_eq!(same, whole);
        assert_eq!(three[1], ChunkRoot { count: 2, root: Digest::of(&all[32..96]) });
        let (_, swapped) = roots(&[&all[32..], &all[..32]]);
        assert_ne!(swapped, whole, "the order counts");
    }

    #[test]
    fn a_worker_that_counts_more_than_its_room_shows_it() {
        let page = [7; 64];
        let mut roots = Roots::default();
        let root = roots.add(1 << 40, 2, |bytes, see| see(&page[..bytes]));
        assert_eq!(root, ChunkRoot { count: u32::MAX, root: Digest::of(&page) });
        assert_eq!(roots.all().count, u32::MAX);
    }
}
