//! The sizes of a CPU's stacks. `kernel_space` maps each above an unmapped page: an overflow is a page fault, not a
//! corrupted neighbour.

use x86_64::VirtAddr;

/// The stack that a CPU runs on: jobs, and everything the boot path calls on an AP.
pub const MAIN_PAGES: u64 = 8;
/// The stack of traps from ring 3.
pub const TRAP_PAGES: u64 = 4;
/// The stacks of NMI, double fault and machine check, which end in a panic message at most.
pub const IST_PAGES: u64 = 3;

/// One CPU's stacks; each the address past its end, aligned to 16.
#[derive(Clone, Copy, Debug)]
pub struct CpuStacks {
    /// See [`MAIN_PAGES`].
    pub main: VirtAddr,
    /// See [`TRAP_PAGES`].
    pub trap: VirtAddr,
    /// In the order of [`crate::x86::gdt::Ist`].
    pub ist: [VirtAddr; 3],
}
