//! A MADT, compared with a plain walk. This reader does not check the checksum.

use kernel::firmware::acpi::madt::{Processor, processors};

pub(crate) fn check(data: &[u8]) {
    let found: Vec<_> = processors(data).collect();
    assert_eq!(found.iter().map(described).collect::<Vec<_>>(), walked(data));
    // A truncated table lists some of the processors, and no others.
    let cut = &data[..data.len() - data.len() / 3];
    assert!(found.starts_with(&processors(cut).collect::<Vec<_>>()));
}

/// A processor: its APIC id, whether it is enabled, whether it could be.
type Described = (u32, bool, bool);

fn described(processor: &Processor) -> Described {
    assert!(!(processor.enabled && processor.online_capable));
    (processor.apic_id.0, processor.enabled, processor.online_capable)
}

/// ACPI 6.5, section 5.2.12, by offsets: entries from 44 on; type, length; then of type 0 the id at 3 and flags at 4,
/// of type 9 the id at 4 and flags at 8.
fn walked(madt: &[u8]) -> Vec<Described> {
    let mut found = Vec::new();
    let mut at = 44;
    while at + 2 <= madt.len() {
        let (kind, length) = (madt[at], usize::from(madt[at + 1]));
        let shortest = match kind {
            0 => 8,
            9 => 12,
            _ => 2,
        };
        if length < shortest || at + length > madt.len() {
            break;
        }
        let mut add = |id: u32, flags: u32| found.push((id, flags & 1 != 0, flags & 3 == 2));
        match kind {
            0 if madt[at + 3] != 0xff => add(u32::from(madt[at + 3]), long(madt, at + 4)),
            9 => add(long(madt, at + 4), long(madt, at + 8)),
            _ => {}
        }
        at += length;
    }
    found
}

/// The 32-bit number at `at`.
fn long(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte))
}
