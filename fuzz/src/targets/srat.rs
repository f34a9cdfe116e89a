//! An SRAT, compared with a plain walk. This reader does not check the checksum.

use harness::srat::affinities;

pub(crate) fn check(data: &[u8]) {
    let found: Vec<_> = affinities(data).map(|affinity| (affinity.apic_id.0, affinity.node)).collect();
    assert_eq!(found, walked(data));
}

/// ACPI 6.5, section 5.2.16, by offsets: the revision at 8, entries from 48 on; type, length; then of type 0 the domain
/// at 2 and 9 to 11, the id at 3 and flags at 4; of type 2 the domain at 4, the id at 8 and flags at 12.
fn walked(srat: &[u8]) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    let mut at = 48;
    while at + 2 <= srat.len() {
        let (kind, length) = (srat[at], usize::from(srat[at + 1]));
        let shortest = match kind {
            0 => 16,
            2 => 24,
            _ => 2,
        };
        if length < shortest || at + length > srat.len() {
            break;
        }
        let entry = &srat[at..at + length];
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u32, |word, &byte| word << 8 | u32::from(byte));
        let high = if srat[8] >= 2 { 3 } else { 0 };
        match kind {
            0 if entry[4] & 1 != 0 => {
                let node = u32::from(entry[2]) | number(&entry[9..9 + high]) << 8;
                found.push((u32::from(entry[3]), node));
            }
            2 if entry[12] & 1 != 0 => found.push((number(&entry[8..12]), number(&entry[4..8]))),
            _ => {}
        }
        at += length;
    }
    found
}
