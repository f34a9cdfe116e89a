//! A heap for programs that allocate: free lists by size, in memory that was granted.
//!
//! Each size is rounded up to a power of two, each of which has a list of freed blocks; a block that no list has is cut from
//! memory that was never used. So no block is ever split or joined, and the same calls give the same addresses.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;

/// The smallest block: room for the list's pointer, and the alignment that SSE wants.
const SMALLEST: usize = 16;

/// The allocator of a program. `#[global_allocator]`, in the program's own file.
pub struct Heap(UnsafeCell<Lists>);

struct Lists {
    /// The first address that was never given out, and the end of the memory.
    unused: usize,
    end: usize,
    /// The first free block of each power of two; 0 if there is none.
    free: [usize; usize::BITS as usize],
}

// SAFETY: a worker is one thread.
unsafe impl Sync for Heap {}

impl Heap {
    /// A heap without memory.
    pub const fn empty() -> Self {
        Self(UnsafeCell::new(Lists { unused: 0, end: 0, free: [0; usize::BITS as usize] }))
    }

    /// Gives the heap its memory, in the prepare call. From then on the program uses that memory through the heap alone.
    pub fn give(&self, memory: &mut [u64]) {
        let unused = memory.as_mut_ptr().expose_provenance();
        let lists = Lists { unused, end: unused + size_of_val(memory), free: [0; usize::BITS as usize] };
        // SAFETY: one thread, and no call of the allocator is active.
        unsafe { *self.0.get() = lists }
    }
}

/// The power of two that holds a layout.
fn size_of_block(layout: Layout) -> usize {
    layout.size().max(layout.align()).max(SMALLEST).next_power_of_two()
}

// SAFETY: blocks of one list have the same size, at least that of the layout, and do not overlap: each was cut once from
// unused memory. A block is aligned to its size, up to a page, or else to the layout's alignment.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let size = size_of_block(layout);
        // SAFETY: one thread, and this function calls nothing that comes back here.
        let lists = unsafe { &mut *self.0.get() };
        let head = &mut lists.free[size.trailing_zeros() as usize];
        if *head != 0 {
            let block = ptr::with_exposed_provenance_mut::<u8>(*head);
            // SAFETY: `dealloc` wrote the next block's address to the start of this one.
            *head = unsafe { block.cast::<usize>().read() };
            return block;
        }
        let align = size.min(4096).max(layout.align());
        let at = lists.unused.next_multiple_of(align);
        match at.checked_add(size).filter(|&end| end <= lists.end) {
            Some(end) => {
                lists.unused = end;
                ptr::with_exposed_provenance_mut(at)
            }
            None => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let list = size_of_block(layout).trailing_zeros() as usize;
        // SAFETY: one thread, and this function calls nothing that comes back here.
        let lists = unsafe { &mut *self.0.get() };
        // SAFETY: the caller promises that the block is no longer used; it is aligned to 16 and has room for an address.
        unsafe { block.cast::<usize>().write(lists.free[list]) }
        lists.free[list] = block.expose_provenance();
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `size` is not 0 and fits.
        let larger = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if size_of_block(larger) == size_of_block(layout) {
            return block;
        }
        // SAFETY: the caller's promises are those that these ask for.
        let new = unsafe { self.alloc(larger) };
        if !new.is_null() {
            // SAFETY: both blocks have this many bytes, and they are distinct.
            unsafe { ptr::copy_nonoverlapping(block, new, layout.size().min(size)) }
            // SAFETY: the caller gives the old block up.
            unsafe { self.dealloc(block, layout) }
        }
        new
    }
}
