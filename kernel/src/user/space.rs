//! A worker's address space: a lower half of its own, with everything that the worker may touch mapped, under the
//! kernel's upper half, which ring 3 cannot reach.
#![expect(unsafe_code, reason = "edits page tables")]

use abi::worker::{WorkerArgs, WorkerResult};
use alloc::vec::Vec;
use core::mem::offset_of;
use harness::user::elf::{ElfImage, Relocation, Segment};
use harness::user::layout::{ARGS, IMAGE, RESULT, STACK_PAGES, STACK_TOP, STUB, STUB_CODE};
use x86_64::VirtAddr;
use x86_64::structures::paging::mapper::Mapper;
use x86_64::structures::paging::{Page, PageTableFlags, PhysFrame, Size4KiB};

use super::Entry;
use crate::mem::{Frames, KernelSpace, OutOfMemory, phys};

const PAGE: u64 = 4096;

/// One worker's address space. It gives its frames back through [`AddressSpace::destroy`].
pub struct AddressSpace {
    root: PhysFrame,
    entry: u64,
    args: PhysFrame,
    result: PhysFrame,
    /// Every frame it is made of, page tables included.
    owned: Owned,
}

/// The frames that an address space is made of.
struct Owned(Vec<PhysFrame>);

/// Allocates frames for an address space, and records them.
struct Recorder<'a> {
    frames: &'a mut Frames,
    owned: &'a mut Owned,
}

impl Recorder<'_> {
    fn zeroed(&mut self) -> Result<PhysFrame, OutOfMemory> {
        // Before the frame: a full heap is no panic, and loses no frame.
        self.owned.0.try_reserve(1).map_err(|_| OutOfMemory)?;
        let frame = self.frames.zeroed()?;
        self.owned.0.push(frame);
        Ok(frame)
    }
}

// SAFETY: `Frames` hands out each frame once.
unsafe impl x86_64::structures::paging::FrameAllocator<Size4KiB> for Recorder<'_> {
    fn allocate_frame(&mut self) -> Option<PhysFrame> {
        self.zeroed().ok()
    }
}

/// Ring 3's rights to a page, besides reading it.
#[derive(Clone, Copy)]
enum Rights {
    Read,
    Write,
    Execute,
}

impl Rights {
    fn flags(self) -> PageTableFlags {
        let readable = PageTableFlags::PRESENT | PageTableFlags::USER_ACCESSIBLE;
        readable
            | match self {
                Self::Read => PageTableFlags::NO_EXECUTE,
                Self::Write => PageTableFlags::NO_EXECUTE | PageTableFlags::WRITABLE,
                Self::Execute => PageTableFlags::empty(),
            }
    }
}

impl AddressSpace {
    /// Lays out a worker: image, stack, arguments, result slot, return stub.
    ///
    /// # Errors
    /// No memory. Frames taken so far are given back.
    pub fn new(space: &mut KernelSpace, image: &ElfImage<'_>) -> Result<Self, OutOfMemory> {
        let mut owned = Owned(Vec::new());
        owned.0.try_reserve(1).map_err(|_| OutOfMemory)?;
        let root = space.new_root()?;
        owned.0.push(root);
        let mut this = Self { root, entry: IMAGE + image.entry, args: root, result: root, owned };
        match this.build(space.frames(), image) {
            Ok(()) => Ok(this),
            Err(error) => {
                this.destroy(space);
                Err(error)
            }
        }
    }

    fn build(&mut self, frames: &mut Frames, image: &ElfImage<'_>) -> Result<(), OutOfMemory> {
        for segment in &image.segments {
            self.map_segment(frames, segment, &image.relocations)?;
        }
        self.args = self.map_new(frames, ARGS, Rights::Read)?;
        self.result = self.map_new(frames, RESULT, Rights::Write)?;
        let stub = self.map_new(frames, STUB, Rights::Execute)?;
        phys::write_bytes(stub, 0, &STUB_CODE);
        for page in 1..=STACK_PAGES {
            let frame = self.map_new(frames, STACK_TOP - page * PAGE, Rights::Write)?;
            if page == 1 {
                // The return address: the worker is entered as if the stub had called it.
                phys::write_bytes(frame, 4096 - 8, &STUB.to_le_bytes());
            }
        }
        Ok(())
    }

    fn map_segment(
        &mut self,
        frames: &mut Frames,
        segment: &Segment<'_>,
        all: &[Relocation],
    ) -> Result<(), OutOfMemory> {
        let rights = match (segment.writable, segment.executable) {
            (true, _) => Rights::Write,
            (false, true) => Rights::Execute,
            (false, false) => Rights::Read,
        };
        let end = segment.at + segment.size;
        let mut at = segment.at / PAGE * PAGE;
        while at < end {
            let frame = self.map_new(frames, IMAGE + at, rights)?;
            fill(frame, at, segment);
            for relocation in all.iter().filter(|r| (at..at + PAGE).contains(&r.at)) {
                phys::write_bytes(frame, offset(relocation.at), &(IMAGE + relocation.addend).to_le_bytes());
            }
            at += PAGE;
        }
        Ok(())
    }

    /// Maps a new page of zeros at `at`.
    fn map_new(&mut self, frames: &mut Frames, at: u64, rights: Rights) -> Result<PhysFrame, OutOfMemory> {
        // SAFETY: this address space's own table, not current while it is built.
        let mut tables = unsafe { phys::tables(self.root) };
        let mut recorder = Recorder { frames, owned: &mut self.owned };
        let frame = recorder.zeroed()?;
        let page = Page::<Size4KiB>::containing_address(VirtAddr::new(at));
        let parents = PageTableFlags::PRESENT | PageTableFlags::WRITABLE | PageTableFlags::USER_ACCESSIBLE;
        // SAFETY: a lower-half page of a space that nothing runs in yet.
        let mapped =
            unsafe { tables.map_to_with_table_flags(page, frame, rights.flags(), parents, &mut recorder) };
        mapped.map_err(|_| OutOfMemory)?.ignore();
        Ok(frame)
    }

    /// Writes the worker's arguments, and clears its result slot.
    pub fn prepare(&self, args: &WorkerArgs) {
        for (i, word) in args.words().iter().enumerate() {
            phys::write_bytes(self.args, 8 * i, &word.to_le_bytes());
        }
        phys::write_page(self.result, &[0; 4096]);
    }

    /// The content of the result slot.
    #[must_use]
    pub fn result(&self) -> WorkerResult {
        WorkerResult {
            begin_tsc: self.result_word(offset_of!(WorkerResult, begin_tsc)),
            end_tsc: self.result_word(offset_of!(WorkerResult, end_tsc)),
            answer: self.result_word(offset_of!(WorkerResult, answer)),
            work: self.result_word(offset_of!(WorkerResult, work)),
            digest: self.result_word(offset_of!(WorkerResult, digest)),
            complete: self.result_word(offset_of!(WorkerResult, complete)),
            chunks: self.result_word(offset_of!(WorkerResult, chunks)),
        }
    }

    fn result_word(&self, at: usize) -> u64 {
        phys::read_u64(self.result, at)
    }

    /// The physical address for CR3.
    #[must_use]
    pub fn cr3(&self) -> u64 {
        self.root.start_address().as_u64()
    }

    /// The worker's entry point, stack and arguments.
    #[must_use]
    pub fn entry(&self) -> Entry {
        Entry { rip: self.entry, rsp: STACK_TOP - 8, args: ARGS, result: RESULT }
    }

    /// Gives all its frames back. No CPU may run in it any more.
    pub fn destroy(self, space: &mut KernelSpace) {
        space.frames().give_back(self.owned.0);
    }
}

/// Copies the segment's part of the page that begins at `page`.
fn fill(frame: PhysFrame, page: u64, segment: &Segment<'_>) {
    let skipped = usize::try_from(page.saturating_sub(segment.at)).unwrap_or(usize::MAX);
    let at = offset(segment.at.max(page));
    let data = segment.data.get(skipped..).unwrap_or_default();
    phys::write_bytes(frame, at, &data[..data.len().min(4096 - at)]);
}

/// An address's offset in its page.
fn offset(at: u64) -> usize {
    usize::try_from(at % PAGE).unwrap_or(0)
}
