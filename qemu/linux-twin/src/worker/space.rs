//! A worker's address space, with the kernel's layout.

use std::fs::File;
use std::io;
use std::mem::offset_of;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use abi::worker::{WorkerArgs, WorkerResult};
use harness::le::u64_at;
use harness::user::elf::{ElfImage, Segment};
use harness::user::layout::{ARGS, IMAGE, RESULT, STACK_PAGES, STACK_TOP};
use rustix::fs::{MemfdFlags, memfd_create};

use super::map::{self, PAGE, Rights};

/// The two pages that a worker shares with the process that starts it: its arguments and its result slot. They are a file
/// in memory, which only the worker's process maps.
pub struct Pages(File);

impl Pages {
    /// Two pages of zeros.
    ///
    /// # Errors
    /// No memory.
    pub fn new() -> io::Result<Self> {
        let file = File::from(memfd_create("worker", MemfdFlags::CLOEXEC)?);
        file.set_len(2 * PAGE as u64)?;
        Ok(Self(file))
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
        self.0.write_all_at(&page, 0)?;
        self.0.write_all_at(&[0; PAGE], PAGE as u64)
    }

    /// The content of the result slot.
    ///
    /// # Errors
    /// Linux's.
    pub fn result(&self) -> io::Result<WorkerResult> {
        let mut slot = [0; size_of::<WorkerResult>()];
        self.0.read_exact_at(&mut slot, PAGE as u64)?;
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

/// Lays out a worker in this process: image, stack, arguments, result slot. There is no return stub: the worker
/// returns to this program.
///
/// # Errors
/// Linux's.
pub fn lay_out(image: &ElfImage<'_>, pages: &Pages) -> io::Result<()> {
    for segment in &image.segments {
        lay_out_segment(segment, image)?;
    }
    let stack_bytes = usize::try_from(STACK_PAGES).map_err(io::Error::other)? * PAGE;
    map::private(STACK_TOP - stack_bytes as u64, stack_bytes, &[], Rights::Write)?;
    map::shared_page(ARGS, pages.0.as_fd(), 0, Rights::Read)?;
    map::shared_page(RESULT, pages.0.as_fd(), 1, Rights::Write)
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
    map::private(IMAGE + first, usize::try_from(end - first).map_err(io::Error::other)?, &pieces, rights)
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
        let pages = Pages::new().unwrap();
        pages.0.write_all_at(&[0xff; PAGE], PAGE as u64).unwrap();
        pages.prepare(&args).unwrap();
        let mut words = [0; 80];
        pages.0.read_exact_at(&mut words, 0).unwrap();
        let expected: Vec<u8> =
            [77_u64, 1, 2, 3, 4, 5, 9, 8, 3, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(words.as_slice(), expected);
        assert_eq!(pages.result().unwrap(), WorkerResult::default());
    }
}
