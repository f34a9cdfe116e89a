//! Where registers in memory can be. Firmware's tables, and the configuration, name addresses of registers; a table that is
//! damaged or wrong may name memory, and a write there changes whatever uses it. So every such address is checked here before
//! it is mapped or used.

use harness::x86::cpuid;
use spin::Once;

use super::memory_map::MemoryMap;

/// Conventional memory, video memory and the BIOS's read-only memory are below this address; no device's registers are.
const LOWEST: u64 = 1 << 20;

/// Memory that was free when the kernel started.
static RAM: Once<MemoryMap> = Once::new();

/// Makes the memory known. Called once, before any of it is taken.
pub fn init(memory: &MemoryMap) {
    RAM.call_once(|| memory.clone());
}

/// Whether registers can be at the physical address `at`; `false` before [`init`].
#[must_use]
pub fn can_be_at(at: u64) -> bool {
    RAM.get().is_some_and(|memory| is_outside(at, memory, cpuid::physical_end()))
}

/// Whether `at` is outside free memory, and below the end of this CPU's physical addresses.
fn is_outside(at: u64, memory: &MemoryMap, physical_end: u64) -> bool {
    let is_free = memory.regions().iter().any(|region| (region.start..region.end).contains(&at));
    (LOWEST..physical_end).contains(&at) && !is_free
}

#[cfg(test)]
mod tests {
    use super::super::memory_map::Region;
    use super::*;

    #[test]
    fn registers_are_neither_in_free_memory_nor_past_the_end() {
        let regions = [(1 << 20, 2 << 20), (1 << 32, 5 << 30)].map(|(start, end)| Region { start, end });
        let memory = MemoryMap::new(regions.into_iter()).unwrap();
        let is_outside = |at| is_outside(at, &memory, 1 << 40);
        for device in [2 << 20, 0xfec0_0000, 0xfed0_0000, 0xfee0_0000, 5 << 30, (1 << 40) - 0x1000] {
            assert!(is_outside(device), "{device:#x}");
        }
        for other in
            [0, 0x9_f000, 0xf_0000, 1 << 20, (2 << 20) - 0x100, 1 << 32, (5 << 30) - 1, 1 << 40, u64::MAX]
        {
            assert!(!is_outside(other), "{other:#x}");
        }
    }
}
