//! The images of `assay image`, checked with third-party tools and booted.
//!
//! A check is skipped, with a message, if its tool is not installed. With ASSAY_IMAGE_READERS=all it fails instead:
//! `make test-images` sets that, and installs the tools.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

#[path = "../support/assay.rs"]
mod assay;
mod guest;
mod made;

mod boots;
mod formats;
mod odd_bios;
