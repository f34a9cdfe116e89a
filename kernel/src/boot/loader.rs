//! Boot by `bootloader` (crate `bootloader_api`), from BIOS or UEFI.
#![expect(unsafe_code, reason = "makes a slice from the ramdisk's address and length")]

use abi::wire::record::Firmware;
use bootloader_api::config::Mapping;
use bootloader_api::info::{MemoryRegion, MemoryRegionKind};
use bootloader_api::{BootInfo as LoaderInfo, BootloaderConfig};

use super::command_line::CommandLine;
use super::{BootError, BootInfo};
use crate::display::Framebuffer;
use crate::mem::LowPage;
use crate::mem::memory_map::{self, MemoryMap, Region};

/// The request to the loader: everything in the upper half, and all of physical memory mapped there.
pub static CONFIG: BootloaderConfig = {
    let mut config = BootloaderConfig::new_default();
    config.mappings.physical_memory = Some(Mapping::Dynamic);
    config.mappings.dynamic_range_start = Some(0xffff_8000_0000_0000);
    config
};

/// The loader maps at least this much: device registers lie below it.
const MIN_WINDOW_END: u64 = 4 << 30;

/// Checks the loader's boot information and keeps the part that the kernel needs.
///
/// # Errors
/// The kernel cannot run with it.
pub fn take(info: &'static mut LoaderInfo) -> Result<BootInfo, BootError> {
    let framebuffer = info.framebuffer.take().and_then(Framebuffer::new);
    let info: &'static LoaderInfo = info;
    let window_offset = info.physical_memory_offset.into_option().ok_or(BootError::NoWindow)?;
    let regions = &info.memory_regions;
    let memory = MemoryMap::new(usable(regions)).ok_or(BootError::NoMemory)?;
    Ok(BootInfo {
        firmware: firmware(regions),
        low_page: memory_map::low_page(usable(regions)).and_then(LowPage::new),
        memory,
        rsdp: info.rsdp_addr.into_option(),
        ramdisk: ramdisk(info),
        command_line: CommandLine::EMPTY,
        framebuffer,
        window_offset,
        window_end: regions.iter().map(|region| region.end).fold(MIN_WINDOW_END, u64::max),
    })
}

/// The free regions.
fn usable(regions: &[MemoryRegion]) -> impl Iterator<Item = Region> + Clone {
    let free = regions.iter().filter(|region| region.kind == MemoryRegionKind::Usable);
    free.map(|region| Region { start: region.start, end: region.end })
}

/// Derives the firmware from the memory map: the loader does not report it, but it passes on firmware's types of memory
/// that it does not know.
fn firmware(regions: &[MemoryRegion]) -> Firmware {
    let has = |is: fn(&MemoryRegionKind) -> bool| regions.iter().any(|region| is(&region.kind));
    if has(|kind| matches!(kind, MemoryRegionKind::UnknownUefi(_))) {
        Firmware::Uefi
    } else if has(|kind| matches!(kind, MemoryRegionKind::UnknownBios(_))) {
        Firmware::Bios
    } else {
        Firmware::Unknown
    }
}

fn ramdisk(info: &'static LoaderInfo) -> &'static [u8] {
    let length = usize::try_from(info.ramdisk_len).unwrap_or(0);
    match info.ramdisk_addr.into_option() {
        // SAFETY: the loader mapped the ramdisk there, in memory that is not in its usable regions; nothing writes it.
        Some(at) if length > 0 => unsafe { core::slice::from_raw_parts(at as *const u8, length) },
        _ => &[],
    }
}
