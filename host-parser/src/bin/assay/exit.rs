//! What `assay` ends with: one documented type, so that scripts can rely on it. docs/MEASUREMENT.md has the table.

use std::process::ExitCode;

use host_parser::gate::Class;
use host_parser::results::Conclusion;

/// How `assay` ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Exit {
    /// Every run passed; the claim holds, or nothing was claimed.
    Holds = 0,
    /// Every run passed, and the claim does not hold.
    DoesNotHold = 1,
    /// The command line is wrong (clap's own code), or an environment variable that it reads.
    Usage = 2,
    /// Every run passed, and the rounds do not tell whether the claim holds.
    Inconclusive = 3,
    /// A run failed: its evidence is sound, and says that the guest did not do what it had to.
    Failed = 4,
    /// The evidence of a run does not hold, or the experiment is not complete.
    Invalid = 5,
    /// What was asked cannot be answered here; for example, a claim over more CPUs than the host has.
    Unsupported = 6,
    /// An input file is wrong: manifest, log, worker.
    BadInput = 7,
    /// A program or file that `assay` needs is missing, too old or broken: QEMU, firmware, kernel, image tool.
    Environment = 8,
    /// A file could not be written; a full disk ends here.
    Output = 9,
    /// Interrupted by a signal. What was measured until then is in the results.
    Interrupted = 130,
}

impl Exit {
    /// The exit for the results of an experiment.
    pub fn of(conclusion: Conclusion) -> Self {
        match conclusion {
            Conclusion::Measured | Conclusion::Holds => Self::Holds,
            Conclusion::DoesNotHold => Self::DoesNotHold,
            Conclusion::Inconclusive => Self::Inconclusive,
            Conclusion::Refused(reason) => match reason.class() {
                Class::Failed => Self::Failed,
                Class::Unsupported => Self::Unsupported,
                Class::Invalid => Self::Invalid,
            },
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error with the exit code that it ends in. Raised with [`OrExit::or_exit`], found again by `downcast_ref`.
#[derive(Debug)]
pub struct Coded {
    /// The code.
    pub exit: Exit,
    error: anyhow::Error,
}

impl std::fmt::Display for Coded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

impl std::error::Error for Coded {}

/// Gives errors their exit code.
pub trait OrExit<T> {
    /// The value, or the error with this code.
    fn or_exit(self, exit: Exit) -> Result<T, Coded>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Result<T, Coded> {
        self.map_err(|error| Coded { exit, error: error.into() })
    }
}
