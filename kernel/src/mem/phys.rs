//! The window: all of physical memory, mapped at one offset, not executable. Through it the kernel reaches page tables,
//! firmware's tables and a worker's pages without ever using a user mapping.
#![expect(unsafe_code, reason = "makes pointers from physical addresses")]

use core::sync::atomic::AtomicU64;

use spin::Once;
use x86_64::structures::paging::{OffsetPageTable, PageTable, PhysFrame};
use x86_64::{PhysAddr, VirtAddr};

use crate::firmware::Memory;

/// The window's offset and end.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    offset: u64,
    end: u64,
}

static WINDOW: Once<Window> = Once::new();

/// Sets the window: physical address 0 is at `offset`, and every address below `end` is mapped.
///
/// # Safety
/// This must be true and writable in every address space from here on.
pub unsafe fn init(offset: u64, end: u64) {
    WINDOW.call_once(|| Window { offset, end });
}

#[inline(always)]
fn window() -> Window {
    *WINDOW.get().expect("`phys::init` comes first in `main`")
}

/// The virtual address of a physical address, in the window.
#[must_use]
#[inline(always)]
pub fn virt(at: PhysAddr) -> VirtAddr {
    // Canonical: `init` was promised that all of the window is mapped.
    VirtAddr::new_truncate(window().offset + at.as_u64())
}

/// The virtual address of a physical address; `None` if it lies past the window's end, or there is no window yet.
#[must_use]
pub fn in_window(at: PhysAddr) -> Option<VirtAddr> {
    WINDOW.get().filter(|window| at.as_u64() < window.end).map(|_| virt(at))
}

/// The window's offset, for `x86_64`'s page-table walks.
#[must_use]
pub fn offset() -> VirtAddr {
    VirtAddr::new(window().offset)
}

/// A page table.
///
/// # Safety
/// The frame holds a page table that nothing else uses for as long as the reference lives.
pub unsafe fn table<'a>(frame: PhysFrame) -> &'a mut PageTable {
    // SAFETY: the caller's; frames are in the window and page-aligned.
    unsafe { &mut *virt(frame.start_address()).as_mut_ptr() }
}

/// The entries of a page table as words, for reading many of them.
///
/// # Safety
/// As [`table`], but that others may read too.
pub unsafe fn entries<'a>(frame: PhysFrame) -> &'a [u64; 512] {
    // SAFETY: the caller's; a table is 512 words, aligned to its size.
    unsafe { &*virt(frame.start_address()).as_ptr() }
}

/// The entries of a page table as words, for writing many of them.
///
/// # Safety
/// As [`table`].
pub unsafe fn entries_mut<'a>(frame: PhysFrame) -> &'a mut [u64; 512] {
    // SAFETY: the caller's; a table is 512 words, aligned to its size.
    unsafe { &mut *virt(frame.start_address()).as_mut_ptr() }
}

/// The page tables under a top-level table.
///
/// # Safety
/// As [`table`], for all of them.
pub unsafe fn tables<'a>(root: PhysFrame) -> OffsetPageTable<'a> {
    // SAFETY: the caller's.
    let root = unsafe { table(root) };
    // SAFETY: the window maps all of physical memory at this offset.
    unsafe { OffsetPageTable::new(root, offset()) }
}

/// Fills `bytes` of memory from `at` on with zeros: one frame or several.
pub fn zero(at: PhysAddr, bytes: u64) {
    let words = usize::try_from(bytes / 8).unwrap_or(0);
    // SAFETY: frames come from the frame allocator: memory in the window which nothing else refers to.
    unsafe { virt(at).as_mut_ptr::<u64>().write_bytes(0, words) };
}

/// Fills a frame.
pub fn write_page(frame: PhysFrame, bytes: &[u8; 4096]) {
    let to = virt(frame.start_address()).as_mut_ptr::<[u8; 4096]>();
    // SAFETY: frames come from the frame allocator: memory in the window which nothing else refers to.
    unsafe { to.write_volatile(*bytes) };
}

/// Copies `bytes` into a frame, from byte `at` on. Running past the frame is a defect of the kernel, and panics.
pub fn write_bytes(frame: PhysFrame, at: usize, bytes: &[u8]) {
    assert!(at + bytes.len() <= 4096, "write past a frame");
    let to = virt(frame.start_address()).as_mut_ptr::<u8>().wrapping_add(at);
    // SAFETY: within the frame, as asserted; the caller's frame is in the window, and nothing else refers to it.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
}

/// The first `bytes` bytes of a frame that no worker can write to any more.
///
/// # Safety
/// Nothing runs that has the frame mapped writable, and it is not given back, for as long as the reference lives.
#[must_use]
pub unsafe fn bytes<'a>(frame: PhysFrame, bytes: usize) -> &'a [u8] {
    assert!(bytes <= 4096, "read past a frame");
    // SAFETY: the caller's; frames are in the window.
    unsafe { core::slice::from_raw_parts(virt(frame.start_address()).as_ptr(), bytes) }
}

/// The 64-bit word at byte `at` of a frame that a worker may have written to.
#[must_use]
pub fn read_u64(frame: PhysFrame, at: usize) -> u64 {
    assert!(at + 8 <= 4096 && at.is_multiple_of(8), "read past a frame");
    let from = virt(frame.start_address()).as_ptr::<u64>().wrapping_add(at / 8);
    // SAFETY: within the frame and aligned, as asserted; volatile, because ring 3 writes it.
    unsafe { from.read_volatile() }
}

/// Makes the page tables at `cr3` current.
pub fn set_cr3(cr3: u64) {
    debug_assert!(cr3.is_multiple_of(4096), "the address of a frame, without flags");
    // SAFETY: callers pass only roots that this kernel made, and all of them share its upper half.
    unsafe { core::arch::asm!("mov cr3, {}", in(reg) cr3, options(nostack, preserves_flags)) };
}

/// A frame as words that ring 3 and other CPUs write to at any time.
///
/// # Safety
/// The frame is not given back for as long as the reference lives, and the kernel refers to it by atomics alone.
#[must_use]
pub unsafe fn shared<'a>(frame: PhysFrame) -> &'a [AtomicU64; 512] {
    // SAFETY: the caller's; frames are in the window and page-aligned, and every value of a word is an `AtomicU64`.
    unsafe { &*virt(frame.start_address()).as_ptr() }
}

/// `count` words of memory from `at` on, which CPUs share.
///
/// # Safety
/// The memory is mapped and writable in every address space from here on, aligned to 8, and nothing else refers to it.
#[must_use]
pub unsafe fn words(at: VirtAddr, count: usize) -> &'static [AtomicU64] {
    // SAFETY: the caller's; an `AtomicU64` is like a `u64`, of which every value is one.
    unsafe { core::slice::from_raw_parts(at.as_ptr(), count) }
}

/// Physical memory as byte slices, for reading firmware's tables.
pub struct Firmware;

impl Memory for Firmware {
    fn bytes(&self, at: u64, len: usize) -> Option<&[u8]> {
        let end = at.checked_add(len as u64)?;
        if at == 0 || end > window().end {
            return None;
        }
        // SAFETY: inside the window. Firmware's tables are not among the frames that the kernel hands out, so
        // nothing changes them while the slice lives.
        Some(unsafe { core::slice::from_raw_parts(virt(PhysAddr::new_truncate(at)).as_ptr(), len) })
    }
}
