//! The boot medium: an image as a disk, a CD or a stick, or a kernel that QEMU loads directly.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// The boot medium of a guest. The file is never written: a guest's writes go to a temporary overlay and are dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum BootMedium {
    /// A raw image as the first disk, on the machine's `disk_bus`. SeaBIOS reads an image on SATA twice as fast as on
    /// virtio-blk.
    Disk {
        /// The image.
        path: PathBuf,
    },
    /// An ISO in a SATA CD drive.
    Cdrom {
        /// The image.
        path: PathBuf,
    },
    /// A raw image or hybrid ISO as a USB stick.
    UsbStick {
        /// The image.
        path: PathBuf,
    },
    /// Nothing. QEMU builds the machine and holds it before its first instruction; then it is deleted. What is left of a
    /// machine's life is what the VMM itself takes.
    Nothing,
    /// A kernel that QEMU loads itself: an ELF with a PVH note, or a bzImage.
    Kernel {
        /// The kernel.
        kernel: PathBuf,
        /// A ramdisk, or for PVH the first module.
        initrd: Option<PathBuf>,
        /// The command line.
        append: String,
    },
}

impl BootMedium {
    /// The files it needs, each with the name an error gives it.
    pub(crate) fn files(&self) -> Vec<(&'static str, &Path)> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Disk { path } => vec![("the boot disk", path)],
            Self::Cdrom { path } => vec![("the boot CD", path)],
            Self::UsbStick { path } => vec![("the boot stick", path)],
            Self::Kernel { kernel, initrd, .. } => {
                let initrd = initrd.as_deref().map(|path| ("the initial ramdisk", path));
                [("the kernel", kernel.as_path())].into_iter().chain(initrd).collect()
            }
        }
    }
}
