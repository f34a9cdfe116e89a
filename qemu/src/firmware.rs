//! The firmware that starts the boot medium: QEMU's BIOS, or a UEFI build found on the host.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::QemuError;

/// The firmware of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Firmware {
    /// SeaBIOS, which comes with QEMU.
    Bios,
    /// OVMF.
    Uefi(UefiFirmware),
}

impl Firmware {
    /// The files it needs, each with the name an error gives it.
    pub(crate) fn files(&self) -> Vec<(&'static str, &Path)> {
        let Self::Uefi(uefi) = self else { return Vec::new() };
        let vars = uefi.vars.as_deref().map(|path| ("the firmware's variables", path));
        [("the firmware", uefi.code.as_path())].into_iter().chain(vars).collect()
    }
}

/// The files of a UEFI build. Neither is ever written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct UefiFirmware {
    /// The code, or code and variables in one file.
    pub code: PathBuf,
    /// The template of the variable store; `None` if `code` contains it.
    pub vars: Option<PathBuf>,
}

/// Directory, code, variables: the distributions' paths of builds without Secure Boot, which would refuse our loader.
const KNOWN: [(&str, &str, Option<&str>); 12] = [
    // Debian, Ubuntu. The 4 MiB build comes first: newer releases have no other.
    ("/usr/share/OVMF", "OVMF_CODE_4M.fd", Some("OVMF_VARS_4M.fd")),
    ("/usr/share/OVMF", "OVMF_CODE.fd", Some("OVMF_VARS.fd")),
    ("/usr/share/ovmf", "OVMF.fd", None),
    // Fedora, RHEL.
    ("/usr/share/edk2/ovmf", "OVMF_CODE.fd", Some("OVMF_VARS.fd")),
    // Arch: now, and before 2024.
    ("/usr/share/edk2/x64", "OVMF_CODE.4m.fd", Some("OVMF_VARS.4m.fd")),
    ("/usr/share/edk2/x64", "OVMF_CODE.fd", Some("OVMF_VARS.fd")),
    ("/usr/share/edk2-ovmf/x64", "OVMF_CODE.fd", Some("OVMF_VARS.fd")),
    // openSUSE.
    ("/usr/share/qemu", "ovmf-x86_64-4m-code.bin", Some("ovmf-x86_64-4m-vars.bin")),
    ("/usr/share/qemu", "ovmf-x86_64-code.bin", Some("ovmf-x86_64-vars.bin")),
    // Gentoo.
    ("/usr/share/edk2-ovmf", "OVMF_CODE.fd", Some("OVMF_VARS.fd")),
    // QEMU's own build, if it was installed from source. 32-bit and 64-bit builds share one format of variables.
    ("/usr/share/qemu", "edk2-x86_64-code.fd", Some("edk2-i386-vars.fd")),
    ("/usr/local/share/qemu", "edk2-x86_64-code.fd", Some("edk2-i386-vars.fd")),
];

impl UefiFirmware {
    /// Finds a UEFI build: the file given, else the first known place that has one.
    ///
    /// # Errors
    /// [`QemuError::FirmwareMissing`] lists the paths that were searched and the packages to install.
    pub fn find(given: Option<&Path>) -> Result<Self, QemuError> {
        match given {
            Some(path) => Self::given(path),
            None => Self::find_under(Path::new("/")),
        }
    }

    /// A file that the user named, with the variables beside it if its name says that it is code only.
    fn given(path: &Path) -> Result<Self, QemuError> {
        if !path.is_file() {
            return Err(QemuError::FirmwareMissing { searched: vec![path.to_owned()] });
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let vars = [("CODE", "VARS"), ("code", "vars")]
            .into_iter()
            .filter(|(code, _)| name.contains(code))
            .map(|(code, vars)| path.with_file_name(name.replace(code, vars)))
            .find(|vars| vars.is_file());
        Ok(Self { code: path.to_owned(), vars })
    }

    fn find_under(root: &Path) -> Result<Self, QemuError> {
        let mut searched = Vec::new();
        for (directory, code, vars) in KNOWN {
            let directory = root.join(directory.trim_start_matches('/'));
            let build = Self { code: directory.join(code), vars: vars.map(|vars| directory.join(vars)) };
            if build.code.is_file() && build.vars.as_deref().is_none_or(Path::is_file) {
                return Ok(build);
            }
            searched.push(build.code);
        }
        Err(QemuError::FirmwareMissing { searched })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"").unwrap();
    }

    #[test]
    fn takes_code_only_with_its_variables() {
        let root = tempfile::tempdir().unwrap();
        touch(&root.path().join("usr/share/OVMF/OVMF_CODE_4M.fd"));
        touch(&root.path().join("usr/share/ovmf/OVMF.fd"));
        let found = UefiFirmware::find_under(root.path()).unwrap();
        assert_eq!(found, UefiFirmware { code: root.path().join("usr/share/ovmf/OVMF.fd"), vars: None });
    }

    #[test]
    fn finds_the_variables_beside_a_given_file() {
        let root = tempfile::tempdir().unwrap();
        let code = root.path().join("MY_CODE.fd");
        let vars = root.path().join("MY_VARS.fd");
        touch(&code);
        assert_eq!(UefiFirmware::find(Some(&code)).unwrap().vars, None);
        touch(&vars);
        assert_eq!(UefiFirmware::find(Some(&code)).unwrap().vars, Some(vars));
    }

    #[test]
    fn names_the_package_and_the_places_when_there_is_none() {
        let root = tempfile::tempdir().unwrap();
        let message = UefiFirmware::find_under(root.path()).unwrap_err().to_string();
        assert!(message.contains("Debian: ovmf") && message.contains("OVMF_CODE_4M.fd"), "{message}");
    }
}
