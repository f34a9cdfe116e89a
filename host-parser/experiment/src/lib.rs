//! From a manifest to the ramdisk that a kernel boots with.
//!
//! Owns the manifest's keys and their checks ([`manifest`]), the plan and the ramdisk ([`plan`]), and the boot
//! configuration ([`boot_config`]). Runs nothing and judges nothing.

#![forbid(unsafe_code)]

mod archive;
pub mod boot_config;
pub mod manifest;
pub mod plan;
