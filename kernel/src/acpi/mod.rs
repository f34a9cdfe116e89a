//! The ACPI tables that the kernel needs: MADT, SRAT, FADT, HPET, SPCR, and one object of the DSDT.
//!
//! Firmware's lengths cannot be trusted, so each table is read as a byte slice whose signature, length and checksum were
//! checked; fields are found by the offsets in [`layout`]. Nothing here touches memory except through [`Memory`], so all
//! of it is tested on the host.

pub mod fadt;
pub mod hpet;
pub mod layout;
pub mod madt;
pub mod s5;
pub mod spcr;
pub mod srat;
pub mod tables;

pub use tables::{Memory, TableError, Tables};
