//! Free memory. Firmware reports it in any order, in hundreds of pieces, not always page-aligned.

const PAGE: u64 = 4096;
const MIB: u64 = 1 << 20;

/// A range of physical addresses; `end` is not in it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Region {
    /// First address.
    pub start: u64,
    /// The address past the last.
    pub end: u64,
}

impl Region {
    /// The whole pages in it.
    fn pages(self) -> Option<Self> {
        let start = self.start.checked_next_multiple_of(PAGE)?;
        let end = self.end / PAGE * PAGE;
        (start < end).then_some(Self { start, end })
    }

    const fn bytes(self) -> u64 {
        self.end - self.start
    }
}

/// The most regions that are kept. UEFI gives some 130 that merge into fewer than 20.
const CAPACITY: usize = 128;

/// Free memory from 1 MiB on: whole pages, in order, merged.
#[derive(Clone, Debug)]
pub struct MemoryMap {
    regions: [Region; CAPACITY],
    len: usize,
}

impl MemoryMap {
    /// The map of `usable` regions. If there are too many, the smallest are dropped. `None` if there is
    /// no memory at all.
    #[must_use]
    pub fn new(usable: impl Iterator<Item = Region>) -> Option<Self> {
        let mut this = Self { regions: [Region::default(); CAPACITY], len: 0 };
        for region in usable {
            let above = Region { start: region.start.max(MIB), end: region.end };
            if let Some(pages) = above.pages() {
                this.insert(pages);
            }
        }
        (this.len > 0).then_some(this)
    }

    /// The regions, in order.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions[..self.len]
    }

    /// Bytes in all.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.regions().iter().map(|region| region.bytes()).sum()
    }

    /// Takes `bytes`, a multiple of the page size, off the bottom of the lowest region that has them.
    pub fn take(&mut self, bytes: u64) -> Option<Region> {
        let at = self.regions().iter().position(|region| region.bytes() >= bytes)?;
        let region = &mut self.regions[at];
        let taken = Region { start: region.start, end: region.start + bytes };
        region.start = taken.end;
        if region.bytes() == 0 {
            self.remove(at);
        }
        Some(taken)
    }

    /// Takes `bytes`, a power of two and a multiple of the page size, off the lowest region that has them at a multiple of
    /// `bytes`, as high in that region as they can lie: single pages are taken off the bottom, so that few large pieces
    /// are broken. A region is not cut in two if there is no room for another: nothing gets lost.
    pub fn take_aligned(&mut self, bytes: u64) -> Option<Region> {
        let (at, taken) = self.regions().iter().enumerate().find_map(|(at, region)| {
            let end = region.end / bytes * bytes;
            let start = end.checked_sub(bytes).filter(|&start| start >= region.start)?;
            let cuts = start > region.start && end < region.end;
            (!cuts || self.len < CAPACITY).then_some((at, Region { start, end }))
        })?;
        let above = Region { start: taken.end, end: self.regions[at].end };
        self.regions[at].end = taken.start;
        if self.regions[at].bytes() == 0 {
            self.remove(at);
        }
        if above.bytes() > 0 {
            self.insert(above);
        }
        Some(taken)
    }

    /// Takes every page that `used` touches out of the map: there is something in it that is still needed. If that cuts a
    /// region in two and there is no room for another, the smallest region of all is lost.
    pub fn reserve(&mut self, used: Region) {
        if used.start >= used.end {
            return;
        }
        let (start, end) = (used.start / PAGE * PAGE, used.end.saturating_add(PAGE - 1) / PAGE * PAGE);
        let touched = |region: &Region| region.start < end && start < region.end;
        while let Some(at) = self.regions().iter().position(touched) {
            let region = self.regions[at];
            self.remove(at);
            let below = Region { end: region.end.min(start), ..region };
            let above = Region { start: region.start.max(end), ..region };
            for left in [below, above] {
                if left.start < left.end {
                    self.insert(left);
                }
            }
        }
    }

    /// Adds a region of whole pages, merged with every region that it touches or overlaps.
    fn insert(&mut self, mut new: Region) {
        let mut at = 0;
        while at < self.len {
            let old = self.regions[at];
            if old.end < new.start {
                at += 1;
            } else if old.start <= new.end {
                new = Region { start: old.start.min(new.start), end: old.end.max(new.end) };
                self.remove(at);
            } else {
                break;
            }
        }
        if self.len == CAPACITY {
            let Some(smallest) = (0..self.len).min_by_key(|&i| self.regions[i].bytes()) else { return };
            if self.regions[smallest].bytes() >= new.bytes() {
                return;
            }
            self.remove(smallest);
            at -= usize::from(smallest < at);
        }
        self.regions.copy_within(at..self.len, at + 1);
        self.regions[at] = new;
        self.len += 1;
    }

    fn remove(&mut self, at: usize) {
        self.regions.copy_within(at + 1..self.len, at);
        self.len -= 1;
    }
}

/// A free page below 1 MiB for the trampoline: from 0x8000 on if there is one, since careless firmware leaves data just
/// above its data area; else the lowest except page 0.
#[must_use]
pub fn low_page(usable: impl Iterator<Item = Region> + Clone) -> Option<u64> {
    lowest_page_from(0x8000, usable.clone()).or_else(|| lowest_page_from(PAGE, usable))
}

/// The lowest whole page in `usable` from the address `from` on and below the end of conventional memory.
fn lowest_page_from(from: u64, usable: impl Iterator<Item = Region>) -> Option<u64> {
    /// The legacy video memory begins here.
    const CONVENTIONAL_END: u64 = 0xa_0000;
    let below = usable
        .map(|region| Region { start: region.start.max(from), end: region.end.min(CONVENTIONAL_END) })
        .filter(|region| region.start < region.end);
    below.filter_map(Region::pages).map(|region| region.start).min()
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn region((start, end): (u64, u64)) -> Region {
        Region { start, end }
    }

    fn merged(regions: &[(u64, u64)]) -> Vec<(u64, u64)> {
        let map = MemoryMap::new(regions.iter().copied().map(region));
        map.map(|map| map.regions().iter().map(|r| (r.start, r.end)).collect()).unwrap_or_default()
    }

    #[test]
    fn a_terabyte_in_hundreds_of_pieces_keeps_its_largest() {
        // A hole after each: pieces of 1 MiB, and every eighth one of 12 GiB.
        let sizes = (0..680_u64).map(|n| if n % 8 == 0 { 12 << 30 } else { MIB });
        let mut at = 4 * MIB;
        let pieces: Vec<_> = sizes
            .map(|bytes| {
                let region = Region { start: at, end: at + bytes };
                at = region.end + 64 * MIB;
                region
            })
            .collect();
        assert!(at > 1 << 40);
        let mut map = MemoryMap::new(pieces.iter().rev().copied()).unwrap();
        assert_eq!(map.regions().len(), CAPACITY);
        assert!(map.regions().is_sorted_by_key(|region| region.start));
        assert_eq!(map.bytes(), 85 * (12 << 30) + (CAPACITY as u64 - 85) * MIB);
        // Taking memory does not touch the memory itself.
        assert_eq!(map.take(1 << 30).map(|region| region.end - region.start), Some(1 << 30));
    }

    #[test]
    fn sorts_merges_and_clips_to_pages_from_1_mib() {
        let unordered =
            [(0x40_0000, 0x50_0000), (0, 0x9_fc00), (0x10_0123, 0x20_0fff), (0x20_0000, 0x30_0000)];
        assert_eq!(merged(&unordered), [(0x10_1000, 0x30_0000), (0x40_0000, 0x50_0000)]);
        assert_eq!(merged(&[(0, 0x9_fc00)]), []);
        assert_eq!(merged(&[(0x30_0000, 0x20_0000), (u64::MAX - 1, u64::MAX)]), []);
    }

    #[test]
    fn keeps_the_largest_if_there_are_too_many() {
        let many = (0..CAPACITY as u64 + 50)
            .map(|i| Region { start: MIB * (2 * i + 1), end: MIB * (2 * i + 1) + PAGE * (i + 1) });
        let map = MemoryMap::new(many).unwrap();
        assert_eq!(map.regions().len(), CAPACITY);
        assert_eq!(map.regions()[0].bytes(), 51 * PAGE);
    }

    #[test]
    fn takes_from_the_bottom_until_nothing_is_left() {
        let mut map = MemoryMap::new([region((MIB, MIB + 3 * PAGE))].into_iter()).unwrap();
        assert_eq!(map.take(2 * PAGE), Some(region((MIB, MIB + 2 * PAGE))));
        assert_eq!(map.take(2 * PAGE), None);
        assert_eq!(map.take(PAGE), Some(region((MIB + 2 * PAGE, MIB + 3 * PAGE))));
        assert_eq!((map.take(PAGE), map.bytes()), (None, 0));
    }

    #[test]
    fn takes_aligned_pieces_and_keeps_what_is_around_them() {
        let mut map = MemoryMap::new([region((MIB, 9 * MIB + PAGE))].into_iter()).unwrap();
        let two = 2 * MIB;
        assert_eq!(map.take_aligned(two), Some(region((6 * MIB, 8 * MIB))));
        assert_eq!(map.regions(), [region((MIB, 6 * MIB)), region((8 * MIB, 9 * MIB + PAGE))]);
        assert_eq!(map.take_aligned(two), Some(region((4 * MIB, 6 * MIB))));
        assert_eq!(map.take(PAGE), Some(region((MIB, MIB + PAGE))));
        assert_eq!(map.take_aligned(two), Some(region((two, 2 * two))));
        assert_eq!(map.take_aligned(two), None);
        assert_eq!(map.bytes(), MIB - PAGE + MIB + PAGE);
        // A map without room for another region.
        let pieces = (0..CAPACITY as u64).map(|i| region((MIB * (16 * i + 1), MIB * (16 * i + 4))));
        let mut full = MemoryMap::new(pieces).unwrap();
        let bytes = full.bytes();
        let taken = full.take_aligned(two).unwrap();
        assert_eq!((full.bytes(), taken.end - taken.start), (bytes - two, two));
        // A piece that is a whole region.
        let mut map = MemoryMap::new([region((two, 2 * two))].into_iter()).unwrap();
        assert_eq!((map.take_aligned(two), map.bytes()), (Some(region((two, 2 * two))), 0));
    }

    #[test]
    fn reserves_whole_pages_and_keeps_what_is_around_them() {
        let left = |used: &[(u64, u64)]| {
            let regions = [(MIB, 2 * MIB), (4 * MIB, 5 * MIB)].map(region);
            let mut map = MemoryMap::new(regions.into_iter()).unwrap();
            used.iter().for_each(|&used| map.reserve(region(used)));
            map.regions().iter().map(|left| (left.start, left.end)).collect::<Vec<_>>()
        };
        let all = [(MIB, 2 * MIB), (4 * MIB, 5 * MIB)];
        assert_eq!(left(&[]), all);
        assert_eq!(left(&[(0, MIB), (2 * MIB, 4 * MIB), (5 * MIB, u64::MAX), (3, 3)]), all);
        let cut = [(MIB, MIB + PAGE), (MIB + 3 * PAGE, 2 * MIB), all[1]];
        assert_eq!(left(&[(MIB + PAGE + 5, MIB + 2 * PAGE + 1)]), cut);
        assert_eq!(left(&[(MIB + PAGE, MIB + PAGE + 1), (MIB + 2 * PAGE, MIB + 3 * PAGE)]), cut);
        assert_eq!(left(&[(MIB - 1, MIB + 1)]), [(MIB + PAGE, 2 * MIB), all[1]]);
        assert_eq!(left(&[(2 * MIB - 1, 4 * MIB + 1)]), [(MIB, 2 * MIB - PAGE), (4 * MIB + PAGE, 5 * MIB)]);
        assert_eq!(left(&[(0, u64::MAX)]), []);
        // A map without room for another region loses the smallest, and nothing that is used.
        let pieces = (0..CAPACITY as u64).map(|i| region((MIB * (16 * i + 1), MIB * (16 * i + 4))));
        let mut full = MemoryMap::new(pieces).unwrap();
        full.reserve(region((2 * MIB, 2 * MIB + 1)));
        assert_eq!(full.regions().len(), CAPACITY);
        assert_eq!(full.regions()[0], region((2 * MIB + PAGE, 4 * MIB)));
    }

    #[test]
    fn finds_a_page_for_the_start_of_cpus() {
        let low = |regions: &[(u64, u64)]| {
            low_page(regions.iter().copied().map(region).collect::<Vec<_>>().into_iter())
        };
        assert_eq!(low(&[(0, 0x9_fc00), (MIB, 2 * MIB)]), Some(0x8000));
        assert_eq!(low(&[(0, 0x1800), (0x9_0001, 0x9_f000)]), Some(0x9_1000));
        assert_eq!(low(&[(0, 0x3000)]), Some(0x1000));
        assert_eq!(low(&[(0, 0x1fff), (MIB, 2 * MIB)]), None);
    }

    proptest! {
        #[test]
        fn what_is_reserved_is_not_in_the_map(
            regions in proptest::collection::vec((0_u64..400, 0_u64..400), 0..40),
            used in proptest::collection::vec((0_u64..400, 0_u64..400), 0..20)
        ) {
            let scaled = |&(a, b): &(u64, u64)| region((a * 0x800 + MIB, b * 0x800 + MIB));
            let Some(mut map) = MemoryMap::new(regions.iter().map(scaled)) else { return Ok(()) };
            let before = map.clone();
            used.iter().map(scaled).for_each(|used| map.reserve(used));
            prop_assert!(map.regions().windows(2).all(|two| two[0].end < two[1].start));
            for page in (0..200).map(|page| MIB + page * PAGE) {
                let is_in = |map: &MemoryMap| map.regions().iter().any(|of| of.start <= page && page < of.end);
                let is_used = used.iter().map(scaled).any(|of| {
                    of.start < of.end && of.start < page + PAGE && page < of.end
                });
                prop_assert_eq!(is_in(&map), is_in(&before) && !is_used, "{:#x}", page);
            }
        }

        #[test]
        fn is_always_ordered_disjoint_and_within_the_input(
            regions in proptest::collection::vec((0_u64..400, 0_u64..400), 0..200)
        ) {
            let scaled: Vec<_> = regions.iter().map(|&(a, b)| (a * 0x800 + MIB, b * 0x800 + MIB)).collect();
            let map = merged(&scaled);
            prop_assert!(map.windows(2).all(|w| w[0].1 < w[1].0));
            for (start, end) in map {
                for page in (start..end).step_by(0x800) {
                    prop_assert!(scaled.iter().any(|&(a, b)| a <= page && page + 0x800 <= b));
                }
            }
        }
    }
}
