//! A worker's address space: a lower half of its own, with everything that the worker may touch mapped, under the
//! kernel's upper half, which ring 3 cannot reach.
//!
//! Its page tables are the only list of its frames: giving them back is a walk through the lower half. So a worker of any
//! size takes frames and nothing of the heap.
#![expect(unsafe_code, reason = "edits page tables")]

use abi::grant::PageSize;
use abi::object::Access;
use abi::worker::{Extent, WorkerArgs, WorkerResult};
use core::mem::offset_of;
use core::ops::Range;
use harness::user::layout::{
    ARGS, CHUNKS, CORPUS, IMAGE, MEMORY, RESULT, STACK_TOP, STUB, STUB_CODE, stack_bottom,
};
use harness::user::{Corpus, Program, elf};
use x86_64::structures::paging::{PageTableFlags, PhysFrame};

use super::tables::{self, Tables};
use crate::cpu::ThreadFrame;
use crate::mem::{Frames, OutOfMemory, frames, new_root, phys};

const PAGE: u64 = 4096;

/// One worker's address space. It gives its frames back through [`AddressSpace::destroy`].
pub struct AddressSpace {
    root: PhysFrame,
    tables: Tables,
    entry: u64,
    args: PhysFrame,
    result: PhysFrame,
    /// The end of what is mapped.
    end: u64,
}

/// The flags of a page to which ring 3 has this access; `None` for none.
#[must_use]
pub const fn rights(access: Access) -> Option<PageTableFlags> {
    let readable = PageTableFlags::PRESENT.union(PageTableFlags::USER_ACCESSIBLE);
    Some(match access {
        Access::None => return None,
        Access::Read => readable.union(PageTableFlags::NO_EXECUTE),
        Access::Write => readable.union(PageTableFlags::NO_EXECUTE).union(PageTableFlags::WRITABLE),
        Access::Execute => readable,
    })
}

/// As [`rights`], of an access that is one.
fn flags(access: Access) -> PageTableFlags {
    rights(access).unwrap_or(PageTableFlags::empty())
}

impl AddressSpace {
    /// Lays out a worker: image, stack, arguments, result slot, return stub, and what its plan grants. What the workers of
    /// a case share it borrows from `first`, if there is one: that address space must not be destroyed before this one.
    ///
    /// # Errors
    /// No memory. Frames taken so far are given back.
    pub fn new(program: &Program<'_>, first: Option<&Self>) -> Result<Self, OutOfMemory> {
        let mut frames = frames();
        let root = new_root(&mut frames)?;
        // SAFETY: a table made just now; this address space is its only owner, and maps everything before a CPU enters it.
        let tables = unsafe { Tables::new(root) };
        let mut this = Self {
            root,
            tables,
            entry: IMAGE + program.image.entry,
            args: root,
            result: root,
            end: MEMORY + program.granted().memory.bytes,
        };
        match this.build(&mut frames, program, first) {
            Ok(()) => Ok(this),
            Err(error) => {
                drop(frames);
                this.destroy();
                Err(error)
            }
        }
    }

    fn build(
        &mut self,
        frames: &mut Frames,
        program: &Program<'_>,
        first: Option<&Self>,
    ) -> Result<(), OutOfMemory> {
        let Program { image, needs, corpus } = program;
        for segment in &image.segments {
            self.map_segment(frames, segment)?;
        }
        self.relocate(image);
        self.args = self.map_small(frames, ARGS, Access::Read)?;
        self.result = self.map_small(frames, RESULT, Access::Write)?;
        let stub = self.map_small(frames, STUB, Access::Execute)?;
        phys::write_bytes(stub, 0, &STUB_CODE);
        self.map(frames, stack_bottom(needs), STACK_TOP, PageSize::Small, Access::Write)?;
        // The return address: the worker is entered as if the stub had called it.
        self.write(STACK_TOP - 8, &STUB.to_le_bytes());

        let granted = program.granted();
        let end = |extent: Extent| extent.at + extent.bytes;
        self.map(frames, granted.chunks.at, end(granted.chunks), PageSize::Small, Access::Write)?;
        self.map(frames, granted.memory.at, end(granted.memory), needs.pages, Access::Write)?;
        let (shared, copied) = (granted.shared, granted.corpus);
        match first {
            Some(first) => {
                self.borrow(frames, first, shared.at, end(shared), PageSize::Small, Access::Write)?
            }
            None => self.map(frames, shared.at, end(shared), PageSize::Small, Access::Write)?,
        }
        match (corpus, first) {
            (Some(Corpus { is_shared: true, .. }), Some(first)) => {
                self.borrow(frames, first, copied.at, end(copied), needs.pages, Access::Read)
            }
            (Some(Corpus { bytes, .. }), _) => {
                self.map(frames, copied.at, end(copied), needs.pages, Access::Read)?;
                self.write(CORPUS, bytes);
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }

    /// Writes the words that hold addresses in the image.
    fn relocate(&self, image: &elf::ElfImage<'_>) {
        // Most are in the page of the one before.
        let mut last = None;
        for elf::Relocation { at, addend } in image.relocations.iter() {
            let (page, word) = ((IMAGE + at) / PAGE, (IMAGE + addend).to_le_bytes());
            match last {
                Some((known, frame)) if known == page && offset(at) <= 4096 - word.len() => {
                    phys::write_bytes(frame, offset(at), &word);
                }
                _ => {
                    self.write(IMAGE + at, &word);
                    last = Some((page, self.frame(IMAGE + at)));
                }
            }
        }
    }

    fn map_segment(&self, frames: &mut Frames, segment: &elf::Segment<'_>) -> Result<(), OutOfMemory> {
        let access = match (segment.writable, segment.executable) {
            (true, _) => Access::Write,
            (false, true) => Access::Execute,
            (false, false) => Access::Read,
        };
        let (start, end) = (IMAGE + segment.at, IMAGE + segment.at + segment.size);
        self.map(frames, start / PAGE * PAGE, end, PageSize::Small, access)?;
        self.write(start, segment.data);
        Ok(())
    }

    /// Maps new pages of zeros from `start`, which is at a page, up to `end` or the end of its page.
    fn map(
        &self,
        frames: &mut Frames,
        start: u64,
        end: u64,
        pages: PageSize,
        access: Access,
    ) -> Result<(), OutOfMemory> {
        let mut at = start;
        while at < end {
            match pages {
                PageSize::Small => self.map_small(frames, at, access).map(drop)?,
                PageSize::Large => self.map_large(frames, at, access)?,
            }
            at += pages.bytes();
        }
        Ok(())
    }

    /// Maps a new page of zeros at `at`.
    fn map_small(&self, frames: &mut Frames, at: u64, access: Access) -> Result<PhysFrame, OutOfMemory> {
        let frame = frames.zeroed()?;
        let entered = self.tables.enter(frames, at, frame.start_address(), flags(access));
        entered.map(|()| frame).inspect_err(|_| frames.give_back(frame))
    }

    /// Maps 2 MiB of zeros at `at`.
    fn map_large(&self, frames: &mut Frames, at: u64, access: Access) -> Result<(), OutOfMemory> {
        let frame = frames.zeroed_large()?;
        let flags = flags(access) | PageTableFlags::HUGE_PAGE;
        let entered = self.tables.enter(frames, at, frame.start_address(), flags);
        entered.inspect_err(|_| frames.give_back_large(frame))
    }

    /// Maps the pages of `owner` from `start` up to `end`. They stay the owner's.
    fn borrow(
        &self,
        frames: &mut Frames,
        owner: &Self,
        start: u64,
        end: u64,
        pages: PageSize,
        access: Access,
    ) -> Result<(), OutOfMemory> {
        let size = if pages == PageSize::Large { PageTableFlags::HUGE_PAGE } else { PageTableFlags::empty() };
        let mut at = start;
        while at < end {
            let page = owner.frame(at).start_address();
            self.tables.enter(frames, at, page, flags(access) | size | tables::BORROWED)?;
            at += pages.bytes();
        }
        Ok(())
    }

    /// The 4 KiB of memory behind the page of `at`, which is mapped.
    fn frame(&self, at: u64) -> PhysFrame {
        let found = self.tables.find(at);
        PhysFrame::containing_address(found.expect("callers name pages that they have mapped"))
    }

    /// Writes `bytes` at `at`, which is mapped. The worker does not run.
    pub fn write(&self, at: u64, bytes: &[u8]) {
        let (mut at, mut rest) = (at, bytes);
        while !rest.is_empty() {
            let offset = offset(at);
            let (piece, after) = rest.split_at(rest.len().min(4096 - offset));
            phys::write_bytes(self.frame(at), offset, piece);
            (at, rest) = (at + piece.len() as u64, after);
        }
    }

    /// Writes the worker's arguments, and clears its result slot.
    pub fn prepare(&self, args: &WorkerArgs) {
        for (i, word) in args.words().iter().enumerate() {
            phys::write_bytes(self.args, 8 * i, &word.to_le_bytes());
        }
        phys::zero(self.result.start_address(), PAGE);
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

    /// Passes the first `bytes` bytes of the result pages to `see`. No CPU may run in it any more.
    pub fn see_chunks(&self, bytes: usize, see: &mut dyn FnMut(&[u8])) {
        let (mut at, mut rest) = (CHUNKS, bytes);
        while rest > 0 {
            let piece = rest.min(4096);
            // SAFETY: the worker's own page, which is mapped as long as its address space lives; the worker has ended.
            see(unsafe { phys::bytes(self.frame(at), piece) });
            (at, rest) = (at + PAGE, rest - piece);
        }
    }

    /// Copies the first words of the worker's own memory. No CPU may run in it any more.
    pub fn read_memory(&self, words: &mut [u64]) {
        let mut at = MEMORY;
        for page in words.chunks_mut(512) {
            let Some(frame) = self.tables.find(at).map(PhysFrame::containing_address) else { return };
            page.iter_mut().enumerate().for_each(|(i, word)| *word = phys::read_u64(frame, 8 * i));
            at += PAGE;
        }
    }

    /// Its page tables. A copy edits the same ones.
    #[must_use]
    pub const fn tables(&self) -> Tables {
        self.tables
    }

    /// The addresses at which something is mapped from the start, or could be.
    #[must_use]
    pub const fn fixed(&self) -> Range<u64> {
        64 << 10..self.end
    }

    /// The physical address for CR3.
    #[must_use]
    pub fn cr3(&self) -> u64 {
        self.root.start_address().as_u64()
    }

    /// The registers of a call of the worker: its entry point, its stack and its two arguments.
    #[must_use]
    pub fn entry(&self) -> ThreadFrame {
        ThreadFrame::calling(self.entry, STACK_TOP - 8, [ARGS, RESULT])
    }

    /// Gives all its frames back. No CPU may run in it any more.
    pub fn destroy(self) {
        // SAFETY: nothing runs in it, and `self` is the only owner of the tables.
        unsafe { self.tables.give_back(&mut frames()) };
    }
}

/// An address's offset in its page.
fn offset(at: u64) -> usize {
    usize::try_from(at % PAGE).unwrap_or(0)
}
