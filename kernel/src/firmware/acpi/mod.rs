//! The ACPI tables that the kernel needs: MADT, FADT, HPET, SPCR, and one object of the DSDT. The SRAT's reader is
//! `harness::srat`, since Linux hands that table to the twin.
//!
//! Firmware's lengths cannot be trusted, so each table is read as a byte slice whose signature, length and checksum were
//! checked; fields are found by the offsets in [`layout`].

pub mod fadt;
pub mod hpet;
pub mod layout;
pub mod madt;
pub mod s5;
pub mod spcr;
pub mod tables;

pub use tables::{TableError, Tables};
