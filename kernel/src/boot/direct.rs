//! Boot by a VMM that enters the kernel directly, by `pvh_entry.rs`: the rest of the window, and the [`BootInfo`].
#![expect(unsafe_code, reason = "reads physical memory and extends the window on it")]

use core::fmt::Debug;

use abi::wire::record::Firmware;
use harness::x86::cpuid::{bit, leaf};
use x86_64::registers::control::{Cr3, Efer, EferFlags};
use x86_64::structures::paging::{
    FrameAllocator, Mapper, OffsetPageTable, Page, PageSize, PageTable, PageTableFlags, PhysFrame, Size1GiB,
    Size2MiB, Size4KiB,
};
use x86_64::{PhysAddr, VirtAddr};

use super::command_line::CommandLine;
use super::pvh::{self, MAX_MEMORY_END, StartInfo};
use super::{BootError, BootInfo};
use crate::firmware::Memory;
use crate::firmware::acpi::RootPointer;
use crate::mem::memory_map::{self, MemoryMap, Region};
use crate::mem::{LowPage, reserve};

/// The start of the window on physical memory.
pub const WINDOW_OFFSET: u64 = 0xffff_8000_0000_0000;
/// The part of it that the entry code maps, in bytes: device registers lie below it, and so does everything that a VMM
/// places by 32-bit addresses.
pub const EARLY_WINDOW_END: u64 = 4 << 30;

// The window on the largest memory stays in the upper half.
const _: () = assert!(MAX_MEMORY_END <= (1 << 47) && MAX_MEMORY_END.is_multiple_of(Size1GiB::SIZE));

/// Checks the start info at physical address `at` and keeps the part that the kernel needs. `image` is the kernel's place
/// in physical memory. The current page tables must be those of `pvh_entry.rs`.
///
/// # Errors
/// The kernel cannot run with it.
pub fn take(at: u64, image: Region) -> Result<BootInfo, BootError> {
    let info = StartInfo::read(&EarlyWindow, at, image)?;
    let mut memory = MemoryMap::new(info.usable()).ok_or(BootError::NoMemory)?;
    let window_end = info.memory_end().max(EARLY_WINDOW_END).next_multiple_of(Size1GiB::SIZE);
    // The start info and everything that it refers to, except the ramdisk, may lie in usable memory. So it is read before
    // that memory is used.
    let low_page = memory_map::low_page(info.usable()).and_then(LowPage::new);
    let StartInfo { ramdisk, rsdp, command_line, .. } = info;
    // What is mapped now, because the page tables of the window take memory next. All else when the window is open (`run`).
    reserve::firmware_tables(
        &mut memory,
        &EarlyWindow,
        RootPointer::find(&EarlyWindow, rsdp, true).address(),
    );
    extend_window(&mut memory, window_end)?;
    Ok(BootInfo {
        firmware: Firmware::Direct,
        memory,
        low_page,
        rsdp,
        ramdisk: bytes(ramdisk),
        command_line,
        framebuffer: None,
        window_offset: WINDOW_OFFSET,
        window_end,
    })
}

/// The VMM's command line, for a kernel that cannot use the rest of its start info.
#[must_use]
pub fn command_line(at: u64) -> CommandLine {
    pvh::command_line(&EarlyWindow, at)
}

/// The part of physical memory that the entry code maps.
struct EarlyWindow;

impl Memory for EarlyWindow {
    fn bytes(&self, at: u64, len: usize) -> Option<&[u8]> {
        let end = at.checked_add(len as u64).filter(|&end| end <= EARLY_WINDOW_END)?;
        Some(bytes(Region { start: at, end }))
    }
}

/// Memory in the window.
fn bytes(region: Region) -> &'static [u8] {
    let length = usize::try_from(region.end - region.start).unwrap_or(0);
    // SAFETY: the window maps it. It holds data that the VMM left for the kernel. Nothing writes there while the data is in
    // use, and nothing ever writes to the ramdisk, because `StartInfo` takes it out of usable memory.
    unsafe { core::slice::from_raw_parts((WINDOW_OFFSET + region.start) as *const u8, length) }
}

/// Maps the rest of the window, up to `end`.
fn extend_window(memory: &mut MemoryMap, end: u64) -> Result<(), BootError> {
    let root = Cr3::read().0.start_address().as_u64();
    let root = (WINDOW_OFFSET + root) as *mut PageTable;
    // SAFETY: the entry code's top-level table, below 4 GiB like all of the image; nothing else refers to it.
    let root = unsafe { &mut *root };
    // SAFETY: it is current, and all tables that it leads to are in the window, as are the new ones.
    let mut tables = unsafe { OffsetPageTable::new(root, VirtAddr::new(WINDOW_OFFSET)) };
    // Pages of 1 GiB are used only above 4 GiB: below, they would span devices and memory, of different memory types.
    if bit(leaf(0x8000_0001, 0).edx, 26) {
        map::<Size1GiB>(&mut tables, memory, end)
    } else {
        map::<Size2MiB>(&mut tables, memory, end)
    }
}

/// Maps the window from the end of the entry code's part to `end`, with pages of one size.
fn map<'a, S: PageSize + Debug>(
    tables: &mut OffsetPageTable<'a>,
    memory: &mut MemoryMap,
    end: u64,
) -> Result<(), BootError>
where
    OffsetPageTable<'a>: Mapper<S>,
{
    let mut flags = PageTableFlags::PRESENT | PageTableFlags::WRITABLE;
    flags.set(PageTableFlags::NO_EXECUTE, Efer::read().contains(EferFlags::NO_EXECUTE_ENABLE));
    let frame = |at| PhysFrame::<S>::containing_address(PhysAddr::new(at));
    for frame in PhysFrame::range(frame(EARLY_WINDOW_END), frame(end)) {
        let page = Page::containing_address(VirtAddr::new(WINDOW_OFFSET + frame.start_address().as_u64()));
        // SAFETY: a new page of the window, on which nothing relies yet.
        let mapped = unsafe { tables.map_to(page, frame, flags, &mut TableFrames(memory)) };
        mapped.map_err(|_| BootError::NoMemory)?.ignore();
    }
    Ok(())
}

/// Frames for page tables, from the bottom of usable memory.
struct TableFrames<'a>(&'a mut MemoryMap);

// SAFETY: each is taken out of the memory map.
unsafe impl FrameAllocator<Size4KiB> for TableFrames<'_> {
    fn allocate_frame(&mut self) -> Option<PhysFrame> {
        let region = self.0.take(Size4KiB::SIZE).filter(|region| region.end <= EARLY_WINDOW_END)?;
        Some(PhysFrame::containing_address(PhysAddr::new(region.start)))
    }
}
