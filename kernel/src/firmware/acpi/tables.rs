//! From the RSDP to the tables (ACPI 6.5, sections 5.2.5 to 5.2.8).

use core::mem::{offset_of, size_of};
use core::ops::Range;

use acpi::sdt::{SdtHeader, Signature};
use harness::le::{u32_at, u64_at};

use super::{fadt, root_pointer};
use crate::firmware::Memory;

/// More bytes than any table that the kernel reads has. A larger length is damage. A DSDT may have a few hundred KiB.
const MAX_TABLE_BYTES: u32 = 4 << 20;

/// More tables than any machine's root lists. Later entries are ignored, and no entry is read twice: this bounds the cost
/// of a search.
const MAX_ENTRIES: usize = 256;

/// Why the tables, or one of them, cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TableError {
    /// Neither the loader nor the VMM names an RSDP, and none was found.
    NoRsdp,
    /// The RSDP is outside memory, or its signature, length or checksum is wrong.
    BadRsdp,
    /// Neither XSDT nor RSDT can be read.
    BadRoot,
    /// The root lists no such table, or only damaged ones.
    Missing,
    /// The table is too short.
    TooShort,
}

impl TableError {
    /// A short text for records.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::NoRsdp => "no RSDP",
            Self::BadRsdp => "RSDP is damaged",
            Self::BadRoot => "neither XSDT nor RSDT can be read",
            Self::Missing => "table is missing or damaged",
            Self::TooShort => "table is too short",
        }
    }
}

/// The tables of this machine.
pub struct Tables<'a> {
    memory: &'a dyn Memory,
    /// Physical address of the root table.
    root_at: u64,
    /// The root table.
    root: &'a [u8],
    /// 8 for an XSDT, 4 for an RSDT.
    entry_bytes: usize,
}

impl<'a> Tables<'a> {
    /// The tables that the RSDP at `rsdp` leads to.
    ///
    /// # Errors
    /// RSDP or root cannot be used.
    pub fn find(memory: &'a dyn Memory, rsdp: Option<u64>) -> Result<Self, TableError> {
        let at = rsdp.ok_or(TableError::NoRsdp)?;
        let roots = root_pointer::read(memory, at).ok_or(TableError::BadRsdp)?;
        let by_xsdt = roots.xsdt.and_then(|xsdt| Self::under_root(memory, xsdt, Signature::XSDT, 8));
        let by_rsdt = || Self::under_root(memory, u64::from(roots.rsdt), Signature::RSDT, 4);
        by_xsdt.or_else(by_rsdt).ok_or(TableError::BadRoot)
    }

    /// The tables that the root table at `at` lists.
    fn under_root(memory: &'a dyn Memory, at: u64, signature: Signature, entry_bytes: usize) -> Option<Self> {
        read_table(memory, at, signature).map(|root| Self { memory, root_at: at, root, entry_bytes })
    }

    /// The first undamaged table with this signature.
    ///
    /// # Errors
    /// [`TableError::Missing`].
    pub fn table(&self, signature: Signature) -> Result<&'a [u8], TableError> {
        self.all(signature).next().ok_or(TableError::Missing)
    }

    /// All undamaged tables with this signature, in the order of the root.
    pub fn all(&self, signature: Signature) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.addresses().filter_map(move |at| read_table(self.memory, at, signature))
    }

    /// The table at a physical address that another table names.
    ///
    /// # Errors
    /// [`TableError::Missing`].
    pub fn table_at(&self, at: u64, signature: Signature) -> Result<&'a [u8], TableError> {
        read_table(self.memory, at, signature).ok_or(TableError::Missing)
    }

    /// The place of the root and of every undamaged table that it leads to, as physical addresses, passed to `on_place`.
    pub fn places(&self, mut on_place: impl FnMut(Range<u64>)) {
        let mut place = |at: u64, bytes: &[u8]| on_place(at..at.saturating_add(bytes.len() as u64));
        place(self.root_at, self.root);
        for at in self.addresses() {
            let Some(table) = undamaged(self.memory, at) else { continue };
            place(at, table);
            if table.starts_with(Signature::FADT.as_str().as_bytes()) {
                for dsdt in fadt::read(table).dsdt {
                    place(dsdt, self.table_at(dsdt, Signature::DSDT).unwrap_or_default());
                }
            }
        }
    }

    /// The addresses in the root, each once.
    fn addresses(&self) -> impl Iterator<Item = u64> + '_ {
        let entries = self.root.get(size_of::<SdtHeader>()..).unwrap_or_default();
        let entries = entries.chunks_exact(self.entry_bytes).take(MAX_ENTRIES);
        let addresses = entries.filter_map(|entry| match self.entry_bytes {
            8 => u64_at(entry, 0),
            _ => u32_at(entry, 0).map(u64::from),
        });
        let before = addresses.clone();
        addresses
            .enumerate()
            .filter(move |&(i, address)| before.clone().take(i).all(|other| other != address))
            .map(|(_, address)| address)
    }
}

/// The table at `at`, if it has this signature and is not damaged.
fn read_table(memory: &dyn Memory, at: u64, signature: Signature) -> Option<&[u8]> {
    let begin = signature.as_str().as_bytes();
    memory.bytes(at, begin.len()).filter(|bytes| *bytes == begin).and_then(|_| undamaged(memory, at))
}

/// The table at `at`, if it has a sane length and a good checksum.
fn undamaged(memory: &dyn Memory, at: u64) -> Option<&[u8]> {
    let header = memory.bytes(at, size_of::<SdtHeader>())?;
    let length = u32_at(header, offset_of!(SdtHeader, length)).filter(|&length| length <= MAX_TABLE_BYTES)?;
    let length = usize::try_from(length).ok().filter(|&length| length >= size_of::<SdtHeader>())?;
    memory.bytes(at, length).filter(|table| sums_to_zero(table))
}

pub(super) fn sums_to_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte)) == 0
}

#[cfg(test)]
pub(super) mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use acpi::rsdp::Rsdp;

    use super::super::root_pointer::V1_BYTES as RSDP_V1_BYTES;
    use super::*;

    /// Memory from address 0 on.
    pub struct Bytes(pub Vec<u8>);

    impl Memory for Bytes {
        fn bytes(&self, at: u64, len: usize) -> Option<&[u8]> {
            let at = usize::try_from(at).ok()?;
            self.0.get(at..at.checked_add(len)?)
        }
    }

    /// A table with this body and a good header.
    pub fn table(signature: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; size_of::<SdtHeader>()];
        bytes[..4].copy_from_slice(signature);
        bytes.extend(body);
        let length = u32::try_from(bytes.len()).unwrap();
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        fix_checksum(&mut bytes, offset_of!(SdtHeader, checksum));
        bytes
    }

    pub fn fix_checksum(bytes: &mut [u8], at: usize) {
        bytes[at] = 0;
        bytes[at] = bytes.iter().fold(0_u8, |sum, &byte| sum.wrapping_sub(byte));
    }

    fn put(image: &mut Vec<u8>, at: usize, bytes: &[u8]) {
        image.resize(image.len().max(at + bytes.len()), 0);
        image[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// RSDP at 0x10, XSDT at 0x100, RSDT at 0x200, HPET table at 0x300.
    fn machine() -> Bytes {
        let mut image = Vec::new();
        let mut rsdp = vec![0; size_of::<Rsdp>()];
        rsdp[..8].copy_from_slice(b"RSD PTR ");
        rsdp[offset_of!(Rsdp, revision)] = 2;
        put(&mut rsdp, offset_of!(Rsdp, rsdt_address), &0x200_u32.to_le_bytes());
        put(&mut rsdp, offset_of!(Rsdp, length), &36_u32.to_le_bytes());
        put(&mut rsdp, offset_of!(Rsdp, xsdt_address), &0x100_u64.to_le_bytes());
        fix_checksum(&mut rsdp[..RSDP_V1_BYTES], offset_of!(Rsdp, checksum));
        fix_checksum(&mut rsdp, offset_of!(Rsdp, ext_checksum));
        put(&mut image, 0x10, &rsdp);
        // The first entry leads nowhere, the second back to the XSDT itself.
        let entries: Vec<u8> = [u64::MAX, 0x100, 0x300].iter().flat_map(|at| at.to_le_bytes()).collect();
        put(&mut image, 0x100, &table(b"XSDT", &entries));
        put(&mut image, 0x200, &table(b"RSDT", &0x300_u32.to_le_bytes()));
        put(&mut image, 0x300, &table(b"HPET", &[1, 2, 3]));
        Bytes(image)
    }

    fn finds_hpet(machine: &Bytes) -> Result<usize, TableError> {
        Tables::find(machine, Some(0x10))?.table(Signature::HPET).map(<[u8]>::len)
    }

    #[test]
    fn finds_a_table_by_xsdt_past_entries_that_lead_nowhere() {
        assert_eq!(finds_hpet(&machine()), Ok(size_of::<SdtHeader>() + 3));
        let machine = machine();
        let tables = Tables::find(&machine, Some(0x10)).ok().unwrap();
        assert_eq!(tables.table(Signature::MADT), Err(TableError::Missing));
    }

    #[test]
    fn names_the_place_of_every_table_that_is_not_damaged() {
        // A FADT with a DSDT at 0x500, and one at 0x480 that its extended field does not name; a damaged table at 0x600.
        let mut machine = machine_listing([0x300, 0x400, 0x600, 0x400, u64::MAX].into_iter());
        let mut fadt = vec![0; 244 - size_of::<SdtHeader>()];
        fadt[40 - 36..44 - 36].copy_from_slice(&0x480_u32.to_le_bytes());
        fadt[140 - 36..148 - 36].copy_from_slice(&0x500_u64.to_le_bytes());
        put(&mut machine.0, 0x400, &table(b"FACP", &fadt[..0x80 - 36]));
        put(&mut machine.0, 0x480, &table(b"DSDT", &[]));
        put(&mut machine.0, 0x600, &table(b"SSDT", &[1; 100]));
        machine.0[0x640] ^= 1;
        let found = |machine: &Bytes| {
            let mut found = Vec::new();
            Tables::find(machine, Some(0x10))
                .ok()
                .unwrap()
                .places(|place| found.push((place.start, place.end)));
            found.retain(|(start, end)| start < end);
            found
        };
        let expected = [(0x1000, 0x1000 + 76), (0x300, 0x300 + 39), (0x400, 0x480), (0x480, 0x480 + 36)];
        assert_eq!(found(&machine), expected);
        put(&mut machine.0, 0x700, &table(b"FACP", &fadt));
        put(&mut machine.0, 0x500, &table(b"DSDT", &[7]));
        let listing = u64::to_le_bytes(0x700);
        put(&mut machine.0, 0x1000, &table(b"XSDT", &listing));
        let expected =
            [(0x1000, 0x1000 + 44), (0x700, 0x700 + 244), (0x500, 0x500 + 37), (0x480, 0x480 + 36)];
        assert_eq!(found(&machine), expected);
    }

    #[test]
    fn falls_back_to_the_rsdt() {
        let mut bad_xsdt = machine();
        bad_xsdt.0[0x100 + 9] ^= 1;
        assert!(finds_hpet(&bad_xsdt).is_ok());
        let mut bad_extended_checksum = machine();
        bad_extended_checksum.0[0x10 + 33] ^= 1;
        assert!(finds_hpet(&bad_extended_checksum).is_ok());
    }

    #[test]
    fn rejects_damage_with_the_place_it_is_in() {
        let damaged = |at: usize| {
            let mut machine = machine();
            machine.0[at] ^= 0xff;
            finds_hpet(&machine)
        };
        assert_eq!(damaged(0x10), Err(TableError::BadRsdp));
        assert_eq!(damaged(0x10 + 8), Err(TableError::BadRsdp));
        assert_eq!(damaged(0x300 + 4), Err(TableError::Missing));
        assert_eq!(damaged(0x300 + 7), Err(TableError::Missing));
        assert_eq!(damaged(0x300 + 36), Err(TableError::Missing));
        assert_eq!(Tables::find(&machine(), None).err(), Some(TableError::NoRsdp));
        assert_eq!(Tables::find(&machine(), Some(u64::MAX)).err(), Some(TableError::BadRsdp));
    }

    /// Memory that counts the bytes which are asked of it.
    struct Counted(Bytes, core::cell::Cell<usize>);

    impl Memory for Counted {
        fn bytes(&self, at: u64, len: usize) -> Option<&[u8]> {
            self.1.set(self.1.get() + len);
            self.0.bytes(at, len)
        }
    }

    /// The machine with an XSDT at 0x1000 that has these entries.
    fn machine_listing(entries: impl Iterator<Item = u64>) -> Bytes {
        let mut machine = machine();
        let entries: Vec<u8> = entries.flat_map(u64::to_le_bytes).collect();
        put(&mut machine.0, 0x1000, &table(b"XSDT", &entries));
        let rsdp = &mut machine.0[0x10..0x10 + size_of::<Rsdp>()];
        rsdp[offset_of!(Rsdp, xsdt_address)..][..8].copy_from_slice(&0x1000_u64.to_le_bytes());
        fix_checksum(rsdp, offset_of!(Rsdp, ext_checksum));
        machine
    }

    #[test]
    fn reads_a_big_damaged_table_once_however_often_it_is_listed() {
        const BIG: usize = 1 << 20;
        let mut machine = machine_listing((0..10_000).map(|_| 0x10_0000));
        put(&mut machine.0, 0x10_0000, &table(b"HPET", &vec![0; BIG]));
        *machine.0.last_mut().unwrap() ^= 1;
        let counted = Counted(machine, core::cell::Cell::new(0));
        let tables = Tables::find(&counted, Some(0x10)).ok().unwrap();
        counted.1.set(0);
        assert_eq!(tables.table(Signature::HPET), Err(TableError::Missing));
        assert!((BIG..2 * BIG).contains(&counted.1.get()), "{}", counted.1.get());
    }

    #[test]
    fn reads_no_more_entries_than_a_machine_can_have() {
        let missing = (0x40_0000..).step_by(0x1000);
        let at = |place| machine_listing(missing.clone().take(place).chain([0x300]));
        assert!(finds_hpet(&at(MAX_ENTRIES - 1)).is_ok());
        assert_eq!(finds_hpet(&at(MAX_ENTRIES)), Err(TableError::Missing));
    }

    #[test]
    fn rejects_a_root_of_no_length_or_of_too_much() {
        for length in [0_u32, 35, 1 << 20, MAX_TABLE_BYTES + 1, u32::MAX] {
            let mut machine = machine();
            for root in [0x100, 0x200] {
                machine.0[root + 4..root + 8].copy_from_slice(&length.to_le_bytes());
            }
            assert_eq!(finds_hpet(&machine), Err(TableError::BadRoot), "{length}");
        }
    }

    #[test]
    fn rejects_a_table_shorter_than_its_header() {
        let mut machine = machine();
        machine.0[0x304..0x308].copy_from_slice(&8_u32.to_le_bytes());
        assert_eq!(finds_hpet(&machine), Err(TableError::Missing));
    }
}
