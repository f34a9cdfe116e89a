//! Memory: the map of free memory, where registers can be, the window on physical memory, frames, the heap, the kernel's page tables, its stacks.

pub mod devices;
mod frames;
mod heap;
mod kernel_space;
pub mod memory_map;
pub mod phys;
pub mod reserve;
pub mod stacks;

pub use frames::Frames;
pub use heap::{
    bytes_for as heap_bytes_for, has_room_for as heap_has_room_for, init as init_heap,
    take_for as heap_take_for,
};
pub use kernel_space::{KernelSpace, LonePage, LowPage, frames, kernel_cr3, new_root};

/// There is not enough memory, or no page below 1 MiB.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OutOfMemory;
