//! The ACPI tables that the kernel needs: MADT, SRAT, FADT, HPET, SPCR, and one object of the DSDT.
//!
//! The layouts are the `acpi` crate's, by `offset_of!`; finding the tables and reading them is ours, because firmware
//! is not to be trusted with a length: each table is read as a byte slice whose signature, length and checksum were
//! checked. Nothing here touches memory but through [`Memory`], so all of it is tested on the host.

pub mod fadt;
pub mod hpet;
pub mod madt;
pub mod s5;
pub mod spcr;
pub mod srat;
pub mod tables;

pub use tables::{Memory, TableError, Tables};
