//! A worker's address space, with the kernel's layout.

use std::fs::File;
use std::io;
use std::mem::offset_of;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use abi::grant::PageSize;
use abi::worker::{CHUNK_BYTES, WorkerArgs, WorkerResult};
use harness::le::u64_at;
use harness::user::elf::{ElfImage, Segment};
use harness::user::layout::{ARGS, CHUNKS, CORPUS, IMAGE, RESULT, STACK_TOP, stack_bottom};
use harness::user::{Corpus, Program};
use rustix::fs::{MemfdFlags, memfd_create};

use super::map::{self, PAGE, Rights};

/// The pages that a worker shares with the process that starts it: its arguments, its result slot, its result pages. They
/// are a file in memory, which only the worker's process maps.
pub struct Pages {
    file: File,
    /// The number of result pages.
    chunks: usize,
}

const ARGS_PAGE: usize = 0;
const RESULT_PAGE: usize = 1;
const CHUNKS_PAGE: usize = 2;

impl Pages {
    /// Pages of zeros, with room for the digests of `chunks` chunks.
    ///
    /// # Errors
    /// No memory.
    pub fn new(chunks: u16) -> io::Result<Self> {
        let file = File::from(memfd_create("worker", MemfdFlags::CLOEXEC)?);
        let chunks = (usize::from(chunks) * CHUNK_BYTES).div_ceil(PAGE);
        file.set_len(((CHUNKS_PAGE + chunks) * PAGE) as u64)?;
        Ok(Self { file, chunks })
    }

    /// Passes the first `bytes` bytes of the result pages to `see`.
    ///
    /// # Errors
    /// Linux's.
    pub fn see_chunks(&self, bytes: usize, see: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut kept = vec![0; bytes];
        self.file.read_exact_at(&mut kept, (CHUNKS_PAGE * PAGE) as u64)?;
        see(&kept);
        Ok(())
    }

    /// Writes the worker's arguments, and clears its result slot.
    ///
    /// # Errors
    /// Linux's.
    pub fn prepare(&self, args: &WorkerArgs) -> io::Result<()> {
        let mut page = [0; PAGE];
        page.chunks_exact_mut(8)
            .zip(args.words())
            .for_each(|(to, word)| to.copy_from_slice(&word.to_le_bytes()));
        self.file.write_all_at(&page, (ARGS_PAGE * PAGE) as u64)?;
        self.file.write_all_at(&[0; PAGE], (RESULT_PAGE * PAGE) as u64)
    }

    /// The content of the result slot.
    ///
    /// # Errors
    /// Linux's.
    pub fn result(&self) -> io::Result<WorkerResult> {
        let mut slot = [0; size_of::<WorkerResult>()];
        self.file.read_exact_at(&mut slot, (RESULT_PAGE * PAGE) as u64)?;
        Ok(WorkerResult {
            begin_tsc: word_at(&slot, offset_of!(WorkerResult, begin_tsc)),
            end_tsc: word_at(&slot, offset_of!(WorkerResult, end_tsc)),
            answer: word_at(&slot, offset_of!(WorkerResult, answer)),
            work: word_at(&slot, offset_of!(WorkerResult, work)),
            digest: word_at(&slot, offset_of!(WorkerResult, digest)),
            complete: word_at(&slot, offset_of!(WorkerResult, complete)),
            chunks: word_at(&slot, offset_of!(WorkerResult, chunks)),
        })
    }
}

/// A word of the result slot.
fn word_at(slot: &[u8; size_of::<WorkerResult>()], at: usize) -> u64 {
    u64_at(slot, at).unwrap_or(0)
}

/// Lays out a worker in this process: image, stack, arguments, result slot, and what its plan grants. What all workers of a
/// case share is there already. There is no return stub: the worker returns to this program.
///
/// # Errors
/// Linux's; [`io::ErrorKind::Unsupported`] if there are no pages of the plan's size.
pub fn lay_out(program: &Program<'_>, pages: &Pages) -> io::Result<()> {
    let Program { image, needs, corpus } = program;
    for segment in &image.segments {
        lay_out_segment(segment, image)?;
    }
    let bottom = stack_bottom(needs);
    map::private(bottom, size(STACK_TOP - bottom)?, &[], Rights::Write)?;
    map::shared_pages(ARGS, pages.file.as_fd(), ARGS_PAGE, 1, Rights::Read)?;
    map::shared_pages(RESULT, pages.file.as_fd(), RESULT_PAGE, 1, Rights::Write)?;
    if pages.chunks > 0 {
        map::shared_pages(CHUNKS, pages.file.as_fd(), CHUNKS_PAGE, pages.chunks, Rights::Write)?;
    }
    let memory = program.granted().memory;
    if memory.bytes > 0 {
        private(memory.at, size(memory.bytes)?, &[], needs.pages, Rights::Write)?;
    }
    match corpus {
        Some(Corpus { bytes, is_shared: false }) => {
            private(CORPUS, bytes.len(), bytes, needs.pages, Rights::Read)
        }
        _ => Ok(()),
    }
}

/// Maps the corpus that all workers read: children of this process share its pages, since none can write them.
///
/// # Errors
/// As for [`lay_out`].
pub fn lay_out_corpus(program: &Program<'_>) -> io::Result<()> {
    match program.corpus {
        Some(Corpus { bytes, is_shared: true }) => {
            private(CORPUS, bytes.len(), bytes, program.needs.pages, Rights::Read)
        }
        _ => Ok(()),
    }
}

/// The bytes that a worker's process maps beyond what this one has.
#[must_use]
pub fn bytes_of(program: &Program<'_>) -> u64 {
    let Program { image, needs, corpus } = program;
    let segments: u64 = image.segments.iter().map(|segment| segment.size + 2 * PAGE as u64).sum();
    let copy = corpus.filter(|corpus| !corpus.is_shared).map_or(0, |corpus| corpus.bytes.len() as u64);
    let granted = program.granted();
    let large = needs.pages.bytes();
    segments
        + (STACK_TOP - stack_bottom(needs))
        + granted.memory.bytes.next_multiple_of(large)
        + copy.next_multiple_of(large)
        + granted.chunks.bytes.next_multiple_of(PAGE as u64)
        + 2 * PAGE as u64
}

fn size(bytes: u64) -> io::Result<usize> {
    usize::try_from(bytes).map_err(io::Error::other)
}

/// Maps private memory in pages of this size, with `data` at its start.
fn private(at: u64, bytes: usize, data: &[u8], pages: PageSize, rights: Rights) -> io::Result<()> {
    match pages {
        PageSize::Small => map::private(at, bytes.next_multiple_of(PAGE), &[(0, data)], rights),
        PageSize::Large => map::private_large(at, bytes, data, rights),
    }
}

fn lay_out_segment(segment: &Segment<'_>, image: &ElfImage<'_>) -> io::Result<()> {
    let page = PAGE as u64;
    let (first, end) = (segment.at / page * page, (segment.at + segment.size).next_multiple_of(page));
    let place = |at: u64| usize::try_from(at - first).map_err(io::Error::other);
    let inside = image.relocations.iter().filter(|relocation| (first..end).contains(&relocation.at));
    let words: Vec<(u64, [u8; 8])> = inside.map(|r| (r.at, (IMAGE + r.addend).to_le_bytes())).collect();
    let mut pieces = vec![(place(segment.at)?, segment.data)];
    for (at, word) in &words {
        pieces.push((place(*at)?, word));
    }
    let rights = match (segment.writable, segment.executable) {
        (true, _) => Rights::Write,
        (false, true) => Rights::Execute,
        (false, false) => Rights::Read,
    };
    map::private(IMAGE + first, size(end - first)?, &pieces, rights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_finds_its_arguments_and_an_empty_slot() {
        let args = WorkerArgs {
            start_tsc: 77,
            worker: 1,
            params: [2, 3, 4, 5],
            challenge: 9,
            warm_until_tsc: 8,
            phase: 3,
            ..WorkerArgs::default()
        };
        let pages = Pages::new(0).unwrap();
        pages.file.write_all_at(&[0xff; PAGE], PAGE as u64).unwrap();
        pages.prepare(&args).unwrap();
        let mut words = [0; 80];
        pages.file.read_exact_at(&mut words, 0).unwrap();
        let expected: Vec<u8> =
            [77_u64, 1, 2, 3, 4, 5, 9, 8, 3, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(words.as_slice(), expected);
        assert_eq!(pages.result().unwrap(), WorkerResult::default());
    }
}
