//! The page tables of an address space as the list of its frames.
#![expect(unsafe_code, reason = "reads page tables")]

use x86_64::structures::paging::{PageTableFlags, PhysFrame};

use crate::mem::{Frames, phys};

/// Marks a page that is another address space's. One of the bits that the CPU ignores (Intel SDM vol. 3A, "4-Level
/// Paging", "Use of Paging").
pub const BORROWED: PageTableFlags = PageTableFlags::BIT_9;

/// Entries of a top-level table that are a worker's: the rest is the kernel's.
const LOWER_HALF: usize = 256;

/// Gives back every page below the top-level table `root` that is not borrowed, every table, and `root`.
///
/// # Safety
/// Nothing uses the tables any more, and nothing refers to the pages.
pub unsafe fn give_back(root: PhysFrame, frames: &mut Frames) {
    // SAFETY: the caller's.
    unsafe { give_back_below(root, 4, LOWER_HALF, frames) };
    frames.give_back(root);
}

/// Gives back what the first `entries` entries of a table of this level refer to.
///
/// # Safety
/// As for [`give_back`].
unsafe fn give_back_below(table: PhysFrame, level: u8, entries: usize, frames: &mut Frames) {
    // SAFETY: a table of this address space, which only this walk uses.
    let table = unsafe { phys::table(table) };
    for entry in table.iter().take(entries) {
        let flags = entry.flags();
        if !flags.contains(PageTableFlags::PRESENT) {
            continue;
        }
        let at = entry.addr();
        let is_page = level == 1 || flags.contains(PageTableFlags::HUGE_PAGE);
        match (is_page, level) {
            (true, _) if flags.contains(BORROWED) => {}
            (true, 1) => frames.give_back(PhysFrame::containing_address(at)),
            (true, _) => frames.give_back_large(PhysFrame::containing_address(at)),
            (false, _) => {
                let below = PhysFrame::containing_address(at);
                // SAFETY: the caller's.
                unsafe { give_back_below(below, level - 1, 512, frames) };
                frames.give_back(below);
            }
        }
    }
}
