//! The built programs themselves, loaded into this process and called as a system calls them: for every number of workers
//! from 1 to 16, each worker's result must be what the reference expects of its part.
//!
//! No clock plays a part here: the calls are the same as those that are timed, and their times are not read.

#![expect(unsafe_code, reason = "loads programs and calls them")]
#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

use std::path::Path;
use std::ptr;
use std::thread;

use abi::Digest;
use abi::worker::{CHUNK_BYTES, COMPLETE, Extent, Phase, WorkerArgs, WorkerResult};
use harness::user::elf::ElfImage;
use harness::user::layout::{IMAGE, IMAGE_LIMIT};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use workloads::{Expectation, REGISTRY, Words, Workload};

const PAGE: usize = 4096;
const CHALLENGE: u64 = 0x1234_5678_9abc_def0;

/// Pages of this process, given back when dropped.
struct Pages {
    at: *mut u8,
    bytes: usize,
}

// SAFETY: plain memory; who writes it when is the tests' matter.
unsafe impl Send for Pages {}
// SAFETY: as above.
unsafe impl Sync for Pages {}

impl Pages {
    /// Zeroed pages with room for `bytes`.
    fn new(bytes: u64) -> Self {
        let bytes = usize::try_from(bytes).unwrap().next_multiple_of(PAGE);
        if bytes == 0 {
            return Self { at: ptr::null_mut(), bytes };
        }
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the system's choice.
        let at = unsafe { mmap_anonymous(ptr::null_mut(), bytes, access, MapFlags::PRIVATE) };
        Self { at: at.unwrap().cast(), bytes }
    }

    /// The first `bytes` of them, as a worker gets them.
    fn extent(&self, bytes: u64) -> Extent {
        if bytes == 0 { Extent::default() } else { Extent { at: self.at.addr() as u64, bytes } }
    }

    fn write(&self, at: u64, bytes: &[u8]) {
        let at = usize::try_from(at).unwrap();
        assert!(at + bytes.len() <= self.bytes);
        // SAFETY: within the pages, and nothing else has a reference into them.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.at.wrapping_add(at), bytes.len()) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if self.bytes > 0 {
            // SAFETY: the mapping that `new` made, which nothing refers to any more.
            unsafe { munmap(self.at.cast(), self.bytes) }.unwrap();
        }
    }
}

/// A program in memory of its own.
struct Loaded {
    image: Pages,
    entry: u64,
}

impl Loaded {
    fn new(elf: &[u8]) -> Self {
        let parsed = ElfImage::parse(elf, IMAGE_LIMIT - IMAGE).expect("a program that a system takes");
        let end = parsed.segments.iter().map(|segment| segment.at + segment.size).max().unwrap();
        let image = Pages::new(end);
        for segment in &parsed.segments {
            image.write(segment.at, segment.data);
        }
        for relocation in parsed.relocations.iter() {
            let address = image.at.addr() as u64 + relocation.addend;
            image.write(relocation.at, &address.to_le_bytes());
        }
        for segment in parsed.segments.iter().filter(|segment| segment.executable) {
            let from = usize::try_from(segment.at).unwrap() / PAGE * PAGE;
            let to = usize::try_from(segment.at + segment.size).unwrap().next_multiple_of(PAGE);
            let access = MprotectFlags::READ | MprotectFlags::EXEC;
            // SAFETY: pages of the image that hold code and nothing that is written.
            unsafe { mprotect(image.at.wrapping_add(from).cast(), to - from, access) }.unwrap();
        }
        Self { image, entry: parsed.entry }
    }

    fn call(&self, args: &WorkerArgs) -> WorkerResult {
        type Entry = unsafe extern "C" fn(*const WorkerArgs, *mut WorkerResult);
        let entry = self.image.at.wrapping_add(usize::try_from(self.entry).unwrap());
        // SAFETY: the entry point of a worker, by the worker call of `abi::worker`.
        let entry = unsafe { std::mem::transmute::<*mut u8, Entry>(entry) };
        let mut result = WorkerResult::default();
        // SAFETY: the ranges of `args` are mapped, and the slot can be written.
        unsafe { entry(args, &mut result) };
        result
    }
}

/// A worker, with what it is granted.
struct Worker {
    program: Loaded,
    args: WorkerArgs,
    chunks: Pages,
    _memory: Pages,
}

impl Worker {
    fn new(elf: &[u8], workload: &dyn Workload, params: Words, common: WorkerArgs, worker: u64) -> Self {
        let room = workload.room(params);
        let (memory, chunks) = (Pages::new(room.memory_bytes), Pages::new(room.chunks * CHUNK_BYTES as u64));
        let args = WorkerArgs {
            worker,
            params,
            challenge: CHALLENGE,
            memory: memory.extent(memory.bytes as u64),
            chunks: chunks.extent(room.chunks * CHUNK_BYTES as u64),
            ..common
        };
        Self { program: Loaded::new(elf), args, chunks, _memory: memory }
    }

    fn call(&self, phase: Phase) -> WorkerResult {
        // A timed call has a start; this one is over.
        let start_tsc = u64::from(phase == Phase::Timed);
        self.program.call(&WorkerArgs { phase: phase as u64, start_tsc, ..self.args })
    }

    /// The digests that it left.
    fn left(&self, result: WorkerResult) -> Vec<Digest> {
        let count = usize::try_from(result.chunks).unwrap();
        assert!(count * CHUNK_BYTES <= self.chunks.bytes);
        let digest = |at: usize| {
            let mut bytes = [0; CHUNK_BYTES];
            // SAFETY: within the worker's result pages, which it does not write now.
            unsafe {
                ptr::copy_nonoverlapping(
                    self.chunks.at.wrapping_add(at * CHUNK_BYTES),
                    bytes.as_mut_ptr(),
                    CHUNK_BYTES,
                )
            };
            Digest(bytes)
        };
        (0..count).map(digest).collect()
    }
}

/// Runs a case, and compares each worker's result with the reference.
fn case(elf: &[u8], workload: &dyn Workload, whole: Words, workers: u16) {
    let room = workload.room(whole);
    let (corpus, shared) = (Pages::new(room.corpus_bytes), Pages::new(room.shared_bytes));
    let mut text = vec![0; usize::try_from(room.corpus_bytes).unwrap()];
    corpus::fill(&mut text, 0, 0);
    corpus.write(0, &text);
    let common = WorkerArgs {
        workers: workers.into(),
        corpus: corpus.extent(room.corpus_bytes),
        shared: shared.extent(room.shared_bytes),
        ..WorkerArgs::default()
    };
    let parts = workload.split(whole, workers);
    let team: Vec<Worker> =
        (0..).zip(&parts).map(|(number, &part)| Worker::new(elf, workload, part, common, number)).collect();
    let needs = workload.needs();
    for phase in [Phase::Prepare, Phase::WarmUp] {
        if phase == Phase::WarmUp || needs.prepare {
            for worker in &team {
                worker.call(phase);
            }
        }
    }
    let timed: Vec<WorkerResult> = thread::scope(|scope| {
        let calls: Vec<_> = team.iter().map(|worker| scope.spawn(|| worker.call(Phase::Timed))).collect();
        calls.into_iter().map(|call| call.join().expect("a worker returns")).collect()
    });
    for ((worker, &part), timed) in team.iter().zip(&parts).zip(timed) {
        let result = if needs.verify { timed.verified_by(worker.call(Phase::Verify)) } else { timed };
        let name = format!("{} of {workers} workers, {part:?}", workload.name());
        assert_eq!(result.complete, COMPLETE, "{name}");
        let found = Expectation { answer: result.answer, work: result.work, digest: result.digest };
        assert_eq!(found, workload.expectation(part, CHALLENGE), "{name}");
        assert_eq!(worker.left(result), workload.chunks(part, CHALLENGE), "{name}: chunks");
    }
}

/// What is tried: the example, and of what is shared few turns. More threads than CPUs hand a lock on only when the
/// scheduler lets the next one run.
fn whole(workload: &dyn Workload) -> Words {
    let [first, end, rest @ ..] = workload.example();
    let end = if workload.room(workload.example()).shared_bytes > 0 { first + 16 } else { end };
    let [third, fourth] = rest;
    [first, end, third, fourth]
}

#[test]
fn every_program_gives_what_is_expected_of_every_part_of_1_to_16_workers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release");
    for workload in REGISTRY.measured() {
        let path = folder.join(workload.name());
        let elf = std::fs::read(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; `make large-workers` builds the programs", path.display())
        });
        for workers in 1..=16 {
            case(&elf, workload, whole(workload), workers);
        }
    }
}

/// The comparison finds what is wrong: worker 0 of a control skips most of its work.
#[test]
#[should_panic(expected = "gups of 2 workers")]
fn a_control_does_not_give_what_is_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release");
    let elf = std::fs::read(folder.join("control-gups")).expect("`make workers` builds the programs");
    let gups = workloads::by_name("gups").expect("a workload");
    case(&elf, gups, gups.example(), 2);
}
