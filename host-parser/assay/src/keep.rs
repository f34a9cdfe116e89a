//! `assay history`, which the program `assay-keep` answers: it stands on SQLite, which a first measurement does not wait
//! for.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, anyhow};
use clap::Args;
use lab::{Coded, Exit, OrExit, Places, console};
use serde_json::Value;

use crate::ending::{Ending, Next};

/// The words of a command that another program answers.
#[derive(Args, Debug)]
pub struct Words {
    /// What `assay-keep` takes: `assay history --help` shows it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORD")]
    words: Vec<OsString>,
}

impl Words {
    /// Whether they ask for JSON. Our own option stands before them, so this one is taken out.
    pub fn take_json(&mut self) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != "--json");
        self.words.len() < before
    }
}

/// Has `assay-keep` answer.
///
/// # Errors
/// It is not built, or what it prints cannot be read.
pub fn run(name: &str, args: &Words) -> Result<Ending, Coded> {
    let for_a_program = console::is_for_a_program();
    let mut command = command()?;
    command.arg(name).args(&args.words);
    if for_a_program {
        command.arg("--json");
    }
    let stdout = if for_a_program { Stdio::piped() } else { Stdio::inherit() };
    let child = command.stdout(stdout).spawn().and_then(std::process::Child::wait_with_output);
    let output = child.context("assay-keep").or_exit(Exit::Environment)?;
    let exit = exit_of(output.status);
    if for_a_program {
        if exit != Exit::Holds {
            return Err(anyhow!("{name}: see standard error")).or_exit(exit);
        }
        let answer: Value =
            serde_json::from_slice(&output.stdout).context("assay-keep").or_exit(Exit::Environment)?;
        console::data(name, &answer)?;
    }
    // It says itself what is next.
    Ok(Ending { next: Next::NoLine, ..Ending::from(exit) })
}

/// Adds a session that was just written to the index, if `assay-keep` is built. The index can be made again from the
/// sessions, so that nothing is lost if it cannot be written: that is said, and is no fault of the run.
pub fn add(out: &Path, session: &Path) {
    let Ok(mut command) = command() else { return };
    let added = command
        .args(["history", "add", "--out"])
        .arg(out)
        .arg("--")
        .arg(session)
        .stdout(Stdio::null())
        .status();
    if !added.is_ok_and(|status| status.success()) {
        console::note("assay: the session is not in the history; `assay history rebuild` makes it again");
    }
}

fn command() -> Result<Command, Coded> {
    let program = Places::here().keep();
    if !program.is_file() {
        let error = anyhow!("{}: no such program; `make keep` builds it", program.display());
        return Err(error).or_exit(Exit::Environment);
    }
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    Ok(command)
}

fn exit_of(status: ExitStatus) -> Exit {
    let of_code = |code: i32| Exit::ALL.iter().copied().find(|&exit| i32::from(exit as u8) == code);
    status.code().and_then(of_code).unwrap_or(Exit::Environment)
}
