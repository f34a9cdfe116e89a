//! Free frames: handed out from the bottom up, and taken back into lists that are threaded through the frames themselves,
//! so that they take no other memory, however long they grow.
#![expect(unsafe_code, reason = "implements FrameAllocator, and hands out memory as words")]

use core::sync::atomic::AtomicU64;

use x86_64::PhysAddr;
use x86_64::structures::paging::{FrameAllocator, FrameDeallocator, PageSize, PhysFrame, Size2MiB, Size4KiB};

use super::{OutOfMemory, phys};
use crate::mem::memory_map::{MemoryMap, Region};

/// Free frames.
pub struct Frames {
    map: MemoryMap,
    small: List,
    large: List,
}

/// Frames of one size that were given back.
struct List {
    /// The frame that was given back last. Its first word is one more than the address of the one before it, which is
    /// odd, or 0 if there is none.
    last: Option<PhysFrame>,
    count: u64,
}

impl List {
    const EMPTY: Self = Self { last: None, count: 0 };

    fn put(&mut self, at: PhysAddr) {
        let frame = PhysFrame::containing_address(at);
        phys::write_bytes(frame, 0, &link(self.last).to_le_bytes());
        self.last = Some(frame);
        self.count += 1;
    }

    fn take(&mut self) -> Option<PhysAddr> {
        let frame = self.last?;
        self.last = below(phys::read_u64(frame, 0));
        self.count -= 1;
        Some(frame.start_address())
    }
}

impl Frames {
    /// The frames of `map`.
    #[must_use]
    pub fn new(map: MemoryMap) -> Self {
        Self { map, small: List::EMPTY, large: List::EMPTY }
    }

    /// Bytes that are free.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.map.bytes() + self.small.count * Size4KiB::SIZE + self.large.count * Size2MiB::SIZE
    }

    /// A frame full of zeros.
    ///
    /// # Errors
    /// None is left.
    pub fn zeroed(&mut self) -> Result<PhysFrame, OutOfMemory> {
        let at = match self.small.take() {
            Some(at) => at,
            None => self.contiguous(Size4KiB::SIZE).or_else(|error| self.break_large().ok_or(error))?,
        };
        phys::zero(at, Size4KiB::SIZE);
        Ok(PhysFrame::containing_address(at))
    }

    /// 2 MiB of zeros.
    ///
    /// # Errors
    /// None are left in one piece.
    pub fn zeroed_large(&mut self) -> Result<PhysFrame<Size2MiB>, OutOfMemory> {
        let taken = self.large.take();
        let mapped = || self.map.take_aligned(Size2MiB::SIZE).map(|region| PhysAddr::new(region.start));
        let at = taken.or_else(mapped).ok_or(OutOfMemory)?;
        phys::zero(at, Size2MiB::SIZE);
        Ok(PhysFrame::containing_address(at))
    }

    /// A frame out of a large one, if there is one; the others of it are free.
    fn break_large(&mut self) -> Option<PhysAddr> {
        let first = self.large.take()?;
        (Size4KiB::SIZE..Size2MiB::SIZE).step_by(4096).for_each(|offset| self.small.put(first + offset));
        Some(first)
    }

    /// `bytes` of contiguous memory, a multiple of the page size, not zeroed. It is never given back.
    ///
    /// # Errors
    /// No region is large enough.
    pub fn contiguous(&mut self, bytes: u64) -> Result<PhysAddr, OutOfMemory> {
        self.map.take(bytes).map(|Region { start, .. }| PhysAddr::new(start)).ok_or(OutOfMemory)
    }

    /// `bytes` of contiguous memory, a multiple of the page size, that begins at a multiple of `align`, as words that CPUs
    /// share. It is neither zeroed nor touched, and never given back.
    ///
    /// # Errors
    /// No region is large enough.
    pub fn words(&mut self, bytes: u64, align: u64) -> Result<&'static [AtomicU64], OutOfMemory> {
        let spare = align.saturating_sub(Size4KiB::SIZE);
        let at = self.contiguous(bytes.checked_add(spare).ok_or(OutOfMemory)?)?.align_up(align);
        let count = usize::try_from(bytes / 8).map_err(|_| OutOfMemory)?;
        let at = phys::in_window(at).ok_or(OutOfMemory)?;
        // SAFETY: frames that were free, in the window, and are handed out once.
        Ok(unsafe { phys::words(at, count) })
    }

    /// How many bytes of the frames were never handed out.
    #[must_use]
    pub fn untouched_bytes(&self) -> u64 {
        self.map.bytes()
    }

    /// Takes a frame back. Nothing may refer to it.
    pub fn give_back(&mut self, frame: PhysFrame) {
        self.small.put(frame.start_address());
    }

    /// Takes a large frame back, likewise.
    pub fn give_back_large(&mut self, frame: PhysFrame<Size2MiB>) {
        self.large.put(frame.start_address());
    }
}

// SAFETY: a frame is not handed out again until it is given back.
unsafe impl FrameAllocator<Size4KiB> for Frames {
    fn allocate_frame(&mut self) -> Option<PhysFrame> {
        self.zeroed().ok()
    }
}

impl FrameDeallocator<Size4KiB> for Frames {
    unsafe fn deallocate_frame(&mut self, frame: PhysFrame) {
        self.give_back(frame);
    }
}

/// What a returned frame holds of the one before it.
fn link(frame: Option<PhysFrame>) -> u64 {
    frame.map_or(0, |frame| frame.start_address().as_u64() + 1)
}

/// The frame that [`link`] gave.
fn below(link: u64) -> Option<PhysFrame> {
    link.checked_sub(1).map(|at| PhysFrame::containing_address(PhysAddr::new_truncate(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_every_frame_and_none() {
        for at in [0_u64, 0x1000, 0x7fff_f000, 0xf_ffff_ffff_f000] {
            let frame = PhysFrame::containing_address(PhysAddr::new(at));
            assert_eq!(below(link(Some(frame))), Some(frame));
        }
        assert_eq!(below(link(None)), None);
    }
}
