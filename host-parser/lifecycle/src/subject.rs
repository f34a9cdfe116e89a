//! What lives on a machine.

use std::fmt;

use abi::wire::record::SystemName;
use results::System;
use serde::{Deserialize, Serialize};

/// What lives on a machine.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Our kernel.
    Assay,
    /// Linux with its defaults, and the twin as its first process.
    Linux,
    /// The same without its mitigations of CPU vulnerabilities.
    LinuxMitigationsOff,
    /// Nothing: the VMM builds the same machine and holds it. QEMU only.
    Empty,
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Assay, Self::Linux, Self::LinuxMitigationsOff, Self::Empty];

    /// Its word in options and results.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Assay => "assay",
            Self::Linux => "linux",
            Self::LinuxMitigationsOff => "linux-mitigations-off",
            Self::Empty => "empty",
        }
    }

    /// The system that runs the workers; `None` if there are none.
    #[must_use]
    pub const fn system(self) -> Option<System> {
        match self {
            Self::Assay => Some(System::Assay),
            Self::Linux => Some(System::Linux),
            Self::LinuxMitigationsOff => Some(System::LinuxMitigationsOff),
            Self::Empty => None,
        }
    }

    /// Whether a log names this system.
    #[must_use]
    pub fn is_named(self, name: SystemName) -> bool {
        self.system().is_some_and(|system| system.name() == name)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
