//! How the kernel was started. It is checked once, and nothing reads it again.

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

/// The boot information that the kernel needs, in one form for the loader and a VMM. Nothing after `main`'s first lines
/// distinguishes them.
pub struct BootInfo {
    /// The firmware that started the loader, or that there was no loader.
    pub firmware: Firmware,
    /// Free memory from 1 MiB on.
    pub memory: MemoryMap,
    /// A free page below 1 MiB, if there is one.
    pub low_page: Option<LowPage>,
    /// Physical address of the RSDP.
    pub rsdp: Option<u64>,
    /// The ramdisk; empty if there is none.
    pub ramdisk: &'static [u8],
    /// A VMM's command line; empty with the loader.
    pub command_line: CommandLine,
    /// The framebuffer, if firmware set one up.
    pub framebuffer: Option<Framebuffer>,
    /// The virtual address of physical address 0.
    pub window_offset: u64,
    /// The end of the physical addresses that are mapped there.
    pub window_end: u64,
}

/// Why the kernel cannot use its boot information.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BootError {
    /// Physical memory is not mapped.
    NoWindow,
    /// No free memory from 1 MiB on.
    NoMemory,
    /// The VMM's start info has the wrong magic number, or is of version 0, which has no memory map.
    StartInfo,
    /// The VMM's memory map is missing, or its entries run past the address space or overlap.
    MemoryMap,
    /// The VMM's modules are too many, not in memory, or overlap each other or the kernel.
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
