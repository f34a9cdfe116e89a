//! The forms: what each is called, and the function that writes it.

mod action;
mod benchfmt;
mod bmf;
mod csv;
mod hyperfine;
mod junit;
mod kevlar;
mod ktap;
mod lnt;
mod openmetrics;

pub use junit::junit;
pub use ktap::ktap;

use crate::Subject;

/// Which figures a form has that does not say which direction is better.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Better {
    /// Speed-ups: more is better.
    #[default]
    Bigger,
    /// Times: less is better.
    Smaller,
}

/// Why nothing can be written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FormError {
    /// No figure may leave.
    #[error(
        "no figure may be exported: the session was refused, or has only cases that show function and not speed"
    )]
    Nothing,
    /// A figure has no time in ns.
    #[error("the frequency of the clock is unknown, and this form has no unit for cycles")]
    NoTime,
    /// The form has one session a file.
    #[error("this form has one session a file: export each by a command of its own")]
    OneSession,
}

/// Declares the forms: variant, word, and what reads it.
macro_rules! forms {
    ($($name:ident = $word:literal, $write:path, $meaning:literal;)*) => {
        /// A form of another tool.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Form {
            $(#[doc = $meaning] $name,)*
        }

        impl Form {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word for it on the command line.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What reads it.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// The sessions in this form.
            ///
            /// # Errors
            /// No figure may leave, or the form cannot have it.
            pub fn write(self, subjects: &[Subject<'_>], better: Better) -> Result<String, FormError> {
                match self { $(Self::$name => $write(subjects, better),)* }
            }
        }
    };
}

forms! {
    GithubActionBenchmark = "github-action-benchmark", action::write, "github-action-benchmark: `customBiggerIsBetter`, or with --better smaller `customSmallerIsBetter`";
    Bencher = "bencher", bmf::write, "Bencher: `bencher run --adapter json --file`";
    Benchfmt = "benchfmt", benchfmt::write, "Go's benchmark format: `benchstat old new`";
    Hyperfine = "hyperfine", hyperfine::write, "hyperfine's JSON, times in seconds";
    Junit = "junit", junit::write, "JUnit XML, as Jenkins reads it";
    Ktap = "ktap", ktap::write, "KTAP 1, flat";
    Openmetrics = "openmetrics", openmetrics::write, "OpenMetrics: `promtool tsdb create-blocks-from openmetrics`";
    Csv = "csv", csv::write, "samples.csv of all sessions in one, with session, machine and tool";
    KevlarBench = "kevlar-bench", kevlar::write, "Kevlar's benchmark lines: `BENCH NAME ITERATIONS TOTAL PER`, ns";
    Lnt = "lnt", lnt::write, "LLVM's LNT: `lnt submit`, format 2";
}

impl Form {
    /// The form that `word` names.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|form| form.word() == word)
    }
}

/// Pretty JSON with a newline.
fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

/// What is written, unless it is nothing.
fn some<T>(all: Vec<T>) -> Result<Vec<T>, FormError> {
    if all.is_empty() { Err(FormError::Nothing) } else { Ok(all) }
}
