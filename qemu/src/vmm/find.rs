//! Finds a VMM and its version.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::VmmKind;
use crate::process::output_of;
use crate::version::is_program;
use crate::{Qemu, QemuError, Version};

/// A VMM that was found and is new enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Vmm {
    /// Which one.
    pub kind: VmmKind,
    /// The program.
    pub path: PathBuf,
    /// The version that it reports.
    pub version: Version,
    /// The first line of `--version` as it was printed.
    pub banner: String,
}

/// `--version` takes milliseconds; this leaves time for a very busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

impl From<Qemu> for Vmm {
    fn from(Qemu { path, version, banner }: Qemu) -> Self {
        Self { kind: VmmKind::Qemu, path, version, banner }
    }
}

impl Vmm {
    /// Finds a VMM: the program given (a path, or a name to look up in PATH), else its own name in PATH.
    ///
    /// # Errors
    /// It is missing, not executable, another program, too old, or does not answer.
    pub fn find(kind: VmmKind, given: Option<&Path>) -> Result<Self, QemuError> {
        if kind == VmmKind::Qemu {
            return Qemu::find(given).map(Self::from);
        }
        let search = std::env::var_os("PATH").unwrap_or_default();
        let directories: Vec<PathBuf> = std::env::split_paths(&search).collect();
        let path = locate(kind, given, &directories)?;
        let asking =
            |source| QemuError::Process { path: path.clone(), doing: "asking for its --version", source };
        let printed = output_of(&path, "--version", PATIENCE).map_err(asking)?;
        let banner = printed.lines().next().unwrap_or_default().trim_end().to_owned();
        let minimum = kind.minimum();
        match Version::after(kind.banner(), &banner) {
            None => {
                let printed = printed.chars().take(200).collect();
                Err(QemuError::NotThisVmm { path, printed, expected: kind.banner() })
            }
            Some(found) if found < minimum => Err(QemuError::TooOld { path, found, minimum }),
            Some(version) => Ok(Self { kind, path, version, banner }),
        }
    }
}

/// A name with a slash is a path, as in a shell; else the first directory that has it as an executable file.
fn locate(kind: VmmKind, given: Option<&Path>, directories: &[PathBuf]) -> Result<PathBuf, QemuError> {
    let name = given.unwrap_or(Path::new(kind.program()));
    let candidates: Vec<PathBuf> = if name.components().count() > 1 {
        vec![std::path::absolute(name).unwrap_or_else(|_| name.to_owned())]
    } else {
        directories.iter().map(|directory| directory.join(name)).collect()
    };
    if let Some(path) = candidates.iter().find(|path| is_program(path)) {
        return Ok(path.clone());
    }
    if let Some(path) = candidates.into_iter().find(|path| path.exists()) {
        return Err(QemuError::NotExecutable { path, variable: kind.variable() });
    }
    Err(QemuError::NoVmm {
        path: name.to_owned(),
        title: kind.title(),
        from: kind.source(),
        variable: kind.variable(),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn reads_the_version_that_each_prints() {
        for (kind, banner, version) in [
            (VmmKind::Firecracker, "Firecracker v1.17.0-dev", Some("1.17.0")),
            (VmmKind::Firecracker, "Firecracker v1.12.1", Some("1.12.1")),
            (VmmKind::CloudHypervisor, "cloud-hypervisor v54.0.0", Some("54.0.0")),
            (VmmKind::CloudHypervisor, "cloud-hypervisor v48.0", Some("48.0.0")),
            (VmmKind::CloudHypervisor, "cloud-hypervisor v54.0-12-gae44c2971-dirty", Some("54.0.0")),
            (VmmKind::CloudHypervisor, "cloud-hypervisor vX", None),
            (VmmKind::Firecracker, "cloud-hypervisor v54.0.0", None),
            (VmmKind::Firecracker, "", None),
        ] {
            let found = Version::after(kind.banner(), banner).map(|version| version.to_string());
            assert_eq!(found.as_deref(), version, "{banner}");
        }
    }

    #[test]
    fn says_what_to_do_without_one() {
        for kind in [VmmKind::Firecracker, VmmKind::CloudHypervisor] {
            let message = locate(kind, None, &[]).unwrap_err().to_string();
            for part in [kind.program(), kind.variable(), "/releases"] {
                assert!(message.contains(part), "{part} in {message}");
            }
        }
    }

    #[test]
    fn tells_a_file_that_is_not_executable_from_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("firecracker");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        for given in [None, Some(path.as_path())] {
            let directories = [folder.path().to_owned()];
            let message = locate(VmmKind::Firecracker, given, &directories).unwrap_err().to_string();
            assert!(message.contains("not an executable file"), "{message}");
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(locate(VmmKind::Firecracker, Some(&path), &[]).unwrap(), path);
    }
}
