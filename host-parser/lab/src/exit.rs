//! What `assay` ends with: one documented type, so that scripts can rely on it.

use std::process::ExitCode;

use evidence::gate::Class;
use results::Conclusion;

/// Declares the exits.
macro_rules! exits {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        /// How `assay` ends. `assay --help` and docs/GATE.md have the table.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[repr(u8)]
        pub enum Exit {
            $(#[doc = $meaning] $name = $code,)*
        }

        impl Exit {
            /// Every code and its meaning, one a line.
            pub const TABLE: &str = concat!($("  ", $code, "  ", $meaning, "\n",)*);
        }
    };
}

exits! {
    Holds = 0, "Every run passed; the claim holds, or nothing was claimed; compared, no case is slower.";
    DoesNotHold = 1, "The claim does not hold, a case is slower, a control went wrong, a goal, a limit or a locked count is missed.";
    Usage = 2, "The command line is wrong, or an environment variable that it reads.";
    Inconclusive = 3, "The rounds do not decide whether the claim or a goal holds, or whether a case is slower.";
    Failed = 4, "A run failed: its evidence is sound, and says that the guest did not do what it had to.";
    Invalid = 5, "The evidence of a run does not hold, there are too few runs, or sessions are not comparable.";
    Unsupported = 6, "What was asked cannot be answered here: say, a claim over more CPUs than the host has.";
    BadInput = 7, "A file that was given is wrong or cannot be read: manifest, log.";
    Environment = 8, "QEMU, firmware, kernel, worker or image tool is missing, too old or broken.";
    Output = 9, "A file could not be written; a full disk ends here.";
    HoldsUndisturbed = 10, "The claim holds undisturbed only: as experienced, with what the neighbours took, it does not.";
    WithinBoot = 11, "There is one boot only: its figures hold within it, and no claim across boots can be made.";
    NotVerified = 12, "A stored session does not verify: its results do not follow from its sealed logs and evidence.";
    Interrupted = 130, "Interrupted by a signal; what was measured until then is in the results.";
}

impl Exit {
    /// The exit for the results of an experiment.
    pub fn of(conclusion: Conclusion) -> Self {
        match conclusion {
            Conclusion::Measured | Conclusion::Holds => Self::Holds,
            Conclusion::HoldsUndisturbed => Self::HoldsUndisturbed,
            Conclusion::WithinBoot => Self::WithinBoot,
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

/// An error with the exit code that it ends in. Raised with [`OrExit::or_exit`].
#[derive(Debug)]
pub struct Coded {
    /// The code.
    pub exit: Exit,
    error: anyhow::Error,
}

impl std::fmt::Display for Coded {
    /// The error and its causes. A cause that the message already contains is not repeated.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        for cause in self.error.chain().map(ToString::to_string) {
            if text.is_empty() {
                text = cause;
            } else if !text.contains(&cause) {
                text = format!("{text}: {cause}");
            }
        }
        f.write_str(&text)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_reported_once() {
        let inner = || std::io::Error::other("disk full");
        let shown = |error: anyhow::Error| Err::<(), _>(error).or_exit(Exit::Output).unwrap_err().to_string();
        assert_eq!(shown(anyhow::Error::new(inner()).context("results.json")), "results.json: disk full");
        let named = anyhow::Error::new(inner()).context("results.json: disk full; make room");
        assert_eq!(shown(named), "results.json: disk full; make room");
    }
}
