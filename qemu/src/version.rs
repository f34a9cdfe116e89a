//! Finds QEMU and its version.

use std::fmt;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::QemuError;
use crate::process::output_of;

/// The oldest QEMU supported. Debian 12 has 7.2; releases before 7.0 are not tested.
pub const MINIMUM_VERSION: Version = Version { major: 7, minor: 0, micro: 0 };

/// A QEMU version. Serialised as its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
    /// The third.
    pub micro: u32,
}

/// A QEMU that was found and is new enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Qemu {
    /// The program.
    pub path: PathBuf,
    /// The version that it reports.
    pub version: Version,
    /// The first line of `--version` as it was printed, with the distribution's own number.
    pub banner: String,
}

const PROGRAM: &str = "qemu-system-x86_64";

/// `--version` takes milliseconds; this leaves time for a very busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

impl Qemu {
    /// Finds `qemu-system-x86_64`: the program given (a path, or a name to look up in PATH), else that name in PATH.
    ///
    /// # Errors
    /// [`QemuError::Missing`], [`QemuError::NotQemu`], [`QemuError::TooOld`], or [`QemuError::Process`] if it cannot
    /// be started or does not answer.
    pub fn find(given: Option<&Path>) -> Result<Self, QemuError> {
        let search = std::env::var_os("PATH").unwrap_or_default();
        let directories: Vec<PathBuf> = std::env::split_paths(&search).collect();
        let path = locate(given.unwrap_or(Path::new(PROGRAM)), &directories)?;
        let printed = output_of(&path, "--version", PATIENCE).map_err(|source| unanswered(&path, source))?;
        let banner = printed.lines().next().unwrap_or_default().to_owned();
        let version = match Version::of_banner(&banner) {
            None => return Err(QemuError::NotQemu { path, printed: printed.chars().take(200).collect() }),
            Some(found) if found < MINIMUM_VERSION => {
                return Err(QemuError::TooOld { path, found, minimum: MINIMUM_VERSION });
            }
            Some(version) => version,
        };
        Ok(Self { path, version, banner })
    }
}

/// A name with a slash is a path, as in a shell; else the first directory that has it as an executable file.
fn locate(name: &Path, directories: &[PathBuf]) -> Result<PathBuf, QemuError> {
    let mut candidates = if name.components().count() > 1 {
        vec![std::path::absolute(name).unwrap_or_else(|_| name.to_owned())]
    } else {
        directories.iter().map(|directory| directory.join(name)).collect()
    };
    candidates.retain(|path| is_program(path));
    candidates.into_iter().next().ok_or_else(|| QemuError::Missing { path: name.to_owned() })
}

/// Whether `path` is an executable file.
pub(crate) fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

impl Version {
    /// The version in the first line of `--version`: `QEMU emulator version 7.2.22 (Debian ...)`, and `9.0.50` or
    /// `8.0.0-rc1` in development.
    #[must_use]
    pub fn of_banner(banner: &str) -> Option<Self> {
        let text = banner.strip_prefix("QEMU emulator version ")?;
        let text = text.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
        let mut numbers = text.split('.').map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self { major: next()?, minor: next()?, micro: next()? })
    }

    /// The version in `banner` after `words`: two or three numbers with dots between them.
    pub(crate) fn after(words: &str, banner: &str) -> Option<Self> {
        let text = banner.strip_prefix(words)?;
        let text = text.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
        let numbers: Vec<u32> =
            text.trim_end_matches('.').split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        match numbers[..] {
            [major, minor] => Some(Self { major, minor, micro: 0 }),
            [major, minor, micro] => Some(Self { major, minor, micro }),
            _ => None,
        }
    }
}

fn unanswered(path: &Path, source: io::Error) -> QemuError {
    QemuError::Process { path: path.to_owned(), doing: "asking for its --version", source }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.micro)
    }
}

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_banners_of_releases_and_distributions() {
        for (banner, version) in [
            ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)", Some("7.2.22")),
            ("QEMU emulator version 10.1.0", Some("10.1.0")),
            ("QEMU emulator version 8.0.0-rc1", Some("8.0.0")),
            ("QEMU emulator version 9.0.50 (v9.0.0-123-gabc)", Some("9.0.50")),
            ("QEMU emulator version 9", None),
            ("QEMU emulator version 99999999999.0.0", None),
            ("qemu-img version 7.2.22", None),
            ("", None),
        ] {
            assert_eq!(
                Version::of_banner(banner).map(|version| version.to_string()).as_deref(),
                version,
                "{banner}"
            );
        }
    }

    #[test]
    fn orders_versions_by_number() {
        let [old, new] =
            ["QEMU emulator version 9.2.0", "QEMU emulator version 10.0.0"].map(Version::of_banner);
        assert!(old < new);
    }

    #[test]
    fn takes_the_first_executable_in_the_path() {
        let root = tempfile::tempdir().unwrap();
        let directories = ["a", "b"].map(|name| root.path().join(name));
        for directory in &directories {
            std::fs::create_dir(directory).unwrap();
            std::fs::write(directory.join("qemu"), "").unwrap();
        }
        let runnable = directories[1].join("qemu");
        std::fs::set_permissions(&runnable, PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(locate(Path::new("qemu"), &directories).unwrap(), runnable);
        assert_eq!(locate(&runnable, &[]).unwrap(), runnable);
    }

    #[test]
    fn names_the_package_when_there_is_no_qemu() {
        let message = locate(Path::new(PROGRAM), &[]).unwrap_err().to_string();
        assert!(
            message.contains("qemu-system-x86_64") && message.contains("Debian: qemu-system-x86"),
            "{message}"
        );
    }
}
