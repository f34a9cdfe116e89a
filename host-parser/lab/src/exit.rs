//! What `assay` ends with: one documented type, so that scripts can rely on it.

use std::process::ExitCode;

use evidence::gate::{Class, ReasonCode};
use results::Conclusion;

/// Declares the exits.
macro_rules! exits {
    ($($name:ident = $code:literal $word:literal, $meaning:literal, next: $next:literal;)*) => {
        /// How `assay` ends. `assay --help` and docs/GATE.md have the table.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[repr(u8)]
        pub enum Exit {
            $(#[doc = $meaning] $name = $code,)*
        }

        impl Exit {
            /// Every exit, by its code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Every code and its meaning, one a line.
            pub const TABLE: &str = concat!($("  ", $code, "  ", $meaning, "\n",)*);

            /// The stable word for it in data.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// What to do next, if nothing more exact is known.
            #[must_use]
            pub const fn next(self) -> &'static str {
                match self { $(Self::$name => $next,)* }
            }
        }
    };
}

exits! {
    Holds = 0 "holds", "Every run passed; the claim holds, or nothing was claimed; compared, no case is slower.",
        next: "`assay list` has all sessions, and `assay show SESSION` shows one again.";
    DoesNotHold = 1 "does-not-hold", "The claim does not hold, a case is slower, a control went wrong, a goal, a limit or a locked count is missed.",
        next: "`assay show --wide SESSION` lists every figure, and what was excluded.";
    Usage = 2 "usage", "The command line is wrong, or an environment variable that it reads.",
        next: "`assay --help` lists the commands, and `assay COMMAND --help` its options.";
    Inconclusive = 3 "inconclusive", "The rounds do not decide whether the claim or a goal holds, or whether a case is slower.",
        next: "Run more rounds (--rounds), or run on a quieter host: `assay doctor` names what disturbs this one.";
    Failed = 4 "failed", "A run failed: its evidence is sound, and says that the guest did not do what it had to.",
        next: "Read the end of the run's log; docs/GATE.md explains the reason.";
    Invalid = 5 "invalid", "The evidence of a run does not hold, there are too few runs, or sessions are not comparable.",
        next: "docs/GATE.md explains the reason, and what to do about it.";
    Unsupported = 6 "unsupported", "What was asked cannot be answered here: say, a claim over more CPUs than the host has.",
        next: "Use a machine that has what is missing; `assay doctor` lists what this one has.";
    BadInput = 7 "bad-input", "A file that was given is wrong or cannot be read: manifest, log.",
        next: "Correct the file or the path that the message names.";
    Environment = 8 "environment", "QEMU, firmware, kernel, worker or image tool is missing, too old or broken.",
        next: "`assay doctor` lists what is missing; `make build` makes what is built here.";
    Output = 9 "output", "A file could not be written; a full disk ends here.",
        next: "Make room, or name another folder with --out.";
    HoldsUndisturbed = 10 "holds-undisturbed", "The claim holds undisturbed only: as experienced, with what the neighbours took, it does not.",
        next: "Repeat it on a host whose neighbours are calm; `assay doctor` says when.";
    WithinBoot = 11 "within-boot", "There is one boot only: its figures hold within it, and no claim across boots can be made.",
        next: "Boot the machine at least 5 times, and judge all logs with one command.";
    NotVerified = 12 "not-verified", "A stored session does not verify: its results do not follow from its sealed logs and evidence.",
        next: "`assay verify SESSION` lists every difference; use the original files.";
    GateExceeded = 13 "gate-exceeded", "A step of a machine's life took longer than its gate allows; the answer names the gate.",
        next: "`assay show SESSION` lists every step; lifecycle.csv has the times of every machine.";
    Busy = 75 "busy", "The host was too busy to measure, and nothing else is wrong: try later (EX_TEMPFAIL of sysexits.h).",
        next: "Try again when the host is quiet.";
    Interrupted = 130 "interrupted", "Interrupted by a signal; what was measured until then is in the results.",
        next: "Run it again.";
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
            Conclusion::Refused(reason) => Self::of_reason(reason),
        }
    }

    /// The exit for a refusal.
    #[must_use]
    pub const fn of_reason(reason: ReasonCode) -> Self {
        match reason.class() {
            _ if reason.is_a_busy_host() => Self::Busy,
            Class::Failed => Self::Failed,
            Class::Unsupported => Self::Unsupported,
            Class::Invalid => Self::Invalid,
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
    /// The gate's reason, if a run or a session was refused.
    pub reason: Option<ReasonCode>,
    error: anyhow::Error,
}

impl Coded {
    /// The same error, with what it is about in front.
    #[must_use]
    pub fn context(self, about: impl std::fmt::Display) -> Self {
        Self { error: self.error.context(about.to_string()), ..self }
    }

    /// The error and its causes, by which a caller can find out what it is.
    pub fn causes(&self) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
        self.error.chain()
    }
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

    /// The value, or the error as a refusal for this reason, with the code that the reason has.
    fn or_refuse(self, reason: ReasonCode) -> Result<T, Coded>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Result<T, Coded> {
        self.map_err(|error| Coded { exit, reason: None, error: error.into() })
    }

    fn or_refuse(self, reason: ReasonCode) -> Result<T, Coded> {
        self.map_err(|error| Coded {
            exit: Exit::of_reason(reason),
            reason: Some(reason),
            error: error.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_host_did_is_a_busy_host() {
        for (reason, exit) in [
            (ReasonCode::HostContended, Exit::Busy),
            (ReasonCode::VcpuPreempted, Exit::Busy),
            (ReasonCode::MissingEnd, Exit::Invalid),
            // The times were shown to be missing: no neighbour explains them.
            (ReasonCode::TimeMissing, Exit::Failed),
            (ReasonCode::Oversubscribed, Exit::Unsupported),
        ] {
            assert_eq!(Exit::of_reason(reason), exit, "{reason}");
        }
        for &reason in ReasonCode::ALL {
            assert!(Exit::of_reason(reason) != Exit::Busy || reason.class() == Class::Invalid, "{reason}");
        }
    }

    #[test]
    fn every_exit_has_a_word_of_its_own_and_says_what_to_do() {
        for (number, exit) in Exit::ALL.iter().enumerate() {
            assert!(exit.next().ends_with('.') && exit.meaning().ends_with('.'), "{exit:?}");
            assert!(Exit::ALL[..number].iter().all(|before| before.word() != exit.word()), "{exit:?}");
        }
    }

    #[test]
    fn a_cause_is_reported_once() {
        let inner = || std::io::Error::other("disk full");
        let shown = |error: anyhow::Error| Err::<(), _>(error).or_exit(Exit::Output).unwrap_err().to_string();
        assert_eq!(shown(anyhow::Error::new(inner()).context("results.json")), "results.json: disk full");
        let named = anyhow::Error::new(inner()).context("results.json: disk full; make room");
        assert_eq!(shown(named), "results.json: disk full; make room");
    }
}
