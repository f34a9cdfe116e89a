//! Free frames: handed out from the bottom up, and taken back into a list.
#![expect(unsafe_code, reason = "implements FrameAllocator")]

use alloc::vec::Vec;
use x86_64::PhysAddr;
use x86_64::structures::paging::{FrameAllocator, FrameDeallocator, PageSize, PhysFrame, Size4KiB};

use super::{OutOfMemory, phys};
use crate::mem::memory_map::{MemoryMap, Region};

/// Free frames.
pub struct Frames {
    map: MemoryMap,
    /// Frames given back.
    returned: Vec<PhysFrame>,
}

impl Frames {
    /// The frames of `map`.
    #[must_use]
    pub fn new(map: MemoryMap) -> Self {
        Self { map, returned: Vec::new() }
    }

    /// A frame full of zeros.
    ///
    /// # Errors
    /// None is left.
    pub fn zeroed(&mut self) -> Result<PhysFrame, OutOfMemory> {
        let frame = match self.returned.pop() {
            Some(frame) => frame,
            None => self.contiguous(Size4KiB::SIZE).map(PhysFrame::containing_address)?,
        };
        phys::write_page(frame, &[0; 4096]);
        Ok(frame)
    }

    /// `bytes` of contiguous memory, a multiple of the page size, not zeroed. It is never given back.
    ///
    /// # Errors
    /// No region is large enough.
    pub fn contiguous(&mut self, bytes: u64) -> Result<PhysAddr, OutOfMemory> {
        self.map.take(bytes).map(|Region { start, .. }| PhysAddr::new(start)).ok_or(OutOfMemory)
    }

    /// Takes frames back. Nothing may refer to them.
    pub fn give_back(&mut self, frames: impl IntoIterator<Item = PhysFrame>) {
        self.returned.extend(frames);
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
        self.returned.push(frame);
    }
}
