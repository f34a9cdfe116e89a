//! How the kernel was started, checked once and never looked at again.

pub mod build_id;
pub mod command_line;
pub mod direct;
pub mod loader;
pub mod pvh;
pub mod too_old;

use abi::wire::record::Firmware;
use command_line::CommandLine;

use crate::display::Framebuffer;
use crate::mem::LowPage;
use crate::mem::memory_map::MemoryMap;

/// What the kernel needs to know from whoever started it. Nothing after `main`'s first lines knows who that was.
pub struct BootInfo {
    /// What started the loader, or that there was none.
    pub firmware: Firmware,
    /// Free memory from 1 MiB on.
    pub memory: MemoryMap,
    /// A free page below 1 MiB, where there is one.
    pub low_page: Option<LowPage>,
    /// Physical address of the RSDP.
    pub rsdp: Option<u64>,
    /// The ramdisk; empty where there is none.
    pub ramdisk: &'static [u8],
    /// A VMM's words for the kernel; the loader has none.
    pub command_line: CommandLine,
    /// What to draw on, where firmware set that up.
    pub framebuffer: Option<Framebuffer>,
    /// Where physical address 0 is mapped.
    pub window_offset: u64,
    /// The end of what is mapped there.
    pub window_end: u64,
}

/// Why the kernel cannot use what it was given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BootError {
    /// Physical memory is not mapped.
    NoWindow,
    /// No free memory from 1 MiB on.
    NoMemory,
    /// The VMM's start info is not one, or of version 0, which has no memory map.
    StartInfo,
    /// The VMM's memory map is missing, or its entries run past the address space or overlap.
    MemoryMap,
    /// The VMM's modules are too many, not in memory, in each other's, or in the kernel's.
    Modules,
}

impl BootError {
    /// A short text for records.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::NoWindow => "physical memory is not mapped",
            Self::NoMemory => "no free memory from 1 MiB on",
            Self::StartInfo => "no start info of version 1 or later",
            Self::MemoryMap => "memory map is missing, damaged, or overlaps itself",
            Self::Modules => "modules are too many, not in memory, or overlap",
        }
    }
}
