//! A worker's address space: its own lower half, with everything it will touch mapped, under the kernel's upper half,
//! which ring 3 cannot reach.
#![expect(unsafe_code, reason = "edits page tables")]

use abi::worker::{PARAMS, WorkerArgs, WorkerResult};
use alloc::vec::Vec;
use core::mem::offset_of;
use x86_64::VirtAddr;
use x86_64::structures::paging::mapper::Mapper;
use x86_64::structures::paging::{Page, PageTableFlags, PhysFrame, Size4KiB};

use super::elf::{Image, Segment};
use super::layout::{ARGS, IMAGE, RESULT, STACK_PAGES, STACK_TOP, STUB, STUB_CODE};
use super::{Entry, elf::Relocation};
use crate::mem::{Frames, KernelSpace, OutOfMemory, phys};

const PAGE: u64 = 4096;

/// Why a worker could not be given its address space.
pub type SpaceError = OutOfMemory;

/// One worker's address space. It gives its frames back through [`AddressSpace::destroy`].
pub struct AddressSpace {
    root: PhysFrame,
    entry: u64,
    args: PhysFrame,
    result: PhysFrame,
    /// Every frame it is made of, page tables included.
    owned: Owned,
}

/// Frames handed out through it are remembered.
struct Owned(Vec<PhysFrame>);

/// Allocates for an address space, and keeps the list of what it owns.
struct Recorder<'a> {
    frames: &'a mut Frames,
    owned: &'a mut Owned,
}

impl Recorder<'_> {
    fn zeroed(&mut self) -> Result<PhysFrame, OutOfMemory> {
        let frame = self.frames.zeroed()?;
        self.owned.0.push(frame);
        Ok(frame)
    }
}

// SAFETY: `Frames` hands out a frame once.
unsafe impl x86_64::structures::paging::FrameAllocator<Size4KiB> for Recorder<'_> {
    fn allocate_frame(&mut self) -> Option<PhysFrame> {
        self.zeroed().ok()
    }
}

/// What ring 3 may do with a page, besides reading it.
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
    /// No memory; what was taken is given back.
    pub fn new(space: &mut KernelSpace, image: &Image<'_>) -> Result<Self, SpaceError> {
        let root = space.new_root()?;
        let mut this =
            Self { root, entry: IMAGE + image.entry, args: root, result: root, owned: Owned(Vec::new()) };
        this.owned.0.push(root);
        match this.build(space.frames(), image) {
            Ok(()) => Ok(this),
            Err(error) => {
                this.destroy(space);
                Err(error)
            }
        }
    }

    fn build(&mut self, frames: &mut Frames, image: &Image<'_>) -> Result<(), OutOfMemory> {
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
        // SAFETY: this address space's own table, not in force while it is built.
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

    /// Sets what the worker is given, and clears its result slot.
    pub fn prepare(&self, start_tsc: u64, worker: u16, params: [u64; PARAMS]) {
        let args = WorkerArgs { start_tsc, worker: u64::from(worker), params };
        let words =
            [args.start_tsc, args.worker, args.params[0], args.params[1], args.params[2], args.params[3]];
        const _: () = assert!(offset_of!(WorkerArgs, params) == 16 && PARAMS == 4);
        for (i, word) in words.iter().enumerate() {
            phys::write_bytes(self.args, 8 * i, &word.to_le_bytes());
        }
        phys::write_page(self.result, &[0; 4096]);
    }

    /// What the worker left in its result slot.
    #[must_use]
    pub fn result(&self) -> WorkerResult {
        let word = |at| phys::read_u64(self.result, at);
        WorkerResult {
            begin_tsc: word(offset_of!(WorkerResult, begin_tsc)),
            end_tsc: word(offset_of!(WorkerResult, end_tsc)),
            answer: word(offset_of!(WorkerResult, answer)),
            work: word(offset_of!(WorkerResult, work)),
            digest: word(offset_of!(WorkerResult, digest)),
            complete: word(offset_of!(WorkerResult, complete)),
        }
    }

    /// The physical address for CR3.
    #[must_use]
    pub fn cr3(&self) -> u64 {
        self.root.start_address().as_u64()
    }

    /// Where and how the worker is entered.
    #[must_use]
    pub fn entry(&self) -> Entry {
        Entry { rip: self.entry, rsp: STACK_TOP - 8, args: ARGS, result: RESULT }
    }

    /// Gives all its memory back. No CPU may run in it any more.
    pub fn destroy(self, space: &mut KernelSpace) {
        space.frames().give_back(self.owned.0);
    }
}

/// Copies into a page of the image, which begins at `page`, what the segment has for it.
fn fill(frame: PhysFrame, page: u64, segment: &Segment<'_>) {
    let skipped = usize::try_from(page.saturating_sub(segment.at)).unwrap_or(usize::MAX);
    let at = offset(segment.at.max(page));
    let data = segment.data.get(skipped..).unwrap_or_default();
    phys::write_bytes(frame, at, &data[..data.len().min(4096 - at)]);
}

/// An address's place in its page.
fn offset(at: u64) -> usize {
    usize::try_from(at % PAGE).unwrap_or(0)
}
