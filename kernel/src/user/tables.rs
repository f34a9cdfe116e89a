//! The page tables of a worker's lower half: entering pages, finding them, and giving all of it back.
#![expect(unsafe_code, reason = "reads and edits page tables")]

use x86_64::PhysAddr;
use x86_64::structures::paging::page_table::PageTableEntry;
use x86_64::structures::paging::{PageTableFlags, PhysFrame};

use crate::mem::{Frames, OutOfMemory, phys};

/// Marks a page that is another address space's. One of the bits that the CPU ignores (Intel SDM vol. 3A, "4-Level
/// Paging", "Use of Paging").
pub const BORROWED: PageTableFlags = PageTableFlags::BIT_9;

/// The level of a table whose entries are pages of 4 KiB.
const SMALL: u8 = 1;
/// The level of a table whose entries can be pages of 2 MiB.
const LARGE: u8 = 2;
/// The level of the top-level table.
const TOP: u8 = 4;
/// Entries of a top-level table that are a worker's: the rest is the kernel's.
const LOWER_HALF: usize = 256;
const ENTRIES: usize = 512;
/// The bits of an entry that are an address (Intel SDM vol. 3A, "4-Level Paging").
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// The tables under one top-level table, of which only the lower half is used.
#[derive(Clone, Copy)]
pub struct Tables {
    root: PhysFrame,
}

impl Tables {
    /// The tables under `root`.
    ///
    /// # Safety
    /// No CPU uses the lower half under `root` while a method that edits it runs, and nothing but this and its copies
    /// edits it.
    pub const unsafe fn new(root: PhysFrame) -> Self {
        Self { root }
    }

    /// Enters the page at `at`: 4 KiB, or 2 MiB with [`PageTableFlags::HUGE_PAGE`] in `flags`.
    ///
    /// # Errors
    /// No frame for a table. Tables made so far stay, and are given back with the others.
    pub fn enter(
        self,
        frames: &mut Frames,
        at: u64,
        page: PhysAddr,
        flags: PageTableFlags,
    ) -> Result<(), OutOfMemory> {
        let lowest = if flags.contains(PageTableFlags::HUGE_PAGE) { LARGE } else { SMALL };
        let parents = PageTableFlags::PRESENT | PageTableFlags::WRITABLE | PageTableFlags::USER_ACCESSIBLE;
        let mut table = self.root;
        for level in (lowest + 1..=TOP).rev() {
            let entry = entry(table, at, level);
            if entry.is_unused() {
                entry.set_addr(frames.zeroed()?.start_address(), parents);
            }
            table = PhysFrame::containing_address(entry.addr());
        }
        let entry = entry(table, at, lowest);
        assert!(entry.is_unused(), "a worker's page is entered twice: {at:#x}");
        entry.set_addr(page, flags);
        Ok(())
    }

    /// The physical address of `at`; `None` if it is not mapped.
    #[must_use]
    pub fn find(self, at: u64) -> Option<PhysAddr> {
        let mut table = self.root;
        for level in (SMALL..=TOP).rev() {
            let entry = entry(table, at, level);
            let flags = entry.flags();
            if !flags.contains(PageTableFlags::PRESENT) {
                return None;
            }
            if level == SMALL || flags.contains(PageTableFlags::HUGE_PAGE) {
                let size = 1 << (12 + 9 * (level - 1));
                return Some(entry.addr() + at % size);
            }
            table = PhysFrame::containing_address(entry.addr());
        }
        None
    }

    /// The entry of the page of 4 KiB at `at`; `None` if there is no table for it.
    fn small(self, at: u64) -> Option<&'static mut PageTableEntry> {
        let mut table = self.root;
        for level in (SMALL + 1..=TOP).rev() {
            let entry = entry(table, at, level);
            if !entry.flags().contains(PageTableFlags::PRESENT)
                || entry.flags().contains(PageTableFlags::HUGE_PAGE)
            {
                return None;
            }
            table = PhysFrame::containing_address(entry.addr());
        }
        Some(entry(table, at, SMALL))
    }

    /// Clears the entry of a page of 4 KiB. The page itself stays who it is of.
    pub fn clear(self, at: u64) {
        if let Some(entry) = self.small(at) {
            entry.set_unused();
        }
    }

    /// Changes the flags of a page of 4 KiB that is mapped.
    pub fn set_flags(self, at: u64, flags: PageTableFlags) {
        if let Some(entry) = self.small(at).filter(|entry| !entry.is_unused()) {
            entry.set_flags(flags);
        }
    }

    /// Gives back every page of the lower half that is not borrowed, every table, and the top-level table.
    ///
    /// # Safety
    /// Nothing uses the tables any more, and nothing refers to the pages.
    pub unsafe fn give_back(self, frames: &mut Frames) {
        give_back_below(self.root, TOP, LOWER_HALF, frames);
        frames.give_back(self.root);
    }
}

/// The entry for `at` in a table of this level.
fn entry<'a>(table: PhysFrame, at: u64, level: u8) -> &'a mut PageTableEntry {
    // SAFETY: a table under a `Tables`, whose maker promised that nothing else edits it; no two entries are kept at a time.
    let table = unsafe { phys::table(table) };
    let index = at >> (12 + 9 * (level - 1)) & (ENTRIES as u64 - 1);
    &mut table[usize::try_from(index).unwrap_or(0)]
}

/// Gives back what the first `entries` entries of a table of this level refer to.
fn give_back_below(table: PhysFrame, level: u8, entries: usize, frames: &mut Frames) {
    // SAFETY: as for `entry`; nothing edits the table meanwhile.
    let words = unsafe { phys::entries(table) };
    // Most are 0, and whole lines of them.
    let (lines, _) = words[..entries].as_chunks::<8>();
    for [a, b, c, d, e, f, g, h] in lines {
        if a | b | c | d | e | f | g | h == 0 {
            continue;
        }
        [a, b, c, d, e, f, g, h].into_iter().for_each(|&word| give_back_entry(word, level, frames));
    }
}

/// Gives back what an entry of a table of this level refers to, if it is in use.
fn give_back_entry(word: u64, level: u8, frames: &mut Frames) {
    let flags = PageTableFlags::from_bits_retain(word & !ADDRESS);
    let at = PhysAddr::new_truncate(word & ADDRESS);
    if !flags.contains(PageTableFlags::PRESENT) || flags.contains(BORROWED) {
        return;
    }
    if level == SMALL {
        frames.give_back(PhysFrame::containing_address(at));
    } else if flags.contains(PageTableFlags::HUGE_PAGE) {
        frames.give_back_large(PhysFrame::containing_address(at));
    } else {
        let below = PhysFrame::containing_address(at);
        give_back_below(below, level - 1, ENTRIES, frames);
        frames.give_back(below);
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::{Layout, alloc};

    use super::*;
    use crate::mem::memory_map::{MemoryMap, Region};

    const MIB: u64 = 1 << 20;
    const READ: PageTableFlags = PageTableFlags::PRESENT;

    /// Free frames in memory of this process: the window is where memory is.
    fn frames(mib: u64) -> Frames {
        // SAFETY: only frames of `frames` are used by these tests, and they are this process's own memory.
        unsafe { phys::init(0, u64::MAX) };
        let bytes = usize::try_from(mib * MIB).unwrap();
        let layout = Layout::from_size_align(bytes, 2 << 20).unwrap();
        // SAFETY: the layout is not empty. The memory is never given back.
        let start = unsafe { alloc(layout) } as u64;
        assert_ne!(start, 0);
        Frames::new(MemoryMap::new(core::iter::once(Region { start, end: start + mib * MIB })).unwrap())
    }

    fn tables(frames: &mut Frames) -> Tables {
        // SAFETY: a frame of this test alone.
        unsafe { Tables::new(frames.zeroed().unwrap()) }
    }

    #[test]
    fn gives_back_all_that_was_entered_and_nothing_that_was_borrowed() {
        let mut frames = frames(16);
        let before = frames.free_bytes();
        let (owner, borrower) = (tables(&mut frames), tables(&mut frames));
        let small = frames.zeroed().unwrap().start_address();
        let large = frames.zeroed_large().unwrap().start_address();
        for (tables, extra) in [(owner, PageTableFlags::empty()), (borrower, BORROWED)] {
            tables.enter(&mut frames, 0x1000_0000, small, READ | extra).unwrap();
            let flags = READ | PageTableFlags::HUGE_PAGE | extra;
            tables.enter(&mut frames, 0x10_0020_0000, large, flags).unwrap();
            assert_eq!(tables.find(0x1000_0123), Some(small + 0x123));
            assert_eq!(tables.find(0x10_003f_f008), Some(large + 0x1f_f008));
            assert_eq!((tables.find(0x1000_1000), tables.find(0x10_0000_0000)), (None, None));
        }
        // SAFETY: nothing uses any of them.
        unsafe { borrower.give_back(&mut frames) };
        assert_eq!(owner.find(0x1000_0000), Some(small));
        // SAFETY: as above.
        unsafe { owner.give_back(&mut frames) };
        assert_eq!(frames.free_bytes(), before);
    }

    #[test]
    fn nothing_is_lost_if_memory_runs_out_and_large_frames_become_small_ones() {
        let mut frames = frames(8);
        let before = frames.free_bytes();
        let tables = tables(&mut frames);
        let mut at = 0x10_0000_0000;
        while let Ok(frame) = frames.zeroed_large() {
            let flags = READ | PageTableFlags::HUGE_PAGE;
            if tables.enter(&mut frames, at, frame.start_address(), flags).is_err() {
                frames.give_back_large(frame);
                break;
            }
            at += 2 * MIB;
        }
        assert!(at >= 0x10_0000_0000 + 6 * MIB);
        // SAFETY: nothing uses them.
        unsafe { tables.give_back(&mut frames) };
        assert_eq!(frames.free_bytes(), before);
        let mut count = 0;
        let again = self::tables(&mut frames);
        while let Ok(frame) = frames.zeroed() {
            let at = 0x2000_0000 + count * 4096;
            if again.enter(&mut frames, at, frame.start_address(), READ).is_err() {
                frames.give_back(frame);
                break;
            }
            count += 1;
        }
        assert!(count > 2000, "{count}");
        // SAFETY: as above.
        unsafe { again.give_back(&mut frames) };
        assert_eq!(frames.free_bytes(), before);
    }
}
