//! qcow2, made by qemu-img: the format is QEMU's and has tables inside, and its users have that tool.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::output::{Staged, scratch};
use crate::parts::Parts;
use crate::{hybrid, program};

/// The name of the converted disk in the scratch directory.
const NAME: &str = "assay-disk";

/// Builds a qcow2 that QEMU 1.1 and later read, staged beside `destination`.
pub fn build(parts: &Parts, destination: &Path) -> Result<Staged> {
    let disk = hybrid::build(parts, destination)?;
    let mut staged = Staged::new(destination)?;
    let dir = scratch(destination)?;
    let made = dir.path().join(NAME);
    let mut qemu_img = Command::new("qemu-img");
    qemu_img.args(["convert", "-f", "raw", "-O", "qcow2", "-o", "compat=1.1,lazy_refcounts=off"]);
    qemu_img.args([disk.path(), &made]);
    program::run(qemu_img, "qemu-utils")
        .and_then(|()| Ok(io::copy(&mut File::open(&made)?, staged.file())?))
        .with_context(|| format!("{}: cannot convert the disk", destination.display()))?;
    Ok(staged)
}
