//! What runs the workers of a run: the row that the run belongs to when systems are compared.

use std::fmt;

use abi::wire::record::SystemName;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What runs the workers. It is more than what the log says of itself (`system` record): two rows can be of one system
/// that was started differently.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum System {
    /// Our kernel, booted as the manifest says.
    #[default]
    Assay,
    /// Our kernel behind firmware and loader, if the manifest has QEMU enter it directly.
    AssayBios,
    /// The Linux guest as it comes.
    Linux,
    /// The Linux guest without its mitigations of the CPU's leaks.
    LinuxMitigationsOff,
    /// The Linux guest that leaves the workers' CPUs alone as far as it can, with its default mitigations.
    LinuxTuned,
    /// Processes of the host: the ceiling of its guests.
    Native,
}

impl System {
    /// All of them, in the order of rows.
    pub const ALL: [Self; 6] = [
        Self::Assay,
        Self::AssayBios,
        Self::Linux,
        Self::LinuxMitigationsOff,
        Self::LinuxTuned,
        Self::Native,
    ];

    /// The word for it in results and on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Assay => "assay",
            Self::AssayBios => "assay-bios",
            Self::Linux => "linux",
            Self::LinuxMitigationsOff => "linux-mitigations-off",
            Self::LinuxTuned => "linux-tuned",
            Self::Native => "native",
        }
    }

    /// The system that `word` names.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.word() == word)
    }

    /// The system of a log from elsewhere, of which only the name is known.
    #[must_use]
    pub const fn of_log(name: SystemName) -> Self {
        match name {
            SystemName::Assay => Self::Assay,
            SystemName::Linux => Self::Linux,
            SystemName::Native => Self::Native,
        }
    }

    /// What the log of such a run calls itself.
    #[must_use]
    pub const fn name(self) -> SystemName {
        match self {
            Self::Assay | Self::AssayBios => SystemName::Assay,
            Self::Linux | Self::LinuxMitigationsOff | Self::LinuxTuned => SystemName::Linux,
            Self::Native => SystemName::Native,
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Serialize for System {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for System {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::of_word(&word).ok_or_else(|| D::Error::custom(format_args!("unknown system {word}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_its_system() {
        for system in System::ALL {
            assert_eq!(System::of_word(system.word()), Some(system));
        }
        assert_eq!(System::of_word("windows"), None);
    }
}
