//! Free frames: handed out from the bottom up, and taken back into a list that is threaded through the frames themselves,
//! so that it takes no other memory, however long it grows.
#![expect(unsafe_code, reason = "implements FrameAllocator, and hands out memory as words")]

use core::sync::atomic::AtomicU64;

use x86_64::PhysAddr;
use x86_64::structures::paging::{FrameAllocator, FrameDeallocator, PageSize, PhysFrame, Size4KiB};

use super::{OutOfMemory, phys};
use crate::mem::memory_map::{MemoryMap, Region};

/// Free frames.
pub struct Frames {
    map: MemoryMap,
    /// The frame that was given back last. Its first word is one more than the address of the one before it, which is
    /// odd, or 0 if there is none.
    returned: Option<PhysFrame>,
}

impl Frames {
    /// The frames of `map`.
    #[must_use]
    pub fn new(map: MemoryMap) -> Self {
        Self { map, returned: None }
    }

    /// A frame full of zeros.
    ///
    /// # Errors
    /// None is left.
    pub fn zeroed(&mut self) -> Result<PhysFrame, OutOfMemory> {
        let frame = match self.returned {
            Some(frame) => {
                self.returned = below(phys::read_u64(frame, 0));
                frame
            }
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

    /// Takes frames back. Nothing may refer to them.
    pub fn give_back(&mut self, frames: impl IntoIterator<Item = PhysFrame>) {
        frames.into_iter().for_each(|frame| self.put(frame));
    }

    fn put(&mut self, frame: PhysFrame) {
        phys::write_bytes(frame, 0, &link(self.returned).to_le_bytes());
        self.returned = Some(frame);
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
        self.put(frame);
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
