//! From a manifest to the bytes that a kernel is given.
//!
//! Owns the manifest's keys and their checks ([`manifest`]), the plan and the ramdisk ([`plan`]), and the boot
//! configuration ([`boot_config`]). Refuses to run anything, and to judge what ran.

#![forbid(unsafe_code)]

mod archive;
pub mod boot_config;
pub mod manifest;
pub mod plan;
