//! Layouts of ACPI's structures, used only for `offset_of!` and `size_of`: no value of these types exists.
//!
//! They are written here because the `acpi` crate needs a nightly compiler. Reference: ACPI Specification 6.5, section
//! 5.2; for [`HpetTable`], IA-PC HPET Specification 1.0a, section 3.2.4.
#![expect(missing_docs, reason = "the fields are those of the specification")]

use core::mem::{offset_of, size_of};

/// The four letters that begin a table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Signature([u8; 4]);

impl Signature {
    pub const DSDT: Self = Self(*b"DSDT");
    pub const FADT: Self = Self(*b"FACP");
    pub const HPET: Self = Self(*b"HPET");
    pub const MADT: Self = Self(*b"APIC");
    pub const RSDT: Self = Self(*b"RSDT");
    pub const SPCR: Self = Self(*b"SPCR");
    pub const SRAT: Self = Self(*b"SRAT");
    pub const XSDT: Self = Self(*b"XSDT");

    /// The letters.
    #[must_use]
    pub const fn bytes(self) -> [u8; 4] {
        self.0
    }
}

/// The Root System Description Pointer (section 5.2.5.3).
#[repr(C, packed)]
pub struct Rsdp {
    pub signature: [u8; 8],
    pub checksum: u8,
    pub oem_id: [u8; 6],
    pub revision: u8,
    pub rsdt_address: u32,
    /// Revision 0 ends here.
    pub length: u32,
    pub xsdt_address: u64,
    pub ext_checksum: u8,
    pub reserved: [u8; 3],
}

/// The header of each table (section 5.2.6).
#[repr(C, packed)]
pub struct SdtHeader {
    pub signature: [u8; 4],
    pub length: u32,
    pub revision: u8,
    pub checksum: u8,
    pub oem_id: [u8; 6],
    pub oem_table_id: [u8; 8],
    pub oem_revision: u32,
    pub creator_id: u32,
    pub creator_revision: u32,
}

/// The place of a register (section 5.2.3.2).
#[repr(C, packed)]
pub struct RawGenericAddress {
    pub address_space: u8,
    pub bit_width: u8,
    pub bit_offset: u8,
    pub access_size: u8,
    pub address: u64,
}

/// The Fixed ACPI Description Table (section 5.2.9); fields that the kernel does not read are joined.
#[repr(C, packed)]
pub struct Fadt {
    pub header: SdtHeader,
    pub firmware_ctrl: u32,
    pub dsdt_address: u32,
    pub profile_to_pm1b_event_block: [u8; 20],
    pub pm1a_control_block: u32,
    pub pm1b_control_block: u32,
    pub pm2_control_block: u32,
    pub pm_timer_block: u32,
    pub gpe0_block_to_boot_arch: [u8; 32],
    pub flags: u32,
    pub reset_reg: RawGenericAddress,
    pub reset_value: u8,
    pub arm_boot_arch: u16,
    pub minor_version: u8,
    pub x_firmware_ctrl: u64,
    pub x_dsdt_address: u64,
    pub x_blocks: [RawGenericAddress; 8],
    pub sleep_control_reg: RawGenericAddress,
    pub sleep_status_reg: RawGenericAddress,
    pub hypervisor_vendor_id: u64,
}

/// The HPET description table.
#[repr(C, packed)]
pub struct HpetTable {
    pub header: SdtHeader,
    pub event_timer_block_id: u32,
    pub base_address: RawGenericAddress,
    pub hpet_number: u8,
    pub clock_tick_unit: u16,
    pub page_protection_and_oem: u8,
}

/// The head of each entry of a MADT (section 5.2.12).
#[repr(C, packed)]
pub struct EntryHeader {
    pub entry_type: u8,
    pub length: u8,
}

/// MADT entry type 0 (section 5.2.12.2).
#[repr(C, packed)]
pub struct LocalApicEntry {
    pub header: EntryHeader,
    pub processor_id: u8,
    pub apic_id: u8,
    pub flags: u32,
}

/// MADT entry type 9 (section 5.2.12.12).
#[repr(C, packed)]
pub struct LocalX2ApicEntry {
    pub header: EntryHeader,
    pub reserved: u16,
    pub x2apic_id: u32,
    pub flags: u32,
    pub processor_uid: u32,
}

// The offsets and lengths that the specifications print.
const _: () = {
    assert!(offset_of!(Rsdp, rsdt_address) == 16 && offset_of!(Rsdp, xsdt_address) == 24);
    assert!(size_of::<Rsdp>() == 36 && size_of::<SdtHeader>() == 36 && size_of::<RawGenericAddress>() == 12);
    assert!(offset_of!(Fadt, dsdt_address) == 40 && offset_of!(Fadt, pm1a_control_block) == 64);
    assert!(offset_of!(Fadt, pm_timer_block) == 76 && offset_of!(Fadt, flags) == 112);
    assert!(offset_of!(Fadt, reset_reg) == 116 && offset_of!(Fadt, reset_value) == 128);
    assert!(offset_of!(Fadt, x_dsdt_address) == 140 && offset_of!(Fadt, sleep_control_reg) == 244);
    assert!(size_of::<Fadt>() == 276 && size_of::<HpetTable>() == 56);
    assert!(size_of::<LocalApicEntry>() == 8 && size_of::<LocalX2ApicEntry>() == 16);
};
