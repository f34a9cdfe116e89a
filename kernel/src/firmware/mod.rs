//! Firmware's structures in memory: ACPI tables and SMBIOS. All of them are input. This room reads memory only through
//! [`Memory`], so all of it is tested on the host.

pub mod acpi;
pub mod smbios;

/// Physical memory to read firmware's structures from.
pub trait Memory {
    /// `len` bytes at the physical address `at`; `None` if that is not all memory.
    fn bytes(&self, at: u64, len: usize) -> Option<&[u8]>;
}
