//! The ACPI tables that the kernel needs: MADT, FADT, HPET, SPCR, and one object of DSDT or SSDT. The SRAT's reader is
//! `harness::srat`, since Linux hands that table to the twin.
//!
//! The layouts are the `acpi` crate's, by `offset_of!`. Finding and reading the tables is ours, because firmware is not
//! to be trusted with a length: each table is read as a byte slice whose signature, length and checksum were checked.

pub mod fadt;
pub mod hpet;
pub mod madt;
pub mod root_pointer;
pub mod s5;
pub mod spcr;
pub mod tables;

pub use root_pointer::RootPointer;
pub use tables::{TableError, Tables};
