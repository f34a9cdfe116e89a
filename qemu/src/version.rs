//! Finds QEMU and asks what it is.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::QemuError;

/// The oldest QEMU supported. Debian 12 has 7.2; what is older than 7.0 is not tested.
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
    /// What it says it is.
    pub version: Version,
    /// The first line of `--version` as it was printed, with the distribution's own number.
    pub banner: String,
}

impl Qemu {
    /// Finds `qemu-system-x86_64`: the program given (a path, or a name to look up in PATH), else that name in PATH.
    ///
    /// # Errors
    /// [`QemuError::Missing`], [`QemuError::NotQemu`], [`QemuError::TooOld`], or [`QemuError::Process`] if it cannot
    /// be started or does not answer.
    pub fn find(_given: Option<&Path>) -> Result<Self, QemuError> {
        todo!()
    }
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
