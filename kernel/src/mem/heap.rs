//! The heap, for lists of CPUs, jobs and address spaces. Nothing in a timed region uses it.
#![expect(unsafe_code, reason = "hands memory to the allocator")]

use alloc::vec::Vec;
use linked_list_allocator::LockedHeap;

use super::{OutOfMemory, phys};
use crate::mem::memory_map::MemoryMap;

/// What the heap holds whatever the machine: lists of a plan's cases and rows, the workload's segments.
const BASE_BYTES: u64 = 1 << 20;
/// What it holds for each CPU that may be used: its own data, its stacks and places in lists, and a worker on it, with the
/// list of its frames and its report. About 1.5 KiB were seen with 8 to 64 CPUs.
const PER_CPU_BYTES: u64 = 8 << 10;
/// What it holds for each further processor that the MADT lists: a place in a list that grows by doubling.
const PER_SKIPPED_BYTES: u64 = 64;
/// What a team of workers takes for each of them, with room to spare.
const PER_WORKER_BYTES: usize = 2 << 10;

#[cfg_attr(target_os = "none", global_allocator)]
static HEAP: LockedHeap = LockedHeap::empty();

/// The size of the heap for a machine whose MADT lists `usable` processors that are enabled, among `listed` in all: a
/// multiple of the page size.
#[must_use]
pub const fn bytes_for(usable: usize, listed: usize) -> u64 {
    let skipped = listed.saturating_sub(usable) as u64;
    let bytes = BASE_BYTES + usable as u64 * PER_CPU_BYTES + skipped * PER_SKIPPED_BYTES;
    bytes.next_multiple_of(4096)
}

/// Takes the heap's `bytes` out of `map` and starts the heap. Called once, before the first allocation.
///
/// # Errors
/// No region is large enough.
pub fn init(map: &mut MemoryMap, bytes: u64) -> Result<(), OutOfMemory> {
    let region = map.take(bytes).ok_or(OutOfMemory)?;
    let start = phys::virt(x86_64::PhysAddr::new(region.start)).as_mut_ptr();
    // SAFETY: free memory, in the window, taken out of the map just now; `main` calls this once.
    unsafe { HEAP.lock().init(start, usize::try_from(bytes).unwrap_or(0)) };
    Ok(())
}

/// Whether the heap has room for a team of `workers`. Asked before the team is built, so that a case that does not fit is
/// skipped: an allocation that fails is a panic.
#[must_use]
pub fn has_room_for(workers: usize) -> bool {
    is_enough(HEAP.lock().free(), workers)
}

/// Takes of the heap until there is no room for a team of `workers`, and returns what was taken.
#[must_use]
pub fn take_for(workers: usize) -> Vec<Vec<u8>> {
    /// The free pieces of the heap are few.
    const MOST: usize = 64;
    let mut taken = Vec::with_capacity(MOST);
    let mut bytes = HEAP.lock().free();
    while has_room_for(workers) && taken.len() < MOST && bytes > 0 {
        let mut piece = Vec::new();
        match piece.try_reserve_exact(bytes) {
            Ok(()) => taken.push(piece),
            Err(_) => bytes /= 2,
        }
    }
    taken
}

const fn is_enough(free: usize, workers: usize) -> bool {
    free / PER_WORKER_BYTES >= workers
}

#[cfg(test)]
mod tests {
    use abi::plan::MAX_WORKERS;

    use super::*;

    #[test]
    fn grows_with_the_cpus_that_are_listed() {
        assert_eq!(bytes_for(0, 0), BASE_BYTES);
        assert_eq!(bytes_for(1024, 1024), 9 << 20);
        // Disabled entries cost little.
        assert!(bytes_for(2, 4096) < BASE_BYTES + (300 << 10));
        assert!(bytes_for(3, 7).is_multiple_of(4096));
    }

    #[test]
    fn a_team_of_as_many_workers_as_there_may_be_fits() {
        let cpus = usize::from(MAX_WORKERS);
        // What the CPUs themselves were seen to take, 1.5 KiB, three times over.
        let taken = cpus * 3 * 1536;
        let free = usize::try_from(bytes_for(cpus, cpus)).unwrap().checked_sub(taken).unwrap();
        assert!(is_enough(free, cpus), "{free}");
        assert!(!is_enough(PER_WORKER_BYTES * 64 - 1, 64));
    }
}
