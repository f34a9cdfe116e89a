//! How much memory the judging of many boots takes, counted by the allocator: what the host has free does not matter.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{self, Read};

use evidence::gate::{Gate, RunExpectation, Sample, WorkerSample};
use evidence::transcript::Boots;
use results::{Completion, Environment, Experiment, Pairing, Results, RunRecord};
use test_support::guest::Guest;

/// The system's allocator, with each thread's account.
struct Counting;

thread_local! {
    /// How many bytes this thread has allocated and not freed.
    static LIVE: Cell<usize> = const { Cell::new(0) };
    /// The most that it ever had.
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

impl Counting {
    fn count(freed: usize, allocated: usize) {
        let live = LIVE.get().saturating_sub(freed) + allocated;
        LIVE.set(live);
        PEAK.set(PEAK.get().max(live));
    }
}

// SAFETY: every call goes to the system's allocator as it came. The counters are constants at first and have no
// destructor, so they allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(0, layout.size());
        // SAFETY: the caller upholds what the system's allocator needs.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        Self::count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new: usize) -> *mut u8 {
        Self::count(layout.size(), new);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, new) }
    }
}

/// The most memory that `job` had allocated at a time, beside what there was before it.
fn peak_bytes<T>(job: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let result = job();
    (result, PEAK.get() - before)
}

/// A log that is made while it is read.
struct Log<F> {
    piece: F,
    left: u64,
    open: io::Cursor<Vec<u8>>,
}

impl<F: Fn(u64) -> Vec<u8>> Log<F> {
    fn of(pieces: u64, piece: F) -> Self {
        Self { piece, left: pieces, open: io::Cursor::default() }
    }
}

impl<F: Fn(u64) -> Vec<u8>> Read for Log<F> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.open.read(to)? {
            0 if self.left > 0 => {
                self.left -= 1;
                self.open = io::Cursor::new((self.piece)(self.left));
                self.open.read(to)
            }
            read => Ok(read),
        }
    }
}

/// A boot of its own: no two have the same times.
fn boot(nonce: u64) -> Vec<u8> {
    Guest { nonce: nonce + 1, work_cycles: 1_718_000_000 + nonce * 7_919 % 100_003, ..Guest::of(1) }.log()
}

fn judged(boots: u64) -> Results {
    let mut gate = Gate::default();
    let mut runs = Vec::new();
    for (run, read) in (0..).zip(Boots::of(Log::of(boots, boot))) {
        let judged = gate.judge_boot(&read.expect("it can be read"), &RunExpectation::default());
        assert_eq!(judged.verdict.outcome.refusal(), None, "boot {run}");
        runs.push(RunRecord::new(run, run, judged.verdict));
    }
    Results::new(experiment(), Environment::default(), runs, Completion::Complete)
}

fn experiment() -> Experiment {
    Experiment {
        name: "smp-process-scale".to_owned(),
        label: None,
        manifest: None,
        manifest_sha256: None,
        pairing: Pairing::Runs,
        rounds: None,
        set_aside_limit: 0,
        repeats: None,
        patience_ms: None,
        cases: Vec::new(),
        order_seed: None,
        claim: None,
        scaling: None,
        work_unit: None,
    }
}

/// What a boot may cost at the peak, its samples included, in bytes. The aim, 64 MiB in all for the boots of 3.9 KB in 1 GiB,
/// is 200.
const BOOT_BYTES: usize = 376;

#[test]
fn a_boot_more_costs_little() {
    // What is made once is no boot's.
    drop(judged(2));
    // Numbers at which the lists are full, or a list's room for more would count.
    let (few, many) = (256, 512);
    let (results, at_few) = peak_bytes(|| judged(few));
    assert_eq!(results.runs.len() as u64, few);
    drop(results);
    let (results, at_many) = peak_bytes(|| judged(many));
    assert_eq!(results.cases[0].stats.cycles.n as u64, many, "every boot counts");
    let each = at_many.saturating_sub(at_few) / usize::try_from(many - few).expect("few");
    let samples = size_of::<Sample>() + size_of::<WorkerSample>();
    assert!(
        (samples..=BOOT_BYTES).contains(&each),
        "{each} bytes a boot, {samples} of them samples, limit {BOOT_BYTES}"
    );
}

#[test]
fn boots_that_are_read_and_dropped_take_no_memory() {
    let read = |boots| peak_bytes(|| Boots::of(Log::of(boots, boot)).filter(Result::is_ok).count());
    let ((few, at_few), (many, at_many)) = (read(100), read(400));
    assert_eq!((few, many), (100, 400));
    // One piece of the log and the boots in it.
    assert!(at_many <= at_few + at_few / 8 && at_many < 2 << 20, "{at_few} and {at_many} bytes");
}

#[test]
fn broken_lines_take_bounded_memory() {
    let broken = |mib: u64| {
        let piece = |_| b"ASSAY1 seq=7 ts=- ev=broken crc=00000000\r\n".repeat(1 << 9);
        let mut boots = Boots::of(Log::of(mib * 50, piece));
        let (read, peak) = peak_bytes(|| boots.by_ref().map(|boot| boot.expect("it can be read")).last());
        let read = read.expect("a boot of broken lines");
        assert_eq!(read.defects.len() as u64 + read.more_defects, boots.extent().lines);
        peak
    };
    let (few, many) = (broken(2), broken(16));
    assert!(many <= few + (64 << 10) && many < 2 << 20, "{few} and {many} bytes");
}
