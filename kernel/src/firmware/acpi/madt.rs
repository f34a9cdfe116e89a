//! The processors that the MADT lists (ACPI 6.5, section 5.2.12): types 0 and 9.

use core::mem::{offset_of, size_of};

use abi::ApicId;
use acpi::sdt::SdtHeader;
use acpi::sdt::madt::{EntryHeader, LocalApicEntry, LocalX2ApicEntry};
use harness::le::u32_at;

/// Entries begin after the header, the local APIC's address and the flags.
const ENTRIES_AT: usize = size_of::<SdtHeader>() + 8;

const TYPE_LOCAL_APIC: u8 = 0;
const TYPE_LOCAL_X2APIC: u8 = 9;

const FLAG_ENABLED: u32 = 1 << 0;
const FLAG_ONLINE_CAPABLE: u32 = 1 << 1;

/// The id of an xAPIC entry for a processor that is listed as x2APIC (ACPI 6.5, section 5.2.12.12).
const XAPIC_ID_NONE: u8 = 0xff;
/// The id by which x2APIC mode addresses every CPU (Intel SDM vol. 3A, "Logical and Physical Destination Mode in x2APIC
/// Mode"). Firmware leaves it in entries of sockets that are empty. It is no CPU's: an INIT to it would stop this one too.
const X2APIC_ID_NONE: u32 = u32::MAX;

/// More logical processors than any machine of today has. Further entries are damage, and each would cost a record.
const MAX_PROCESSORS: usize = 4096;

/// One processor entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Processor {
    /// Its local APIC id.
    pub apic_id: ApicId,
    /// It may be used now.
    pub enabled: bool,
    /// It may not be used now, but the machine could bring it online later.
    pub online_capable: bool,
}

/// The processor entries of a MADT whose signature, length and checksum were checked, in their order.
///
/// An entry whose length is below its type's, or runs past the table, ends the list: the next one cannot be
/// found. Unknown types are skipped.
pub fn processors(madt: &[u8]) -> impl Iterator<Item = Processor> + '_ {
    let mut rest = madt.get(ENTRIES_AT..).unwrap_or_default();
    let all = core::iter::from_fn(move || {
        loop {
            let length = usize::from(*rest.get(offset_of!(EntryHeader, length))?);
            if length < size_of::<EntryHeader>() {
                return None;
            }
            let (entry, after) = rest.split_at_checked(length)?;
            rest = after;
            match entry[offset_of!(EntryHeader, entry_type)] {
                TYPE_LOCAL_APIC => {
                    let apic_id = *entry.get(offset_of!(LocalApicEntry, apic_id))?;
                    let flags = u32_at(entry, offset_of!(LocalApicEntry, flags))?;
                    if apic_id != XAPIC_ID_NONE {
                        return Some(processor(u32::from(apic_id), flags));
                    }
                }
                TYPE_LOCAL_X2APIC => {
                    let apic_id = u32_at(entry, offset_of!(LocalX2ApicEntry, x2apic_id))?;
                    let flags = u32_at(entry, offset_of!(LocalX2ApicEntry, flags))?;
                    if apic_id != X2APIC_ID_NONE {
                        return Some(processor(apic_id, flags));
                    }
                }
                _ => {}
            }
        }
    });
    all.take(MAX_PROCESSORS)
}

fn processor(apic_id: u32, flags: u32) -> Processor {
    let enabled = flags & FLAG_ENABLED != 0;
    Processor {
        apic_id: ApicId(apic_id),
        enabled,
        online_capable: !enabled && flags & FLAG_ONLINE_CAPABLE != 0,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::super::tables::tests::table;
    use super::*;

    fn local_apic(id: u8, flags: u8) -> Vec<u8> {
        vec![TYPE_LOCAL_APIC, 8, 0, id, flags, 0, 0, 0]
    }

    fn local_x2apic(id: u32, flags: u8) -> Vec<u8> {
        let mut entry = vec![TYPE_LOCAL_X2APIC, 16, 0, 0];
        entry.extend(id.to_le_bytes());
        entry.extend([flags, 0, 0, 0, 0, 0, 0, 0]);
        entry
    }

    fn ids(entries: &[Vec<u8>]) -> Vec<(u32, bool, bool)> {
        let body = [&[0; 8][..], &entries.concat()].concat();
        let madt = table(b"APIC", &body);
        processors(&madt).map(|p| (p.apic_id.0, p.enabled, p.online_capable)).collect()
    }

    #[test]
    fn reads_both_types_and_both_flags() {
        let io_apic = vec![1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0];
        let entries =
            [local_apic(0, 1), io_apic, local_x2apic(0x1_0000, 1), local_apic(2, 2), local_apic(3, 0)];
        assert_eq!(
            ids(&entries),
            [(0, true, false), (0x1_0000, true, false), (2, false, true), (3, false, false)]
        );
    }

    #[test]
    fn passes_over_the_xapic_entry_of_an_x2apic_processor() {
        assert_eq!(ids(&[local_apic(0xff, 1), local_x2apic(300, 1)]), [(300, true, false)]);
    }

    #[test]
    fn an_id_that_addresses_every_cpu_is_none() {
        let entries = [local_x2apic(u32::MAX, 1), local_x2apic(0, 1), local_x2apic(u32::MAX - 1, 0)];
        assert_eq!(ids(&entries), [(0, true, false), (u32::MAX - 1, false, false)]);
    }

    #[test]
    fn stops_at_an_entry_with_an_impossible_length() {
        for length in [0, 1, 200] {
            let bad = vec![TYPE_LOCAL_APIC, length, 0, 9];
            assert_eq!(ids(&[local_apic(0, 1), bad, local_apic(1, 1)]), [(0, true, false)], "{length}");
        }
        assert_eq!(ids(&[vec![TYPE_LOCAL_X2APIC, 8, 0, 0, 1, 0, 0, 0]]), []);
        assert_eq!(processors(b"APIC").count(), 0);
    }

    #[test]
    fn ends_a_list_that_no_machine_has() {
        let entries: Vec<_> = (0..6000).map(|id| local_x2apic(id, 0)).collect();
        assert_eq!(ids(&entries).len(), MAX_PROCESSORS);
    }

    proptest! {
        #[test]
        fn never_panics_and_always_ends(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(processors(&bytes).count() <= bytes.len());
        }
    }
}
