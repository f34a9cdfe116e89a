//! The entry point (DSP0134, sections 5.2.1 and 5.2.2), where a BIOS puts it.

use core::ops::Range;

use crate::firmware::Memory;
use harness::le::{u16_at, u32_at, u64_at};

/// Where a BIOS puts it, on a boundary of sixteen bytes.
pub const AREA: Range<u64> = 0xf_0000..0x10_0000;
const STEP: usize = 16;

/// No machine has more; a length above it is damage.
const MAX_BYTES: usize = 1 << 20;

/// The shortest entry points there are. The older one's length was once misprinted, and some firmware has it so.
const SHORTEST_2: usize = 0x1e;
const SHORTEST_3: usize = 0x18;

/// Where the tables are said to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Location {
    at: u64,
    length: usize,
}

impl Location {
    /// The tables; `None` where that is not all memory, or more than there can be.
    pub fn bytes(self, memory: &impl Memory) -> Option<&[u8]> {
        memory.bytes(self.at, self.length).filter(|bytes| bytes.len() <= MAX_BYTES)
    }
}

/// The entry point of version 3 where there is one in `area`, else that of version 2.
pub fn find(memory: &impl Memory, area: Range<u64>) -> Option<Location> {
    let by = |read: fn(&[u8]) -> Option<Location>| {
        let candidates = area.clone().step_by(STEP).filter_map(|at| {
            let room = usize::try_from(area.end - at).ok()?.min(256);
            memory.bytes(at, room)
        });
        candidates.filter_map(read).next()
    };
    by(version_3).or_else(|| by(version_2))
}

fn version_3(bytes: &[u8]) -> Option<Location> {
    let entry = checked(bytes, b"_SM3_", 6, SHORTEST_3)?;
    Some(Location { at: u64_at(entry, 0x10)?, length: usize::try_from(u32_at(entry, 0x0c)?).ok()? })
}

fn version_2(bytes: &[u8]) -> Option<Location> {
    let entry = checked(bytes, b"_SM_", 5, SHORTEST_2)?;
    // The part that says where the tables are has a checksum of its own.
    let inner = entry.get(0x10..0x1f).or(bytes.get(0x10..0x1f))?;
    (inner.starts_with(b"_DMI_") && sums_to_zero(inner)).then_some(())?;
    Some(Location { at: u64::from(u32_at(inner, 8)?), length: usize::from(u16_at(inner, 6)?) })
}

/// The entry point with this anchor and a good checksum over the length that it gives itself.
fn checked<'a>(bytes: &'a [u8], anchor: &[u8], length_at: usize, shortest: usize) -> Option<&'a [u8]> {
    let length = usize::from(*bytes.get(length_at).filter(|_| bytes.starts_with(anchor))?);
    bytes.get(..length).filter(|entry| length >= shortest && sums_to_zero(entry))
}

fn sums_to_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte)) == 0
}
