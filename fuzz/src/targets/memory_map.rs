//! A memory map: every 4 bytes are a region, in steps of half a page, so that regions touch and are not always aligned.

use kernel::mem::memory_map::{MemoryMap, Region, low_page};

use crate::input::Input;

const PAGE: u64 = 4096;
const MIB: u64 = 1 << 20;
/// How many regions a map keeps.
const CAPACITY: usize = 128;

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let (take, huge) = (u64::from(input.byte()), input.byte());
    let mut given = Vec::new();
    while !input.is_empty() {
        let (start, length) = (u64::from(input.word()) * PAGE / 2, u64::from(input.word()) * PAGE / 2);
        // Some run up to the end of the address space, and some have their end before their start.
        let end = match length / (PAGE / 2) % 64 {
            62 if huge.is_multiple_of(2) => u64::MAX - start,
            63 => start.saturating_sub(length),
            _ => start + length,
        };
        given.push(Region { start, end });
    }
    is_a_map(&given, take);
    if let Some(page) = low_page(given.iter().copied()) {
        assert!(page.is_multiple_of(PAGE) && (PAGE..0xa_0000).contains(&page));
        assert!(given.iter().any(|region| region.start <= page && page + PAGE <= region.end.min(0xa_0000)));
    }
}

fn is_a_map(given: &[Region], take: u64) {
    let whole = merged(given);
    let Some(mut map) = MemoryMap::new(given.iter().copied()) else {
        assert!(whole.is_empty(), "there is memory");
        return;
    };
    let regions = map.regions();
    assert!(
        regions.iter().all(|region| is_aligned(region) && region.start >= MIB && region.start < region.end)
    );
    assert!(regions.windows(2).all(|pair| pair[0].end < pair[1].start), "in order, apart, merged");
    let is_within = |inner: &Region, outer: &Region| outer.start <= inner.start && inner.end <= outer.end;
    assert!(
        regions.iter().all(|region| whole.iter().any(|outer| is_within(region, outer))),
        "all of it given"
    );
    if given.len() <= CAPACITY {
        assert_eq!(regions, whole, "nothing left out where all fit");
    }
    let before = map.bytes();
    if let Some(taken) = map.take(take * PAGE) {
        assert_eq!(taken.end - taken.start, take * PAGE);
        assert_eq!(map.bytes(), before - take * PAGE);
        let apart = |region: &Region| region.end <= taken.start || taken.end <= region.start;
        assert!(
            map.regions().iter().all(apart) && map.regions().iter().all(|region| region.start < region.end)
        );
    }
}

fn is_aligned(region: &Region) -> bool {
    region.start.is_multiple_of(PAGE) && region.end.is_multiple_of(PAGE)
}

/// The whole pages of every region from 1 MiB on, sorted and joined.
fn merged(given: &[Region]) -> Vec<Region> {
    let pages = given.iter().filter_map(|region| {
        let start = region.start.max(MIB).checked_next_multiple_of(PAGE)?;
        let end = region.end - region.end % PAGE;
        (start < end).then_some(Region { start, end })
    });
    let mut pages: Vec<_> = pages.collect();
    pages.sort_unstable_by_key(|region| region.start);
    let mut merged: Vec<Region> = Vec::new();
    for region in pages {
        match merged.last_mut() {
            Some(last) if region.start <= last.end => last.end = last.end.max(region.end),
            _ => merged.push(region),
        }
    }
    merged
}
