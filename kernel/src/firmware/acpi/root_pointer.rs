//! The RSDP, from which all tables are found (ACPI 6.5, section 5.2.5): where to look for it, and what it names.

use core::mem::{offset_of, size_of};
use core::ops::Range;

use abi::wire::record::RsdpSource;
use acpi::rsdp::Rsdp;
use harness::le::{u16_at, u32_at, u64_at};

use super::tables::sums_to_zero;
use crate::firmware::Memory;

const SIGNATURE: &[u8; 8] = b"RSD PTR ";
/// The size of ACPI 1.0's RSDP: the fields of 2.0 follow it.
pub(super) const V1_BYTES: usize = offset_of!(Rsdp, length);
/// An RSDP that firmware puts in memory, not in a table of UEFI, is at a multiple of this.
const STEP: usize = 16;

/// The BIOS's word that holds the segment of the extended BIOS data area (EBDA).
const EBDA_SEGMENT_AT: u64 = 0x40e;
/// The part of the EBDA that may hold the RSDP.
const EBDA_BYTES: u64 = 1 << 10;
/// An EBDA is between the BIOS's own data and the video memory. Any other value means that there is none: a VMM without a
/// BIOS leaves zeros.
const EBDA_PLACES: Range<u64> = 0x500..0xa_0000;
/// The BIOS's read-only memory.
const BIOS_AREA: Range<u64> = 0xe_0000..0x10_0000;

/// Where the RSDP is, and how it was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RootPointer {
    /// Who named it, or the area in which it was found.
    pub source: RsdpSource,
    /// Its physical address; 0 without one.
    pub at: u64,
}

impl RootPointer {
    /// The bytes that it may take.
    pub const BYTES: u64 = size_of::<Rsdp>() as u64;

    /// None was named, and none was found.
    pub const NONE: Self = Self { source: RsdpSource::None, at: 0 };

    /// The one at `named`, which the loader or the VMM names. Without that, the first one of the areas in which a BIOS
    /// puts it, if `search` allows that: UEFI names it in its system table only, and leaves these areas to others.
    ///
    /// One that is named is used even if it is damaged, and refused as damaged: whatever the areas hold then is not what
    /// this machine's firmware means.
    #[must_use]
    pub fn find(memory: &dyn Memory, named: Option<u64>, search: bool) -> Self {
        if let Some(at) = named {
            return Self { source: RsdpSource::Named, at };
        }
        if !search {
            return Self::NONE;
        }
        let ebda = ebda(memory).and_then(|area| first(memory, area));
        let found = ebda.map(|at| (RsdpSource::Ebda, at));
        let found = found.or_else(|| first(memory, BIOS_AREA).map(|at| (RsdpSource::BiosArea, at)));
        found.map_or(Self::NONE, |(source, at)| Self { source, at })
    }

    /// Its address, if there is one.
    #[must_use]
    pub fn address(self) -> Option<u64> {
        (self.source != RsdpSource::None).then_some(self.at)
    }
}

/// The part of the EBDA to search; `None` if the machine has none.
fn ebda(memory: &dyn Memory) -> Option<Range<u64>> {
    let segment = u16_at(memory.bytes(EBDA_SEGMENT_AT, 2)?, 0)?;
    let start = u64::from(segment) << 4;
    EBDA_PLACES.contains(&start).then(|| start..(start + EBDA_BYTES).min(EBDA_PLACES.end))
}

/// The first undamaged RSDP in `area`. A copy of which only the first part is good is taken if there is no better one.
fn first(memory: &dyn Memory, area: Range<u64>) -> Option<u64> {
    let bytes = memory.bytes(area.start, usize::try_from(area.end.checked_sub(area.start)?).ok()?)?;
    let candidates = area
        .zip(bytes.windows(SIGNATURE.len()))
        .step_by(STEP)
        .filter(|(_, bytes)| bytes.first_chunk() == Some(SIGNATURE))
        .filter_map(|(at, _)| Some((at, read(memory, at)?)));
    let whole = |&(_, roots): &(u64, Roots)| roots.xsdt.is_some() || roots.revision < 2;
    let mut best = candidates.clone().filter(whole);
    best.next().or_else(|| candidates.clone().next()).map(|(at, _)| at)
}

/// What an RSDP names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Roots {
    revision: u8,
    /// Physical address of the RSDT.
    pub rsdt: u32,
    /// Physical address of the XSDT; `None` before revision 2, and if the second checksum is wrong.
    pub xsdt: Option<u64>,
}

/// Reads the RSDP at `at`; `None` if it is not in memory, or its signature or first checksum is wrong.
pub(super) fn read(memory: &dyn Memory, at: u64) -> Option<Roots> {
    let v1 = memory.bytes(at, V1_BYTES).filter(|v1| v1.starts_with(SIGNATURE) && sums_to_zero(v1))?;
    let rsdt = u32_at(v1, offset_of!(Rsdp, rsdt_address))?;
    let revision = v1[offset_of!(Rsdp, revision)];
    let v2 = memory.bytes(at, size_of::<Rsdp>()).filter(|v2| revision >= 2 && sums_to_zero(v2));
    Some(Roots { revision, rsdt, xsdt: v2.and_then(|v2| u64_at(v2, offset_of!(Rsdp, xsdt_address))) })
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::super::tables::tests::{Bytes, fix_checksum};
    use super::*;

    /// The first MiB of a machine with an EBDA at 9FC00H.
    fn machine(ebda_segment: u16) -> Bytes {
        let mut image = vec![0; 1 << 20];
        image[0x40e..0x410].copy_from_slice(&ebda_segment.to_le_bytes());
        Bytes(image)
    }

    fn rsdp(revision: u8) -> Vec<u8> {
        let mut rsdp = vec![0; size_of::<Rsdp>()];
        rsdp[..8].copy_from_slice(SIGNATURE);
        // Offsets from ACPI 6.5, table 5.3.
        rsdp[15] = revision;
        rsdp[20] = 36;
        fix_checksum(&mut rsdp[..20], 8);
        fix_checksum(&mut rsdp, 32);
        rsdp
    }

    fn put(machine: &mut Bytes, at: usize, bytes: &[u8]) {
        machine.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn found(machine: &Bytes) -> (RsdpSource, u64) {
        let RootPointer { source, at } = RootPointer::find(machine, None, true);
        (source, at)
    }

    #[test]
    fn finds_it_wherever_a_bios_may_put_it() {
        let places = [
            (0x9_fc00, RsdpSource::Ebda),
            (0x9_fff0 - 0x10, RsdpSource::Ebda),
            (0xe_0000, RsdpSource::BiosArea),
            (0xf_59e0, RsdpSource::BiosArea),
            (0xf_ffd0, RsdpSource::BiosArea),
        ];
        for revision in [0, 2] {
            for (at, source) in places {
                let mut machine = machine(0x9fc0);
                put(&mut machine, usize::try_from(at).unwrap(), &rsdp(revision)[..36]);
                assert_eq!(found(&machine), (source, at), "{at:#x}");
            }
        }
    }

    #[test]
    fn searches_the_ebda_first_and_no_more_than_its_first_kib() {
        let mut machine = machine(0x9000);
        put(&mut machine, 0xf_0000, &rsdp(2));
        put(&mut machine, 0x9_0400, &rsdp(2));
        assert_eq!(found(&machine), (RsdpSource::BiosArea, 0xf_0000));
        put(&mut machine, 0x9_03d0, &rsdp(2));
        assert_eq!(found(&machine), (RsdpSource::Ebda, 0x9_03d0));
    }

    #[test]
    fn ignores_what_is_no_rsdp() {
        for (spoil, at) in [(0, 0xe_0000), (8, 0xe_0000), (17, 0xe_0000), (0, 0xe_0008)] {
            let mut machine = machine(0x9fc0);
            let mut bad = rsdp(2);
            bad[spoil] ^= u8::from(at == 0xe_0000);
            put(&mut machine, at, &bad);
            assert_eq!(found(&machine), (RsdpSource::None, 0), "{spoil}");
            put(&mut machine, 0xe_1000, &rsdp(0));
            assert_eq!(found(&machine), (RsdpSource::BiosArea, 0xe_1000));
        }
    }

    #[test]
    fn prefers_a_whole_one_to_one_with_a_bad_second_checksum() {
        let mut machine = machine(0);
        let mut half = rsdp(2);
        half[33] ^= 1;
        put(&mut machine, 0xe_0000, &half);
        assert_eq!(found(&machine), (RsdpSource::BiosArea, 0xe_0000));
        put(&mut machine, 0xe_0040, &rsdp(2));
        assert_eq!(found(&machine), (RsdpSource::BiosArea, 0xe_0040));
    }

    #[test]
    fn an_ebda_outside_conventional_memory_is_none() {
        for segment in [0, 0x4f, 0xa000, 0xffff] {
            let mut machine = machine(segment);
            // What the pointer would lead to.
            let at = usize::from(segment) << 4;
            if (0x500..0xe_0000).contains(&at) {
                put(&mut machine, at, &rsdp(2));
            }
            assert_eq!(found(&machine), (RsdpSource::None, 0), "{segment:#x}");
        }
    }

    #[test]
    fn takes_the_one_that_is_named_and_searches_only_if_allowed() {
        let mut machine = machine(0x9fc0);
        put(&mut machine, 0xe_0000, &rsdp(2));
        let named = RootPointer::find(&machine, Some(0x7fe_0000), true);
        assert_eq!((named.source, named.address()), (RsdpSource::Named, Some(0x7fe_0000)));
        let uefi = RootPointer::find(&machine, None, false);
        assert_eq!((uefi.source, uefi.address()), (RsdpSource::None, None));
    }
}
