//! The boot configuration: a file of the ramdisk, written with it and edited in place in an image.
//!
//! Owns the file's text and finding it. What the words mean is `abi::config`'s, and nothing is written that it does not
//! read without a complaint.

mod image;
mod text;

pub use image::{ImageError, ImageFile, find};
pub use text::{BootConfig, ConfigTextError};
