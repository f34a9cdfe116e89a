//! What `assay image` makes, looked at by tools that others wrote, and booted.
//!
//! A reader that is not installed is passed over and named, unless the environment has ASSAY_IMAGE_READERS=all, as
//! `make test-images` has, which installs them.

#![expect(clippy::unwrap_used, reason = "what fails here is a test that fails")]

#[path = "../support/assay.rs"]
mod assay;
mod guest;
mod made;

mod boots;
mod formats;
