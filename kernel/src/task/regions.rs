//! What is mapped in an address space: ranges of pages, sorted, none over another. Nothing here needs hardware.

use abi::object::Status;
use alloc::vec::Vec;
use core::ops::Range;

/// The most ranges of an address space: a bound for what a task can make the kernel keep.
pub const MOST: usize = 64;

const PAGE: u64 = 4096;

/// A range of addresses, and what it is of.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Region<T> {
    range: Range<u64>,
    of: T,
}

/// The regions of an address space.
#[derive(Debug)]
pub struct Regions<T> {
    /// By address.
    all: Vec<Region<T>>,
}

impl<T> Default for Regions<T> {
    fn default() -> Self {
        Self { all: Vec::new() }
    }
}

impl<T: Copy + PartialEq> Regions<T> {
    /// No region, and room for all that there may be: no call makes it grow.
    #[must_use]
    pub fn with_room() -> Self {
        Self { all: Vec::with_capacity(MOST) }
    }

    /// Enters a range.
    ///
    /// # Errors
    /// [`Status::Argument`] if it lies over another; [`Status::Full`].
    pub fn insert(&mut self, range: Range<u64>, of: T) -> Result<(), Status> {
        let place = self.all.partition_point(|region| region.range.end <= range.start);
        if self.all.get(place).is_some_and(|next| next.range.start < range.end) {
            return Err(Status::Argument);
        }
        if self.all.len() >= MOST {
            return Err(Status::Full);
        }
        self.all.insert(place, Region { range, of });
        Ok(())
    }

    /// What is mapped at `address`.
    #[must_use]
    pub fn at(&self, address: u64) -> Option<T> {
        self.place(&(address..address + 1)).map(|place| self.all[place].of)
    }

    /// Whether all of `range` is in one region of `of`.
    #[must_use]
    pub fn has(&self, range: &Range<u64>, of: T) -> bool {
        self.place(range).is_some_and(|place| self.all[place].of == of)
    }

    /// Takes `range` out. It may be a part of a region.
    ///
    /// # Errors
    /// [`Status::Argument`] if it is not in one region of `of`; [`Status::Full`] if a region would fall into two, and
    /// there is no room.
    pub fn remove(&mut self, range: &Range<u64>, of: T) -> Result<(), Status> {
        let place = self.place(range).filter(|&place| self.all[place].of == of).ok_or(Status::Argument)?;
        let region = self.all[place].range.clone();
        let (below, above) = (region.start..range.start, range.end..region.end);
        match (below.is_empty(), above.is_empty()) {
            (true, true) => drop(self.all.remove(place)),
            (true, false) => self.all[place].range = above,
            (false, true) => self.all[place].range = below,
            (false, false) if self.all.len() >= MOST => return Err(Status::Full),
            (false, false) => {
                self.all[place].range = below;
                self.all.insert(place + 1, Region { range: above, of });
            }
        }
        Ok(())
    }

    /// The region that holds all of `range`.
    fn place(&self, range: &Range<u64>) -> Option<usize> {
        let place = self.all.partition_point(|region| region.range.end <= range.start);
        let region = self.all.get(place)?;
        (region.range.start <= range.start && range.end <= region.range.end).then_some(place)
    }
}

/// The addresses of `pages` pages from `at` on.
///
/// # Errors
/// [`Status::Argument`] if there is none, `at` is not at a page, or the range leaves what ring 3 can map.
pub fn pages(at: u64, pages: u64) -> Result<Range<u64>, Status> {
    /// Ring 3 maps nothing in the first 64 KiB, and nothing from here on: the last page below the hole in the middle of
    /// the address space is far above.
    const ROOM: Range<u64> = 64 << 10..1 << 46;
    let bytes = pages.checked_mul(PAGE).ok_or(Status::Argument)?;
    let end = at.checked_add(bytes).ok_or(Status::Argument)?;
    let fits = pages > 0 && at.is_multiple_of(PAGE) && at >= ROOM.start && end <= ROOM.end;
    if fits { Ok(at..end) } else { Err(Status::Argument) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_range_is_whole_pages_where_ring_3_can_be() {
        assert_eq!(pages(0x10000, 2), Ok(0x10000..0x12000));
        for (at, count) in [
            (0x10000, 0),
            (0x10001, 1),
            (0xf000, 1),
            (1 << 46, 1),
            ((1 << 46) - 4096, 2),
            (u64::MAX - 4095, 1),
            (0x10000, u64::MAX),
        ] {
            assert_eq!(pages(at, count), Err(Status::Argument), "{at:#x} {count}");
        }
    }

    #[test]
    fn no_more_than_so_many_regions_are_kept() {
        let mut regions = Regions::default();
        for number in 0..MOST as u64 {
            assert_eq!(regions.insert(number * 10..number * 10 + 5, number), Ok(()));
        }
        assert_eq!(regions.insert(10_000..10_001, 0), Err(Status::Full));
        // A hole would make two of one.
        assert_eq!(regions.remove(&(1..2), 0), Err(Status::Full));
        assert_eq!(regions.remove(&(0..2), 0), Ok(()));
    }

    proptest! {
        #[test]
        fn regions_are_what_a_map_of_pages_is(steps in prop::collection::vec((0_u64..60, 1_u64..12, 0_u8..3, any::<bool>()), 1..120)) {
            let (mut regions, mut model) = (Regions::default(), BTreeMap::new());
            for (start, length, of, inserts) in steps {
                let range = start..start + length;
                let free = range.clone().all(|page| !model.contains_key(&page));
                if inserts {
                    let result = regions.insert(range.clone(), of);
                    prop_assert_eq!(result.is_ok(), free);
                    if result.is_ok() {
                        range.for_each(|page| _ = model.insert(page, (of, start)));
                    }
                } else {
                    // In the model, two ranges that touch are two: each page keeps where its range began.
                    let whole = model.get(&start).copied().filter(|origin| origin.0 == of);
                    let is_one = whole.is_some() && range.clone().all(|page| model.get(&page).copied() == whole);
                    let result = regions.remove(&range, of);
                    prop_assert_eq!(result.is_ok(), is_one);
                    if is_one {
                        range.for_each(|page| _ = model.remove(&page));
                    }
                }
                for page in 0..80 {
                    prop_assert_eq!(regions.at(page), model.get(&page).map(|origin| origin.0));
                }
            }
        }
    }
}
