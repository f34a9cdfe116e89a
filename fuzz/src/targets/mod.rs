//! One file per target, each with a `check` that panics if the target's property does not hold.

pub(crate) mod acpi_tables;
pub(crate) mod boot_image;
pub(crate) mod build_id;
pub(crate) mod bzimage;
pub(crate) mod config;
pub(crate) mod elf;
pub(crate) mod fadt;
pub(crate) mod gate;
pub(crate) mod host_texts;
pub(crate) mod kvmclock;
pub(crate) mod madt;
pub(crate) mod manifest;
pub(crate) mod memory_map;
pub(crate) mod partition;
pub(crate) mod plan;
pub(crate) mod pvh;
pub(crate) mod qmp;
pub(crate) mod ramdisk;
pub(crate) mod record;
pub(crate) mod smbios;
pub(crate) mod spcr;
pub(crate) mod srat;
pub(crate) mod topology;
pub(crate) mod trace;
pub(crate) mod transcript;
