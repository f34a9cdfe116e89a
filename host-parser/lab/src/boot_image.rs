//! What a guest boots for one plan, and the files that it is made of. Each file is named by its content, so that one that
//! is there is the right one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use abi::Digest;
use anyhow::Context;
use experiment::plan::PlanBytes;
use host::CancelToken;
use qemu::BootMedium;
use results::write_atomically;

use crate::exit::{Coded, Exit, OrExit};
use crate::image_tool;

/// What a guest boots to run a plan.
pub struct BootImage {
    /// The plan in it.
    pub plan: PlanBytes,
    /// The first 8 bytes of its kernel's build ID, where they are known.
    pub build: Option<u64>,
    /// What QEMU is given of it.
    pub medium: BootMedium,
    /// What carries the plan.
    pub archive: Archive,
    /// The disk around it and the kernel; none where QEMU takes the two as they are.
    pub disk: Option<Disk>,
}

/// A ramdisk: our kernel's or Linux's.
pub struct Archive {
    /// Its file.
    pub path: PathBuf,
    content: Vec<u8>,
}

/// A disk image, made by the image tool.
pub struct Disk {
    /// Its file.
    pub path: PathBuf,
    /// The tool.
    pub tool: PathBuf,
    /// The kernel in it.
    pub kernel: PathBuf,
    /// The firmware that it is for, by the tool's word for it.
    pub firmware: &'static str,
}

impl BootImage {
    /// The disk, where one is needed and not there yet.
    pub fn missing_disk(&self) -> Option<&Path> {
        self.disk.as_ref().map(|disk| disk.path.as_path()).filter(|path| !path.exists())
    }

    /// Makes the files that are not there yet.
    ///
    /// # Errors
    /// A file that cannot be written, the image tool's own words, or that it was cancelled.
    pub fn build(&self, cancel: &CancelToken) -> Result<(), Coded> {
        self.archive.build()?;
        match &self.disk {
            Some(disk) if !disk.path.exists() => disk.make(&self.archive.path, cancel),
            _ => Ok(()),
        }
    }

    /// The length of the files that QEMU is given, together; `None` before they are built.
    pub fn bytes(&self) -> Option<u64> {
        let files = match &self.medium {
            BootMedium::Kernel { kernel, initrd, .. } => [Some(kernel), initrd.as_ref()],
            BootMedium::Disk { path } | BootMedium::Cdrom { path } | BootMedium::UsbStick { path } => {
                [Some(path), None]
            }
        };
        files.into_iter().flatten().map(|path| Some(fs::metadata(path).ok()?.len())).sum()
    }
}

impl Archive {
    /// With `content`, in a file of `folder` that is named by it and ends in `end`.
    pub fn new(content: Vec<u8>, folder: &Path, end: &str) -> Self {
        Self { path: folder.join(file_name(Digest::of(&content), end)), content }
    }

    /// What is in it.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Writes it, if it is not there yet.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn build(&self) -> Result<(), Coded> {
        if self.path.exists() {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
        write_atomically(&self.path, |out| out.write_all(&self.content)).or_exit(Exit::Output)
    }
}

/// The name of a file whose content has this digest.
pub fn file_name(digest: Digest, end: &str) -> String {
    format!("{}{end}", &digest.to_string()[..16])
}

impl Disk {
    fn make(&self, ramdisk: &Path, cancel: &CancelToken) -> Result<(), Coded> {
        let mut command = Command::new(&self.tool);
        command.arg("--kernel").arg(&self.kernel).arg("--ramdisk").arg(ramdisk);
        command.arg(format!("--{}", self.firmware)).arg(&self.path);
        image_tool::run(&mut command, &[&self.path], cancel)
    }
}
