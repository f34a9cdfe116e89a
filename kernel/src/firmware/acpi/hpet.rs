//! The HPET's place (IA-PC HPET Specification 1.0a, section 3.2.4).

use core::mem::offset_of;

use acpi::address::RawGenericAddress;
use acpi::sdt::hpet::HpetTable;
use harness::le::u64_at;

/// The physical address of the HPET's registers, from a table that was checked; `None` if they are not in memory.
#[must_use]
pub fn base_address(table: &[u8]) -> Option<u64> {
    let at = offset_of!(HpetTable, base_address);
    let in_memory = *table.get(at + offset_of!(RawGenericAddress, address_space))? == 0;
    let address = u64_at(table, at + offset_of!(RawGenericAddress, address))?;
    (in_memory && address != 0 && address.is_multiple_of(1024)).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::super::tables::tests::table;
    use super::*;

    #[test]
    fn reads_the_address_of_a_memory_register_only() {
        // Event timer block id, then the generic address.
        let body =
            |space| [&[0, 0, 0, 0, space, 64, 0, 0][..], &0xfed0_0000_u64.to_le_bytes(), &[0; 4]].concat();
        assert_eq!(base_address(&table(b"HPET", &body(0))), Some(0xfed0_0000));
        assert_eq!(base_address(&table(b"HPET", &body(1))), None);
        assert_eq!(base_address(b"HPET"), None);
    }
}
