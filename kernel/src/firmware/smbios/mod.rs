//! SMBIOS: a few strings with which firmware describes the machine (DMTF DSP0134, version 3.7).
//!
//! The entry point is searched in the area that a BIOS puts it in. UEFI lists it in its configuration table, which the
//! loader does not pass on, so there it is not found. Lengths, addresses and string numbers are firmware's: each is
//! checked. Serial numbers and UUIDs are not read.

mod entry;
mod table;

use core::ops::Range;

use abi::wire::Text;
use abi::wire::record::{DmiField, SmbiosState};

use crate::firmware::Memory;

/// The strings of this machine, in the order of [`DmiField`], without missing and empty ones.
#[derive(Clone, Debug)]
pub struct Smbios {
    /// The result of the search.
    pub state: SmbiosState,
    strings: [Option<Text<96>>; DmiField::ALL.len()],
}

impl Smbios {
    /// Finds the tables in `memory`, and reads them.
    #[must_use]
    pub fn find(memory: &dyn Memory) -> Self {
        Self::find_in(memory, entry::AREA)
    }

    /// The physical addresses of the tables; `None` without an entry point.
    #[must_use]
    pub fn place(memory: &dyn Memory) -> Option<Range<u64>> {
        entry::find(memory, entry::AREA).map(entry::Location::range)
    }

    /// Finds the tables by an entry point in `area`, and reads them.
    #[must_use]
    pub fn find_in(memory: &dyn Memory, area: Range<u64>) -> Self {
        let mut this = Self { state: SmbiosState::Unavailable, strings: [None; DmiField::ALL.len()] };
        let Some(tables) = entry::find(memory, area) else { return this };
        this.state = SmbiosState::Damaged;
        let Some(tables) = tables.bytes(memory) else { return this };
        if table::structures(tables).next().is_some() {
            this.state = SmbiosState::Found;
        }
        for (slot, &field) in this.strings.iter_mut().zip(DmiField::ALL) {
            *slot = table::string(tables, field);
        }
        this
    }

    /// The strings, with their fields.
    pub fn strings(&self) -> impl Iterator<Item = (DmiField, Text<96>)> + '_ {
        DmiField::ALL.iter().zip(&self.strings).filter_map(|(&field, text)| Some((field, (*text)?)))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// The BIOS's part of memory, with the tables at 0xf1000.
    struct Bios(Vec<u8>);

    const BASE: u64 = 0xf_0000;
    const TABLES: u64 = 0xf_1000;

    impl Memory for Bios {
        fn bytes(&self, at: u64, len: usize) -> Option<&[u8]> {
            let at = usize::try_from(at.checked_sub(BASE)?).ok()?;
            self.0.get(at..at.checked_add(len)?)
        }
    }

    fn structure(kind: u8, formatted: &[u8], strings: &str) -> Vec<u8> {
        let length = u8::try_from(4 + formatted.len()).unwrap();
        [
            &[kind, length, 0, 0][..],
            formatted,
            strings.as_bytes(),
            if strings.is_empty() { &[0, 0] } else { &[0] },
        ]
        .concat()
    }

    fn tables() -> Vec<u8> {
        [
            structure(0, &[1, 2, 0, 0xe8, 3], "SeaBIOS\0rel-1.16.2\x0004/01/2014\0"),
            structure(1, &[1, 2, 3], "Google\0Google Compute Engine\0\0"),
            structure(3, &[1, 1, 0, 2, 9], "Google\0ignored\0"),
            structure(127, &[], ""),
        ]
        .concat()
    }

    fn seal(entry: &mut [u8], at: usize) {
        entry[at] = 0;
        entry[at] = entry.iter().fold(0_u8, |sum, &byte| sum.wrapping_sub(byte));
    }

    fn entry_3(length: u32) -> Vec<u8> {
        let mut entry =
            [&b"_SM3_"[..], &[0, 24, 3, 7, 0, 1, 0], &length.to_le_bytes(), &TABLES.to_le_bytes()].concat();
        seal(&mut entry, 5);
        entry
    }

    fn entry_2(length: u16) -> Vec<u8> {
        let mut inner =
            [&b"_DMI_"[..], &[0], &length.to_le_bytes(), &[0, 0x10, 0x0f, 0], &[4, 0], &[0x28]].concat();
        seal(&mut inner, 5);
        let mut entry = [&b"_SM_"[..], &[0, 31, 2, 8, 0xff, 0, 0, 0, 0, 0, 0, 0], &inner].concat();
        seal(&mut entry, 4);
        entry
    }

    /// A machine with an entry point at 0xf0040.
    fn machine(entry: &[u8], tables: &[u8]) -> Bios {
        let mut bytes = vec![0; 0x1_0000];
        bytes[0x40..0x40 + entry.len()].copy_from_slice(entry);
        bytes[0x1000..0x1000 + tables.len()].copy_from_slice(tables);
        Bios(bytes)
    }

    fn read(bios: &Bios) -> (SmbiosState, Vec<String>) {
        let smbios = Smbios::find(bios);
        (smbios.state, smbios.strings().map(|(field, text)| alloc::format!("{field} {text}")).collect())
    }

    const EXPECTED: [&str; 5] = [
        "bios-vendor SeaBIOS",
        "bios-version rel-1.16.2",
        "bios-date 04/01/2014",
        "system-vendor Google",
        "system-product Google Compute Engine",
    ];

    #[test]
    fn reads_the_tables_by_either_entry_point() {
        let tables = tables();
        let length = tables.len();
        for entry in [entry_2(u16::try_from(length).unwrap()), entry_3(u32::try_from(length).unwrap())] {
            let (state, strings) = read(&machine(&entry, &tables));
            assert_eq!((state, strings.len()), (SmbiosState::Found, 5));
            assert_eq!(strings, EXPECTED);
        }
    }

    #[test]
    fn ignores_an_entry_point_with_a_bad_checksum() {
        let mut entry = entry_3(100);
        entry[9] ^= 1;
        assert_eq!(read(&machine(&entry, &tables())), (SmbiosState::Unavailable, vec![]));
        assert_eq!(read(&machine(&[], &[])), (SmbiosState::Unavailable, vec![]));
    }

    #[test]
    fn reports_damaged_tables() {
        // Past the end of memory, and without a structure.
        assert_eq!(read(&machine(&entry_3(0x1_0000), &tables())).0, SmbiosState::Damaged);
        assert_eq!(read(&machine(&entry_3(64), &[0; 64])).0, SmbiosState::Damaged);
        assert_eq!(read(&machine(&entry_3(0), &tables())).0, SmbiosState::Damaged);
    }

    #[test]
    fn ignores_a_truncated_string() {
        let tables = structure(1, &[1, 2, 3], "Vendor\0Product\0");
        let cut = tables.len() - 4;
        let length = u32::try_from(cut).unwrap();
        let (state, strings) = read(&machine(&entry_3(length), &tables));
        assert_eq!((state, strings), (SmbiosState::Found, vec!["system-vendor Vendor".into()]));
    }

    #[test]
    fn text_that_is_not_ascii_does_no_harm() {
        let tables = [&[1, 7, 0, 0, 1, 2, 3][..], b"  A\xffB\n  \0   \0", &[0]].concat();
        let length = u32::try_from(tables.len()).unwrap();
        assert_eq!(read(&machine(&entry_3(length), &tables)).1, ["system-vendor A?B"]);
    }

    proptest! {
        #[test]
        fn never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), long in any::<u32>()) {
            bytes.splice(0..0, tables());
            let _ = read(&machine(&entry_3(long % 0x1_1000), &bytes));
            prop_assert!(table::structures(&bytes).count() <= bytes.len());
        }
    }
}
