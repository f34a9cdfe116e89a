//! The kernel's page tables.
//!
//! The upper half of the loader's page tables, or of the entry code's after a direct boot, is kept: the kernel's image with
//! each segment's rights, its stack, the ramdisk, and the window. The lower half is dropped, with its identity mappings:
//! it belongs to workers. Pages that the kernel maps itself (stacks, devices) go under one top-level entry that was free,
//! which every address space made later shares.
#![expect(unsafe_code, reason = "edits page tables")]

use core::sync::atomic::AtomicU64;

use spin::{Mutex, MutexGuard, Once};
use x86_64::registers::control::Cr3;
use x86_64::structures::paging::mapper::{MapToError, Mapper};
use x86_64::structures::paging::{Page, PageTableFlags, PhysFrame, Size4KiB};
use x86_64::{PhysAddr, VirtAddr};

use super::stacks::{CpuStacks, IST_PAGES, MAIN_PAGES, TRAP_PAGES};
use super::{Frames, OutOfMemory, devices, phys};

const PAGE_BYTES: u64 = 4096;
/// Top-level entries from this one on are the kernel's.
const UPPER_HALF: usize = 256;

/// A page below 1 MiB, at which a CPU can start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LowPage(u8);

impl LowPage {
    /// The page at `address`; `None` if no start-up IPI can name it.
    #[must_use]
    pub fn new(address: u64) -> Option<Self> {
        // Vectors A0H to BFH are reserved (Intel SDM vol. 3A, "Typical AP Initialization Sequence"); page 0 is the
        // real-mode interrupt table.
        let page = u8::try_from(address / PAGE_BYTES).ok()?;
        (address.is_multiple_of(PAGE_BYTES) && (0x01..0xa0).contains(&page)).then_some(Self(page))
    }

    /// Its vector in a start-up IPI.
    #[must_use]
    pub const fn vector(self) -> u8 {
        self.0
    }

    /// Its physical address.
    #[must_use]
    pub const fn address(self) -> u32 {
        (self.0 as u32) << 12
    }

    /// The page as a frame.
    #[must_use]
    pub fn frame(self) -> PhysFrame {
        PhysFrame::containing_address(PhysAddr::new(u64::from(self.address())))
    }
}

/// The free frames of the machine.
static FREE: Once<Mutex<Frames>> = Once::new();
/// The kernel's own top-level table.
static ROOT: Once<PhysFrame> = Once::new();

/// The free frames, for one CPU at a time. Nothing that holds them enters ring 3 or waits.
#[must_use]
pub fn frames() -> MutexGuard<'static, Frames> {
    FREE.get().expect("memory is taken over before anything needs a frame").lock()
}

/// The physical address of the kernel's own top-level table, for CR3.
#[must_use]
pub fn kernel_cr3() -> u64 {
    ROOT.get().expect("memory is taken over before any CPU starts").start_address().as_u64()
}

/// A top-level table with the kernel's upper half and nothing else.
///
/// # Errors
/// No frame.
pub fn new_root(frames: &mut Frames) -> Result<PhysFrame, OutOfMemory> {
    let own = *ROOT.get().ok_or(OutOfMemory)?;
    let root = frames.zeroed()?;
    // SAFETY: the kernel's own table, whose upper half never changes once it is in force: what is mapped later is below
    // entries that are there already.
    let from = unsafe { phys::entries(own) };
    // SAFETY: a frame that was handed out just now.
    let to = unsafe { phys::entries_mut(root) };
    to[UPPER_HALF..].copy_from_slice(&from[UPPER_HALF..]);
    Ok(root)
}

/// The kernel's address space.
pub struct KernelSpace {
    low_page: Option<LowPage>,
    root: PhysFrame,
    next: VirtAddr,
}

impl KernelSpace {
    /// Makes page tables with the upper half of the current ones, and makes them current.
    ///
    /// # Errors
    /// No frame, or none below 4 GiB, as real mode needs for CR3; no free top-level entry.
    pub fn new(mut frames: Frames, low_page: Option<LowPage>) -> Result<Self, OutOfMemory> {
        let root = frames.zeroed()?;
        if root.start_address().as_u64() > u64::from(u32::MAX) {
            return Err(OutOfMemory);
        }
        let (loaders, _) = Cr3::read();
        // SAFETY: the loader's top-level table, which nothing writes any more.
        let from = unsafe { phys::table(loaders) };
        // SAFETY: a frame that was handed out just now.
        let to = unsafe { phys::table(root) };
        for (to, from) in to.iter_mut().zip(from.iter()).skip(UPPER_HALF) {
            *to = from.clone();
        }
        let free = (UPPER_HALF..512).rev().find(|&entry| to[entry].is_unused()).ok_or(OutOfMemory)?;
        let next = VirtAddr::new_truncate((free as u64) << 39);
        phys::set_cr3(root.start_address().as_u64());
        ROOT.call_once(|| root);
        FREE.call_once(|| Mutex::new(frames));
        let mut this = Self { low_page, root, next };
        // Creates the entry now, so that every copy of the upper half has it. The guard page is never touched.
        this.map_new_pages(1)?;
        Ok(this)
    }

    /// The page for the trampoline. It is never given back: a CPU may start late.
    ///
    /// # Errors
    /// The memory map has none below 1 MiB.
    pub fn low_page(&mut self) -> Result<LowPage, OutOfMemory> {
        self.low_page.ok_or(OutOfMemory)
    }

    /// Stacks for one more CPU.
    ///
    /// # Errors
    /// No memory.
    pub fn cpu_stacks(&mut self) -> Result<CpuStacks, OutOfMemory> {
        Ok(CpuStacks {
            main: self.map_new_pages(MAIN_PAGES)?,
            trap: self.map_new_pages(TRAP_PAGES)?,
            ist: [
                self.map_new_pages(IST_PAGES)?,
                self.map_new_pages(IST_PAGES)?,
                self.map_new_pages(IST_PAGES)?,
            ],
        })
    }

    /// Maps the page of the device registers at the physical address `at`, uncached. `None` if no registers can be there.
    ///
    /// # Errors
    /// No memory for page tables.
    pub fn map_device(&mut self, at: u64) -> Result<Option<VirtAddr>, OutOfMemory> {
        let Some(address) = PhysAddr::try_new(at).ok().filter(|_| devices::can_be_at(at)) else {
            return Ok(None);
        };
        let page = self.take_page();
        let flags = PageTableFlags::NO_CACHE | PageTableFlags::WRITE_THROUGH;
        self.map(page, PhysFrame::containing_address(address), flags)?;
        Ok(Some(page.start_address() + (at % PAGE_BYTES)))
    }

    /// The memory of `large`, which [`Frames::words`] gave, once more in pages of 4 KiB.
    ///
    /// # Errors
    /// No memory for page tables.
    pub fn map_small(&mut self, large: &'static [AtomicU64]) -> Result<&'static [AtomicU64], OutOfMemory> {
        let start = VirtAddr::from_ptr(large.as_ptr());
        let first = PhysAddr::new_truncate(start - phys::offset());
        let begin = self.next;
        for at in (0..size_of_val(large) as u64).step_by(4096) {
            let page = self.take_page();
            self.map(page, PhysFrame::containing_address(first + at), PageTableFlags::empty())?;
        }
        // SAFETY: the pages were mapped just now, in the kernel's own region; the words are atomics, which two mappings may
        // share.
        Ok(unsafe { phys::words(begin, large.len()) })
    }

    /// A page of the kernel's own that can be taken out of the page tables and put back.
    ///
    /// # Errors
    /// No memory.
    pub fn lone_page(&mut self) -> Result<LonePage, OutOfMemory> {
        let (frame, page) = (frames().zeroed()?, self.take_page());
        self.map(page, frame, PageTableFlags::empty())?;
        Ok(LonePage { root: self.root, page })
    }

    /// Page tables for the trampoline: the kernel's upper half, and `low` mapped at its own physical address,
    /// executable and read-only. Returns their physical address for CR3.
    ///
    /// # Errors
    /// No frame, or none below 4 GiB.
    pub fn trampoline_tables(&mut self, low: LowPage) -> Result<u32, OutOfMemory> {
        let mut frames = frames();
        let root = new_root(&mut frames)?;
        let cr3 = u32::try_from(root.start_address().as_u64()).map_err(|_| OutOfMemory)?;
        let page = Page::containing_address(VirtAddr::new(u64::from(low.address())));
        // SAFETY: tables made just now, not current yet.
        let mut tables = unsafe { phys::tables(root) };
        let parents = PageTableFlags::PRESENT | PageTableFlags::WRITABLE;
        // SAFETY: the page is the trampoline's alone.
        unsafe {
            tables.map_to_with_table_flags(page, low.frame(), PageTableFlags::PRESENT, parents, &mut *frames)
        }
        .map_err(|_| OutOfMemory)?
        .ignore();
        Ok(cr3)
    }

    /// Maps `count` new pages with an unmapped page below them; returns the address past their end.
    fn map_new_pages(&mut self, count: u64) -> Result<VirtAddr, OutOfMemory> {
        let _guard = self.take_page();
        for _ in 0..count {
            let frame = frames().zeroed()?;
            let page = self.take_page();
            self.map(page, frame, PageTableFlags::empty())?;
        }
        Ok(self.next)
    }

    /// The next page of the kernel's own region, which is never given back.
    fn take_page(&mut self) -> Page {
        let page = Page::containing_address(self.next);
        self.next += PAGE_BYTES;
        page
    }

    /// Maps a page of the kernel's own region: writable, never executable.
    fn map(&mut self, page: Page, frame: PhysFrame, extra: PageTableFlags) -> Result<(), OutOfMemory> {
        // SAFETY: only `self` edits the kernel's table, and one call at a time.
        let mut tables = unsafe { phys::tables(self.root) };
        let flags = PageTableFlags::PRESENT | PageTableFlags::WRITABLE | PageTableFlags::NO_EXECUTE | extra;
        // SAFETY: the page is new, so nothing relies on it yet.
        let mapped = unsafe { tables.map_to(page, frame, flags, &mut *frames()) };
        match mapped {
            Ok(flush) => {
                flush.flush();
                Ok(())
            }
            Err(MapToError::<Size4KiB>::FrameAllocationFailed) => Err(OutOfMemory),
            Err(error) => panic!("a new page of the kernel cannot be mapped: {error:?}"),
        }
    }
}

/// A page that is mapped or not. Nothing is kept in it.
#[derive(Clone, Copy, Debug)]
pub struct LonePage {
    root: PhysFrame,
    page: Page,
}

impl LonePage {
    /// Its address.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.page.start_address().as_u64()
    }

    /// Sets or clears the present bit of its entry. Translations that CPUs have stay until they are dropped. One CPU calls
    /// this at a time, and nothing else edits the kernel's tables meanwhile.
    pub fn set_present(&self, present: bool) {
        let rest = PageTableFlags::WRITABLE | PageTableFlags::NO_EXECUTE;
        let flags = if present { rest | PageTableFlags::PRESENT } else { rest };
        // SAFETY: as the caller keeps it, nothing else uses the tables for this moment.
        let mut tables = unsafe { phys::tables(self.root) };
        // SAFETY: nothing is kept in the page.
        if let Ok(flush) = unsafe { tables.update_flags(self.page, flags) } {
            flush.ignore();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_page_is_one_that_a_sipi_can_name() {
        assert_eq!(LowPage::new(0x8000).map(LowPage::vector), Some(8));
        assert_eq!(LowPage::new(0x9_f000).map(LowPage::address), Some(0x9_f000));
        for bad in [0, 0x8001, 0xa_0000, 0xb_f000, 0x10_0000] {
            assert_eq!(LowPage::new(bad), None, "{bad:#x}");
        }
    }
}
