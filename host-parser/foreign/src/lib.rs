//! Figures of other tools, read from their own output, to stand beside ours.
//!
//! A foreign figure comes without proof of work, clock or host: no rule judges it, and nothing of ours depends on it. This
//! crate reads it as it was printed, and knows which row of ours is about the same quantity, and in what the two differ.
#![forbid(unsafe_code)]

mod hyperfine;
mod kevlar;
mod memtest;
mod sel4bench;
mod vmexit;

use std::path::{Path, PathBuf};

use abi::series::SeriesRow;
use serde::Serialize;

/// A tool whose output can be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tool {
    /// x86/vmexit.flat of kvm-unit-tests.
    KvmUnitTests,
    /// `hyperfine --export-json`.
    Hyperfine,
    /// sel4bench's JSON output, or a console with it.
    Sel4bench,
    /// The serial log of memtest86+ (`MTLOG`).
    Memtest,
    /// The console of Kevlar's benchmarks (`BENCH` lines).
    Kevlar,
}

impl Tool {
    /// Its word on the command line.
    pub const WORDS: &[(&str, Self)] = &[
        ("kvm-unit-tests", Self::KvmUnitTests),
        ("hyperfine", Self::Hyperfine),
        ("sel4bench", Self::Sel4bench),
        ("memtest86+", Self::Memtest),
        ("kevlar", Self::Kevlar),
    ];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, tool)| *tool == self);
        found.map_or("", |(word, _)| word)
    }

    /// What one of its figures is, in words.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::KvmUnitTests => {
                "one mean in whole TSC ticks of an unfenced loop of all CPUs at once, without a warm-up"
            }
            Self::Hyperfine => "the median time of a command, its start and end included",
            Self::Sel4bench => {
                "the median of the cycle counter's readings, less the tool's own overhead; a figure of sel4bench that is no \
                 number is left out"
            }
            Self::Memtest => {
                "a test's time on the tool's own clock, in tenths of a second; no speed of memory"
            }
            Self::Kevlar => {
                "one mean of one loop by the guest's own clock; nothing shows the work, the spread or the host"
            }
        }
    }

    /// Whether some of its figures can be about the same quantity as a row of ours.
    #[must_use]
    pub const fn has_rows_of_ours(self) -> bool {
        matches!(self, Self::KvmUnitTests | Self::Kevlar)
    }
}

/// What a foreign figure is in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Ticks of the TSC.
    Ticks,
    /// The tool's cycle counter.
    Cycles,
    /// Seconds.
    Seconds,
    /// Nanoseconds.
    Nanos,
}

impl Unit {
    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ticks => "ticks",
            Self::Cycles => "cycles",
            Self::Seconds => "s",
            Self::Nanos => "ns",
        }
    }
}

/// A row of ours that is about the same quantity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Beside {
    /// The row.
    pub row: SeriesRow,
    /// Its argument.
    pub arg: u64,
    /// In what the foreign figure is not the row's; empty if only the sampling differs.
    pub differs: &'static str,
}

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The tool's own name for it.
    pub name: String,
    /// The figure; `None` if the tool has skipped it.
    pub value: Option<f64>,
    /// What it is in.
    pub unit: Unit,
    /// Of how many samples it is, as the tool says; 1 if it says nothing.
    pub samples: u64,
    /// What the tool says of it besides; empty if nothing.
    pub note: String,
    /// Our row, if there is one.
    pub beside: Option<Beside>,
}

/// The figures of one run of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The tool.
    pub tool: Tool,
    /// The file that they were read from.
    pub path: PathBuf,
    /// The figures, in the order in which they were printed.
    pub all: Vec<Figure>,
}

/// Why a file has no figures to show.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// The option is not `TOOL=FILE`.
    #[error("expected TOOL=FILE with one of the tools {}, found {given}", words())]
    Option {
        /// What was given.
        given: String,
    },
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing in it is a figure of the tool.
    #[error("{}: has no figure of {tool}", path.display())]
    Nothing {
        /// The file.
        path: PathBuf,
        /// The tool's word.
        tool: &'static str,
    },
    /// It is not of the tool's form.
    #[error("{}: is no output of {tool}: {detail}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// The tool's word.
        tool: &'static str,
        /// Why.
        detail: String,
    },
    /// A figure that cannot be.
    #[error("{}:{line}: {name}: {detail}", path.display())]
    Figure {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The figure's name.
        name: String,
        /// What is wrong with it.
        detail: &'static str,
    },
}

fn words() -> String {
    Tool::WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
}

impl Figures {
    /// Reads what `option` names: `kvm-unit-tests=FILE`.
    ///
    /// # Errors
    /// The option names no tool, the file cannot be read, or it has no figures or impossible ones.
    pub fn load(option: &str) -> Result<Self, ForeignError> {
        let wrong = || ForeignError::Option { given: option.to_owned() };
        let (word, path) = option.split_once('=').ok_or_else(wrong)?;
        let (_, tool) = Tool::WORDS.iter().find(|(known, _)| *known == word).ok_or_else(wrong)?;
        let path = PathBuf::from(path);
        // Consoles add bytes that are no text.
        let bytes =
            std::fs::read(&path).map_err(|source| ForeignError::Read { path: path.clone(), source })?;
        Self::parse(*tool, &path, &String::from_utf8_lossy(&bytes))
    }

    /// Reads the text of a tool, which came from `path`; the path is only named.
    ///
    /// # Errors
    /// It has no figures, or impossible ones.
    pub fn parse(tool: Tool, path: &Path, text: &str) -> Result<Self, ForeignError> {
        let all = match tool {
            Tool::KvmUnitTests => vmexit::read(path, text)?,
            Tool::Hyperfine => hyperfine::read(path, text)?,
            Tool::Sel4bench => sel4bench::read(path, text)?,
            Tool::Memtest => memtest::read(path, text)?,
            Tool::Kevlar => kevlar::read(path, text)?,
        };
        if all.is_empty() {
            return Err(ForeignError::Nothing { path: path.to_owned(), tool: tool.word() });
        }
        Ok(Self { tool, path: path.to_owned(), all })
    }
}
