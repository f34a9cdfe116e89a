//! L1's kernel: the distribution's cloud kernel and its KVM modules.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::linux::{LinuxError, LinuxKernel};

/// The modules that make Linux a host of KVM on AMD, in the order in which they can be loaded, each with its folder in
/// the kernel's tree.
pub(crate) const MODULES: [(&str, &str); 3] =
    [("irqbypass", "virt/lib"), ("kvm", "arch/x86/kvm"), ("kvm-amd", "arch/x86/kvm")];

/// A kernel with its KVM modules.
#[derive(Clone, Debug)]
pub struct HostKernel {
    /// The kernel.
    pub kernel: LinuxKernel,
    /// The modules, in the order in which they can be loaded.
    pub modules: Vec<PathBuf>,
}

impl HostKernel {
    /// The distribution's kernel in the folder `store`, which is where the Linux guest's is kept too. It is fetched if it
    /// is not there, or was fetched without modules. A kernel that the user names is not used: it need not have them.
    ///
    /// # Errors
    /// The kernel cannot be fetched, or its package has no such modules.
    pub fn find(store: &Path) -> Result<Self, LinuxError> {
        if let Some(found) = LinuxKernel::kept(store).and_then(Self::complete) {
            return Ok(found);
        }
        let kernel = LinuxKernel::fetch(store)?;
        let path = kernel.path.clone();
        let no_modules = || LinuxError::NoModules { path, modules: MODULES.map(|(name, _)| name).join(", ") };
        Self::complete(kernel).ok_or_else(no_modules)
    }

    fn complete(kernel: LinuxKernel) -> Option<Self> {
        let folder = modules_of(&kernel.path);
        let modules = MODULES.iter().map(|(name, _)| module_in(&folder, name)).collect::<Option<Vec<_>>>()?;
        Some(Self { kernel, modules })
    }
}

/// The folder with the modules of the kernel at `vmlinuz`.
pub(crate) fn modules_of(vmlinuz: &Path) -> PathBuf {
    let mut name = OsStr::new("modules-of-").to_owned();
    name.push(vmlinuz.file_name().unwrap_or_default());
    vmlinuz.with_file_name(name)
}

/// The module's file, which may be compressed: `kvm.ko`, `kvm.ko.xz`.
pub(crate) fn module_in(folder: &Path, name: &str) -> Option<PathBuf> {
    let begin = format!("{name}.ko");
    let files = fs::read_dir(folder).ok()?.flatten().map(|file| file.path());
    files.into_iter().find(|path| {
        let rest = path.file_name().and_then(OsStr::to_str).and_then(|name| name.strip_prefix(&begin));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_module_whether_compressed_or_not() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["kvm-amd.ko", "kvm.ko.xz", "irqbypass.korn"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = |name| module_in(folder.path(), name).map(|path| path.file_name().unwrap().to_owned());
        assert_eq!(found("kvm-amd").unwrap(), "kvm-amd.ko");
        assert_eq!(found("kvm").unwrap(), "kvm.ko.xz");
        assert_eq!(found("irqbypass"), None);
    }

    #[test]
    fn keeps_modules_beside_their_kernel() {
        assert_eq!(modules_of(Path::new("/s/vmlinuz-6.1")), Path::new("/s/modules-of-vmlinuz-6.1"));
    }
}
