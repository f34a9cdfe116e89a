//! The boot information of a VMM that boots the kernel directly: `hvm_start_info` (Xen, "x86/HVM direct boot ABI",
//! docs/misc/pvh.pandoc). All of it is checked before any of it is used.

use harness::le::{u32_at, u64_at};

use super::BootError;
use super::command_line::{CommandLine, MAX_BYTES};
use crate::firmware::Memory;
use crate::mem::memory_map::Region;

/// First word of the start info.
const MAGIC: u32 = 0x336e_c578;
/// Its length in bytes from version 1 on, the first with a memory map.
const START_INFO_BYTES: usize = 56;
const MAP_ENTRY_BYTES: usize = 24;
const MODULE_BYTES: usize = 32;

/// Memory must end below this: 46 bits address more than any machine has, and half of what the kernel can map.
pub const MAX_MEMORY_END: u64 = 1 << 46;
/// More entries than any firmware has. A larger number is damage.
const MAX_MAP_ENTRIES: usize = 1024;
/// More modules than any VMM passes. The kernel uses one.
const MAX_MODULES: usize = 8;

/// Memory types, as in an E820 map.
const TYPE_RAM: u32 = 1;
const TYPE_ACPI: u32 = 3;
const TYPE_ACPI_NVS: u32 = 4;

/// A checked start info, with everything that it refers to.
pub struct StartInfo<'a> {
    /// The memory map's entries.
    map: &'a [u8],
    /// The parts of RAM that are in use, in order: the kernel's image and the modules.
    taken: [Region; 1 + MAX_MODULES],
    /// The number of valid entries in `taken`.
    taken_len: usize,
    /// The first module; empty if there is none.
    pub ramdisk: Region,
    /// Physical address of the RSDP.
    pub rsdp: Option<u64>,
    /// The command line; empty if there is none that can be read.
    pub command_line: CommandLine,
}

impl<'a> StartInfo<'a> {
    /// Reads and checks the start info at physical address `at`, for a kernel that is at `image`.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(memory: &'a impl Memory, at: u64, image: Region) -> Result<Self, BootError> {
        let info = checked(memory, at).ok_or(BootError::StartInfo)?;
        let word = |at| u32_at(info, at).ok_or(BootError::StartInfo);
        let long = |at| u64_at(info, at).ok_or(BootError::StartInfo);
        let map = table(memory, long(40)?, word(48)?, MAX_MAP_ENTRIES, MAP_ENTRY_BYTES)
            .filter(|map| !map.is_empty())
            .ok_or(BootError::MemoryMap)?;
        check_map(map)?;
        let modules = table(memory, long(16)?, word(12)?, MAX_MODULES, MODULE_BYTES);
        let modules = modules.ok_or(BootError::Modules)?;
        let rsdp = Some(long(32)?).filter(|&rsdp| rsdp != 0);
        let mut this = Self {
            map,
            taken: [image; 1 + MAX_MODULES],
            taken_len: 1,
            ramdisk: Region::default(),
            rsdp,
            command_line: command_line(memory, at),
        };
        for (i, module) in modules.chunks_exact(MODULE_BYTES).enumerate() {
            let module = region(module).ok_or(BootError::Modules)?;
            if i == 0 {
                this.ramdisk = module;
            }
            this.take(module)?;
        }
        Ok(this)
    }

    /// RAM that is not in use.
    pub fn usable(&self) -> impl Iterator<Item = Region> + Clone {
        let taken = &self.taken[..self.taken_len];
        let gaps = (0..=taken.len()).map(|i| Region {
            start: i.checked_sub(1).map_or(0, |below| taken[below].end),
            end: taken.get(i).map_or(u64::MAX, |above| above.start),
        });
        ram(self.map)
            .flat_map(move |ram| gaps.clone().map(move |gap| intersection(ram, gap)))
            .filter(|region| region.start < region.end)
    }

    /// The end of RAM, including the part that firmware reserves for its tables; at most [`MAX_MEMORY_END`].
    #[must_use]
    pub fn memory_end(&self) -> u64 {
        let regions = entries(self.map).filter(|&(kind, _)| is_memory(kind));
        regions.map(|(_, region)| region.end).max().unwrap_or(0)
    }

    /// Adds a module to `taken`.
    fn take(&mut self, module: Region) -> Result<(), BootError> {
        if module.start == module.end {
            return Ok(());
        }
        let taken = &self.taken[..self.taken_len];
        if !is_ram(self.map, module) || taken.iter().any(|taken| overlap(*taken, module)) {
            return Err(BootError::Modules);
        }
        let at = taken.iter().position(|taken| module.start < taken.start).unwrap_or(self.taken_len);
        self.taken.copy_within(at..self.taken_len, at + 1);
        self.taken[at] = module;
        self.taken_len += 1;
        Ok(())
    }
}

/// The start info at physical address `at`, if its magic number and its version are right.
fn checked(memory: &impl Memory, at: u64) -> Option<&[u8]> {
    let info = memory.bytes(at, START_INFO_BYTES)?;
    (u32_at(info, 0) == Some(MAGIC) && u32_at(info, 4) != Some(0)).then_some(info)
}

/// The command line of the start info at physical address `info`, whatever else is wrong with it; empty if there is none
/// that can be read. Close to the end of readable memory, fewer bytes than the maximum are read.
#[must_use]
pub fn command_line(memory: &impl Memory, info: u64) -> CommandLine {
    let at = checked(memory, info).and_then(|info| u64_at(info, 24)).unwrap_or(0);
    let lengths = [MAX_BYTES + 1, 256, 16].into_iter().filter(|_| at != 0);
    let mut lines = lengths.filter_map(|length| memory.bytes(at, length));
    lines.next().map_or(CommandLine::EMPTY, CommandLine::copy)
}

/// `count` structures of `bytes` each at physical address `at`; `None` if they are too many, or not in memory.
fn table(memory: &impl Memory, at: u64, count: u32, max: usize, bytes: usize) -> Option<&[u8]> {
    match usize::try_from(count).ok().filter(|&count| count <= max)? {
        0 => Some(&[]),
        count => memory.bytes(at, count * bytes),
    }
}

/// The region that begins a structure: address, then length. `None` if it runs past the end of the address space.
fn region(structure: &[u8]) -> Option<Region> {
    let start = u64_at(structure, 0)?;
    Some(Region { start, end: start.checked_add(u64_at(structure, 8)?)? })
}

/// Checks a memory map: no entry runs past the end of the address space, no memory past [`MAX_MEMORY_END`], and no RAM
/// overlaps another entry.
fn check_map(map: &[u8]) -> Result<(), BootError> {
    if map.chunks_exact(MAP_ENTRY_BYTES).any(|entry| region(entry).is_none()) {
        return Err(BootError::MemoryMap);
    }
    if entries(map).any(|(kind, region)| is_memory(kind) && region.end > MAX_MEMORY_END) {
        return Err(BootError::MemoryMap);
    }
    let mut numbered = entries(map).enumerate();
    let overlaps =
        numbered.any(|(number, (kind, region))| kind == TYPE_RAM && overlaps_another(map, number, region));
    if overlaps { Err(BootError::MemoryMap) } else { Ok(()) }
}

/// Whether entry `number`, which is `region`, overlaps another entry.
fn overlaps_another(map: &[u8], number: usize, region: Region) -> bool {
    let mut others = entries(map).enumerate().filter(|&(other, _)| other != number);
    others.any(|(_, (_, other))| overlap(region, other))
}

/// The entries of a map, with their types.
fn entries(map: &[u8]) -> impl Iterator<Item = (u32, Region)> + Clone {
    map.chunks_exact(MAP_ENTRY_BYTES).filter_map(|entry| Some((u32_at(entry, 16)?, region(entry)?)))
}

const fn is_memory(kind: u32) -> bool {
    matches!(kind, TYPE_RAM | TYPE_ACPI | TYPE_ACPI_NVS)
}

fn ram(map: &[u8]) -> impl Iterator<Item = Region> + Clone {
    entries(map).filter(|&(kind, _)| kind == TYPE_RAM).map(|(_, region)| region)
}

/// The part of `a` that is in `b`. It may be empty, or end before it starts.
fn intersection(a: Region, b: Region) -> Region {
    Region { start: a.start.max(b.start), end: a.end.min(b.end) }
}

fn overlap(a: Region, b: Region) -> bool {
    a.start.max(b.start) < a.end.min(b.end)
}

/// Whether all of `region` is RAM, in one entry or in several adjacent ones.
fn is_ram(map: &[u8], region: Region) -> bool {
    let mut at = region.start;
    while at < region.end {
        match ram(map).find(|ram| ram.start <= at && at < ram.end) {
            Some(ram) => at = ram.end,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
#[path = "pvh_tests.rs"]
mod tests;
