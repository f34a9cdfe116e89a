//! The boot image of a guest for one plan, and its files. Each file's name is a digest of its content, so a file that
//! exists is up to date.

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

/// Everything that a guest boots to run one plan.
pub struct BootImage {
    /// The plan in the ramdisk.
    pub plan: PlanBytes,
    /// The first 8 bytes of the kernel's build ID; `None` for a kernel that we did not build.
    pub build: Option<u64>,
    /// The files that QEMU boots from.
    pub medium: BootMedium,
    /// The ramdisk with the plan.
    pub archive: Archive,
    /// The disk image with ramdisk and kernel; `None` if QEMU loads the two itself.
    pub disk: Option<Disk>,
}

/// A ramdisk: a tar archive for our kernel or the native row, a cpio archive for Linux.
pub struct Archive {
    /// The path of the file.
    pub path: PathBuf,
    content: Vec<u8>,
}

/// A disk image that the image tool makes.
#[derive(Clone)]
pub struct Disk {
    /// The path of the file.
    pub path: PathBuf,
    /// The path of the image tool.
    pub tool: PathBuf,
    /// The path of the kernel that goes into it.
    pub kernel: PathBuf,
    /// The firmware that boots it, as the image tool's flag names it: `bios` or `uefi`.
    pub firmware: &'static str,
}

impl BootImage {
    /// The path of the disk image, if the guest needs one that does not exist yet.
    pub fn missing_disk(&self) -> Option<&Path> {
        self.disk.as_ref().map(|disk| disk.path.as_path()).filter(|path| !path.exists())
    }

    /// Builds the missing files.
    ///
    /// # Errors
    /// A file cannot be written, the image tool fails, or `cancel` is set while it runs.
    pub fn build(&self, cancel: &CancelToken) -> Result<(), Coded> {
        self.archive.build()?;
        match &self.disk {
            Some(disk) if !disk.path.exists() => disk.build(&self.archive.path, cancel),
            _ => Ok(()),
        }
    }

    /// The same image with another challenge in its plan. Its files are named `name` in `folder`, and replace those of an
    /// earlier challenge there; the files of this image must exist.
    ///
    /// # Errors
    /// A file cannot be read or written, or does not hold the plan in one piece.
    pub fn with_challenge(&self, challenge: u64, folder: &Path, name: &str) -> Result<Self, Coded> {
        let plan = self.plan.with_challenge(challenge);
        let rewrite = |bytes: &[u8], from: &Path| {
            let path = folder.join(name).with_extension(from.extension().unwrap_or_default());
            let replaced = replace_once(bytes, self.plan.text().as_bytes(), plan.text().as_bytes());
            let content = replaced
                .with_context(|| format!("{}: does not hold its plan once, in one piece", from.display()))
                .or_exit(Exit::Environment)?;
            write_atomically(&path, |out| out.write_all(&content)).or_exit(Exit::Output)?;
            Ok::<_, Coded>(Archive { path, content })
        };
        let archive = rewrite(self.archive.content(), &self.archive.path)?;
        let disk = match &self.disk {
            None => None,
            Some(disk) => {
                let bytes = fs::read(&disk.path)
                    .with_context(|| disk.path.display().to_string())
                    .or_exit(Exit::Environment)?;
                Some(Disk { path: rewrite(&bytes, &disk.path)?.path, ..disk.clone() })
            }
        };
        let medium = match (&self.medium, &disk) {
            (BootMedium::Kernel { kernel, append, .. }, _) => BootMedium::Kernel {
                kernel: kernel.clone(),
                initrd: Some(archive.path.clone()),
                append: append.clone(),
            },
            (_, Some(disk)) => BootMedium::Disk { path: disk.path.clone() },
            (other, None) => other.clone(),
        };
        Ok(Self { plan, build: self.build, medium, archive, disk })
    }

    /// The total length of the files that QEMU boots from; `None` before they are built.
    pub fn bytes(&self) -> Option<u64> {
        let files = match &self.medium {
            BootMedium::Nothing => [None, None],
            BootMedium::Kernel { kernel, initrd, .. } => [Some(kernel), initrd.as_ref()],
            BootMedium::Disk { path } | BootMedium::Cdrom { path } | BootMedium::UsbStick { path } => {
                [Some(path), None]
            }
        };
        files.into_iter().flatten().map(|path| Some(fs::metadata(path).ok()?.len())).sum()
    }
}

impl Archive {
    /// An archive with `content`. Its file in `folder` is named by the content's digest and ends in `end`.
    pub fn new(content: Vec<u8>, folder: &Path, end: &str) -> Self {
        Self { path: folder.join(file_name(Digest::of(&content), end)), content }
    }

    /// The bytes of the archive.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Writes the file if it does not exist yet.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn build(&self) -> Result<(), Coded> {
        if self.path.exists() {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
        write_atomically(&self.path, |out| out.write_all(&self.content)).or_exit(Exit::Output)
    }
}

/// `bytes` with `from` replaced by `to`, of the same length; `None` unless `from` is there exactly once.
fn replace_once(bytes: &[u8], from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    let mut found = memchr::memmem::find_iter(bytes, from);
    let (at, other) = (found.next()?, found.next());
    let mut replaced = bytes.to_vec();
    replaced[at..at + from.len()].copy_from_slice(to);
    other.is_none().then_some(replaced).filter(|_| from.len() == to.len())
}

/// The name of a file whose content has this digest: its first 16 hexadecimal digits, then `end`.
pub fn file_name(digest: Digest, end: &str) -> String {
    format!("{}{end}", &digest.to_string()[..16])
}

impl Disk {
    fn build(&self, ramdisk: &Path, cancel: &CancelToken) -> Result<(), Coded> {
        let mut command = Command::new(&self.tool);
        command.arg("--kernel").arg(&self.kernel).arg("--ramdisk").arg(ramdisk);
        command.arg(format!("--{}", self.firmware)).arg(&self.path);
        image_tool::run(&mut command, &[&self.path], cancel)
    }
}
