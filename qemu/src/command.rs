//! The exact command line. The same specification always gives the same arguments.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::{Accelerator, BootMedium, Machine, Qemu, QemuError};

/// A command line. Prints as one that can be pasted into a shell; serialised as `program` and `arguments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl CommandLine {
    /// Builds the command line of a guest.
    ///
    /// # Errors
    /// [`QemuError::Option`] if the machine cannot be built so.
    pub fn new(
        _qemu: &Qemu,
        _accelerator: Accelerator,
        _machine: &Machine,
        _boot: &BootMedium,
    ) -> Result<Self, QemuError> {
        todo!()
    }

    /// The same guest without its control channel and running at once: what a person runs by hand, with the serial
    /// port on the terminal.
    #[must_use]
    pub fn by_hand(&self) -> Self {
        todo!()
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

impl Serialize for CommandLine {
    fn serialize<S: serde::Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        todo!()
    }
}
