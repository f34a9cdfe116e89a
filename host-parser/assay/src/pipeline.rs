//! What a pipeline reads of a command's end: tests as JUnit XML or KTAP in a file, annotations and a step's summary on GitHub.
//!
//! Every ending has tests, also one before anything was measured: a pipeline must not take a missing file for success.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use export::{Check, Outcome, Suite, annotations, junit, ktap, step_summary};
use lab::{Coded, Exit, OrExit, console};
use results::write_atomically;

use crate::ending::Ending;

/// The options of commands that a pipeline runs.
#[derive(Args, Clone, Debug, Default)]
pub struct PipelineArgs {
    /// Write the ending as JUnit XML, whatever it is
    #[arg(long, value_name = "FILE", help_heading = "For pipelines")]
    pub junit: Option<PathBuf>,
    /// Write the ending as KTAP, whatever it is
    #[arg(long, value_name = "FILE", help_heading = "For pipelines")]
    pub ktap: Option<PathBuf>,
    /// Annotate a GitHub workflow, and add to the step's summary
    ///
    /// The annotations are workflow commands on standard error; the summary goes to the file that GITHUB_STEP_SUMMARY names,
    /// if that is set.
    #[arg(long, help_heading = "For pipelines")]
    pub github: bool,
}

impl PipelineArgs {
    /// Writes what the options ask for. `error` is what ended the command, `text` what it answered, for a person.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(
        &self,
        command: &str,
        ending: &Ending,
        error: Option<&Coded>,
        next: Option<&str>,
        text: &str,
    ) -> Result<(), Coded> {
        let suites = [ending.suite.clone().unwrap_or_else(|| suite(command, ending, error))];
        if let Some(path) = &self.junit {
            write_atomically(path, |out| out.write_all(junit(&suites).as_bytes())).or_exit(Exit::Output)?;
        }
        if let Some(path) = &self.ktap {
            write_atomically(path, |out| out.write_all(ktap(&suites).as_bytes())).or_exit(Exit::Output)?;
        }
        if self.github {
            console::note(annotations(&suites, next).trim_end());
            if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
                append(Path::new(&path), &step_summary(&suites, text, next))?;
            }
        }
        Ok(())
    }
}

/// Adds to a file: the steps of a job may have one summary together.
fn append(path: &Path, text: &str) -> Result<(), Coded> {
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| path.display().to_string())
        .or_exit(Exit::Output)
}

/// An ending without tests of its own as one test: did the command do what it was to do?
fn suite(command: &str, ending: &Ending, error: Option<&Coded>) -> Suite {
    let code = ending.reason.map_or(ending.exit.word(), |reason| reason.code()).to_owned();
    let detail = error.map_or_else(|| ending.exit.meaning().to_owned(), ToString::to_string);
    let outcome = match ending.exit {
        Exit::Holds => Outcome::Passed,
        Exit::DoesNotHold | Exit::GateExceeded | Exit::Failed => Outcome::Failed(code, detail),
        Exit::Busy
        | Exit::Inconclusive
        | Exit::Unsupported
        | Exit::HoldsUndisturbed
        | Exit::WithinBoot
        | Exit::Interrupted => Outcome::Skipped(code, detail),
        Exit::Usage
        | Exit::Invalid
        | Exit::BadInput
        | Exit::Environment
        | Exit::Output
        | Exit::NotVerified => Outcome::Error(code, detail),
    };
    Suite::named(format!("assay {command}"), vec![Check { name: "ended".to_owned(), outcome }])
}
