//! The proximity domain of each CPU (ACPI 6.5, section 5.2.16): entry types 0 and 2 of the SRAT.
//!
//! The offsets are the specification's and not the `acpi` crate's: its 6.1.1 gives an entry's length two bytes.
//! The kernel checks the table before it is read here; under Linux it is the copy in sysfs.

use abi::ApicId;

use crate::le::u32_at;

/// The size of every table's header, and the revision's offset in it (ACPI 6.5, section 5.2.6).
const HEADER_BYTES: usize = 36;
const REVISION_AT: usize = 8;

/// Entries begin after the header and twelve reserved bytes.
const ENTRIES_AT: usize = HEADER_BYTES + 12;

const TYPE_LOCAL_APIC: u8 = 0;
const TYPE_LOCAL_X2APIC: u8 = 2;

const ENTRY_TYPE_AT: usize = 0;
const ENTRY_LENGTH_AT: usize = 1;

/// Type 0: a domain's low byte, the id, flags, and the domain's other three bytes after the local SAPIC EID.
const APIC_DOMAIN_LOW_AT: usize = 2;
const APIC_ID_AT: usize = 3;
const APIC_FLAGS_AT: usize = 4;
const APIC_DOMAIN_HIGH_AT: usize = 9;
const APIC_BYTES: usize = 16;

/// Type 2.
const X2APIC_DOMAIN_AT: usize = 4;
const X2APIC_ID_AT: usize = 8;
const X2APIC_FLAGS_AT: usize = 12;
const X2APIC_BYTES: usize = 24;

const FLAG_ENABLED: u32 = 1 << 0;

/// From this revision on a type 0 entry's domain has 32 bits. In earlier ones its upper three bytes are reserved.
const WIDE_DOMAINS_SINCE: u8 = 2;

/// A CPU and its proximity domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Affinity {
    /// Its local APIC id.
    pub apic_id: ApicId,
    /// Its domain.
    pub node: u32,
}

/// The enabled processor entries of an SRAT whose signature, length and checksum were checked, in their order.
///
/// An entry whose length is below its type's, or runs past the table, ends the list: the next one cannot be found.
/// Unknown types are skipped.
pub fn affinities(srat: &[u8]) -> impl Iterator<Item = Affinity> + '_ {
    let revision = srat.get(REVISION_AT).copied().unwrap_or(0);
    let mut rest = srat.get(ENTRIES_AT..).unwrap_or_default();
    core::iter::from_fn(move || {
        loop {
            let length = usize::from(*rest.get(ENTRY_LENGTH_AT)?);
            if length <= ENTRY_LENGTH_AT {
                return None;
            }
            let (entry, after) = rest.split_at_checked(length)?;
            rest = after;
            let (affinity, flags) = match entry[ENTRY_TYPE_AT] {
                TYPE_LOCAL_APIC => local_apic(entry, revision)?,
                TYPE_LOCAL_X2APIC => local_x2apic(entry)?,
                _ => continue,
            };
            if flags & FLAG_ENABLED != 0 {
                return Some(affinity);
            }
        }
    })
}

fn local_apic(entry: &[u8], revision: u8) -> Option<(Affinity, u32)> {
    let entry = entry.get(..APIC_BYTES)?;
    let flags = u32_at(entry, APIC_FLAGS_AT)?;
    let apic_id = ApicId(u32::from(*entry.get(APIC_ID_AT)?));
    let &[a, b, c] = entry.get(APIC_DOMAIN_HIGH_AT..)?.first_chunk()?;
    let high = if revision >= WIDE_DOMAINS_SINCE { [a, b, c] } else { [0; 3] };
    let node = u32::from_le_bytes([*entry.get(APIC_DOMAIN_LOW_AT)?, high[0], high[1], high[2]]);
    Some((Affinity { apic_id, node }, flags))
}

fn local_x2apic(entry: &[u8]) -> Option<(Affinity, u32)> {
    let entry = entry.get(..X2APIC_BYTES)?;
    let apic_id = ApicId(u32_at(entry, X2APIC_ID_AT)?);
    Some((Affinity { apic_id, node: u32_at(entry, X2APIC_DOMAIN_AT)? }, u32_at(entry, X2APIC_FLAGS_AT)?))
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn apic(id: u8, domain: u32, flags: u8) -> Vec<u8> {
        let [low, high @ ..] = domain.to_le_bytes();
        [&[TYPE_LOCAL_APIC, 16, low, id, flags, 0, 0, 0, 0][..], &high, &[0; 4]].concat()
    }

    fn x2apic(id: u32, domain: u32, flags: u8) -> Vec<u8> {
        let words = [&domain.to_le_bytes()[..], &id.to_le_bytes(), &[flags, 0, 0, 0], &[0; 8]].concat();
        [&[TYPE_LOCAL_X2APIC, 24, 0, 0][..], &words].concat()
    }

    fn srat(revision: u8, entries: &[Vec<u8>]) -> Vec<u8> {
        let mut table = [&b"SRAT"[..], &[0; ENTRIES_AT - 4], &entries.concat()].concat();
        table[REVISION_AT] = revision;
        table
    }

    fn found(table: &[u8]) -> Vec<(u32, u32)> {
        affinities(table).map(|affinity| (affinity.apic_id.0, affinity.node)).collect()
    }

    #[test]
    fn reads_both_types_and_skips_memory_and_disabled_entries() {
        let mut memory = vec![1, 40];
        memory.resize(40, 0xff);
        let entries = [apic(3, 0x0102_0304, 1), memory, x2apic(0x1_0000, 7, 1), apic(4, 0, 0), apic(5, 1, 1)];
        assert_eq!(found(&srat(3, &entries)), [(3, 0x0102_0304), (0x1_0000, 7), (5, 1)]);
    }

    #[test]
    fn an_old_table_has_domains_of_eight_bits() {
        assert_eq!(found(&srat(1, &[apic(3, 0x0102_0304, 1)])), [(3, 4)]);
    }

    #[test]
    fn stops_at_an_entry_with_an_impossible_length() {
        for length in [0, 1, 15, 200] {
            let mut bad = apic(9, 0, 1);
            bad[1] = length;
            assert_eq!(found(&srat(3, &[apic(0, 2, 1), bad])), [(0, 2)], "{length}");
        }
        assert_eq!(found(b"SRAT"), []);
    }

    proptest! {
        #[test]
        fn never_panics_and_always_ends(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(affinities(&bytes).count() <= bytes.len());
        }
    }
}
