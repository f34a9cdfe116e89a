//! The heap, for lists of CPUs, jobs and address spaces. Nothing in a timed region uses it.
#![expect(unsafe_code, reason = "hands memory to the allocator")]

use linked_list_allocator::LockedHeap;

use super::{OutOfMemory, phys};
use crate::mem::memory_map::MemoryMap;

/// The heap's size. A machine with 255 CPUs uses less than half of it.
pub const HEAP_BYTES: u64 = 1 << 20;

#[cfg_attr(target_os = "none", global_allocator)]
static HEAP: LockedHeap = LockedHeap::empty();

/// Takes the heap's memory out of `map` and starts the heap. Called once, before the first allocation.
///
/// # Errors
/// No region is large enough.
pub fn init(map: &mut MemoryMap) -> Result<(), OutOfMemory> {
    let region = map.take(HEAP_BYTES).ok_or(OutOfMemory)?;
    let start = phys::virt(x86_64::PhysAddr::new(region.start)).as_mut_ptr();
    // SAFETY: free memory, in the window, taken out of the map just now; `main` calls this once.
    unsafe { HEAP.lock().init(start, usize::try_from(HEAP_BYTES).unwrap_or(0)) };
    Ok(())
}
