//! A worker's ELF, loaded as the kernel loads it: page by page, with every step checked. A plain reading refuses the
//! same files.

mod plain;

use std::collections::BTreeMap;

use harness::user::elf::{ElfImage, Segment};
use harness::user::layout::{ARGS, IMAGE, IMAGE_LIMIT};

use crate::input::place;

const PAGE: u64 = 4096;
/// The kernel's heap has 1 MiB for all workers.
const MOST_HEAP_BYTES: usize = 128 << 10;

pub(crate) fn check(data: &[u8]) {
    let limit = IMAGE_LIMIT - IMAGE;
    let parsed = ElfImage::parse(data, limit);
    assert_eq!(parsed.is_ok(), plain::is_worker(data, limit));
    let image = match parsed {
        Ok(image) => image,
        Err(error) => {
            assert!(!error.message().is_empty());
            return;
        }
    };
    let pages = load(&image, data, limit);
    let entry = &pages[&(image.entry / PAGE)];
    assert!(entry.executable && !entry.writable, "the entry point is code");
    assert!(image.segments.iter().any(|segment| holds(segment, image.entry)), "and in the file");
    assert!(size_of_val(&image.segments[..]) <= MOST_HEAP_BYTES);
}

struct PageRights {
    writable: bool,
    executable: bool,
}

fn holds(segment: &Segment<'_>, at: u64) -> bool {
    at.checked_sub(segment.at).is_some_and(|offset| offset < segment.data.len() as u64)
}

/// The first, the last and the entry page of each segment: a segment may be as large as memory.
fn load(image: &ElfImage<'_>, data: &[u8], limit: u64) -> BTreeMap<u64, PageRights> {
    let mut pages = BTreeMap::new();
    let mut last_page = None;
    for segment in &image.segments {
        let end = segment.at.checked_add(segment.size).expect("no segment wraps");
        assert!(end <= limit && IMAGE + end <= ARGS && segment.size > 0, "in its room");
        assert!(place(data, segment.data).is_some() && segment.data.len() as u64 <= segment.size);
        assert!(!(segment.writable && segment.executable), "W^X");
        assert!(last_page < Some(segment.at / PAGE), "a page of its own");
        last_page = Some((end - 1) / PAGE);
        for page in [segment.at / PAGE, (end - 1) / PAGE, entry_page(image, segment)] {
            let (writable, executable) = (segment.writable, segment.executable);
            pages.insert(page, PageRights { writable, executable });
        }
    }
    for relocation in image.relocations.iter() {
        let end = relocation.at.checked_add(8).expect("no relocation wraps");
        assert_eq!(relocation.at / PAGE, (end - 1) / PAGE, "in one page");
        let within = |s: &Segment<'_>| s.writable && s.at <= relocation.at && end <= s.at + s.size;
        assert_eq!(image.segments.iter().filter(|segment| within(segment)).count(), 1, "in data");
        let value = IMAGE.checked_add(relocation.addend).expect("no address wraps");
        assert!(value <= IMAGE_LIMIT, "an address in the image, or its end");
    }
    pages
}

/// The page of the entry point if it is in this segment, else the segment's first page.
fn entry_page(image: &ElfImage<'_>, segment: &Segment<'_>) -> u64 {
    if holds(segment, image.entry) { image.entry / PAGE } else { segment.at / PAGE }
}
