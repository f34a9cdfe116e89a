//! The entry point (DSP0134, sections 5.2.1 and 5.2.2) in the BIOS's part of memory.

use core::ops::Range;

use harness::le::{u16_at, u32_at, u64_at};

use crate::firmware::Memory;

/// The area that a BIOS puts it in, on a boundary of sixteen bytes.
pub const AREA: Range<u64> = 0xf_0000..0x10_0000;
const STEP: usize = 16;
/// The first byte of both anchors.
const ANCHOR: u8 = b'_';

/// More bytes than any machine's tables have. A larger length is damage.
const MAX_BYTES: usize = 1 << 20;

/// The shortest entry points. The specification once misprinted the older one's length, and some firmware follows it.
const SHORTEST_2: usize = 0x1e;
const SHORTEST_3: usize = 0x18;

/// The tables' place, as the entry point states it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Location {
    at: u64,
    length: usize,
}

impl Location {
    /// The physical addresses of the tables; none if they are larger than [`MAX_BYTES`].
    pub const fn range(self) -> Range<u64> {
        let bytes = if self.length <= MAX_BYTES { self.length as u64 } else { 0 };
        self.at..self.at.saturating_add(bytes)
    }

    /// The tables; `None` if that is not all memory, or larger than [`MAX_BYTES`].
    pub fn bytes(self, memory: &dyn Memory) -> Option<&[u8]> {
        memory.bytes(self.at, self.length).filter(|bytes| bytes.len() <= MAX_BYTES)
    }
}

/// Finds the entry point of version 3 in `area`, else that of version 2.
pub fn find(memory: &dyn Memory, area: Range<u64>) -> Option<Location> {
    first(memory, area.clone(), version_3).or_else(|| first(memory, area, version_2))
}

/// The first entry point in `area` that `read` accepts.
fn first(memory: &dyn Memory, area: Range<u64>, read: fn(&[u8]) -> Option<Location>) -> Option<Location> {
    let bytes = memory.bytes(area.start, usize::try_from(area.end.checked_sub(area.start)?).ok()?)?;
    // Most of the area is passed by this one comparison.
    let candidates = (0..bytes.len()).step_by(STEP).filter(|&at| bytes[at] == ANCHOR);
    candidates.map(|at| &bytes[at..]).find_map(read)
}

fn version_3(bytes: &[u8]) -> Option<Location> {
    let entry = checked(bytes, b"_SM3_", 6, SHORTEST_3)?;
    Some(Location { at: u64_at(entry, 0x10)?, length: usize::try_from(u32_at(entry, 0x0c)?).ok()? })
}

fn version_2(bytes: &[u8]) -> Option<Location> {
    let entry = checked(bytes, b"_SM_", 5, SHORTEST_2)?;
    // The part with the tables' place has a separate checksum.
    let inner = entry.get(0x10..0x1f).or(bytes.get(0x10..0x1f))?;
    (inner.starts_with(b"_DMI_") && sums_to_zero(inner)).then_some(())?;
    Some(Location { at: u64::from(u32_at(inner, 8)?), length: usize::from(u16_at(inner, 6)?) })
}

/// The entry point with this anchor, if the checksum over its own length is right.
fn checked<'a>(bytes: &'a [u8], anchor: &[u8], length_at: usize, shortest: usize) -> Option<&'a [u8]> {
    let length = usize::from(*bytes.get(length_at).filter(|_| bytes.starts_with(anchor))?);
    bytes.get(..length).filter(|entry| length >= shortest && sums_to_zero(entry))
}

fn sums_to_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte)) == 0
}
