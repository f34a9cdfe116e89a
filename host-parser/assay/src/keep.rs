//! `assay history`, `assay fleet` and exports to Parquet, which the program `assay-keep` answers: it stands on SQLite and
//! Parquet, which a first measurement does not wait for.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, anyhow};
use clap::Args;
use lab::{Coded, Exit, OrExit, Places, console};
use serde::Deserialize;
use serde_json::Value;

use crate::ending::{Ending, Next};

/// The words of a command that another program answers.
#[derive(Args, Debug)]
pub struct Words {
    /// What `assay-keep` takes: `--help` after the command shows it
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

/// `assay history`: has `assay-keep` answer.
///
/// # Errors
/// It is not built, or what it prints cannot be read.
pub fn history(args: &Words) -> Result<Ending, Coded> {
    let (exit, answer) = ask("history", &args.words)?;
    if let Some(answer) = answer {
        console::data("history", &answer)?;
    }
    // It says itself what is next.
    Ok(Ending { next: Next::NoLine, ..Ending::from(exit) })
}

/// `assay fleet`, likewise.
///
/// # Errors
/// As of [`history`].
pub fn fleet(args: &Words) -> Result<Ending, Coded> {
    let (exit, answer) = ask("fleet", &args.words)?;
    take(answer)?;
    Ok(exit.into())
}

/// `assay export --format parquet`, likewise.
///
/// # Errors
/// As of [`history`].
pub fn export(of: &[PathBuf], out: &Path) -> Result<Exit, Coded> {
    let words = [OsStr::new("--out"), out.as_os_str(), OsStr::new("--")].map(OsStr::to_owned);
    let words: Vec<OsString> = words.into_iter().chain(of.iter().map(|path| path.clone().into())).collect();
    let (exit, answer) = ask("export", &words)?;
    take(answer)?;
    Ok(exit)
}

/// Answers with each part of an answer.
fn take(answer: Option<Value>) -> Result<(), Coded> {
    let Some(Value::Object(parts)) = answer else { return Ok(()) };
    parts.iter().try_for_each(|(name, part)| console::data(name, part))
}

/// What `assay-keep` found wrong, with the places in files.
#[derive(Debug, Deserialize)]
pub struct Relayed {
    message: String,
    /// In the form of the envelope.
    pub problems: Vec<Value>,
}

impl fmt::Display for Relayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Relayed {}

/// Has `assay-keep` answer a command: its exit, and for a program what it printed.
fn ask(name: &str, words: &[OsString]) -> Result<(Exit, Option<Value>), Coded> {
    let for_a_program = console::is_for_a_program();
    let mut command = command()?;
    command.arg(name);
    if for_a_program {
        command.arg("--json");
    }
    command.args(words);
    let stdout = if for_a_program { Stdio::piped() } else { Stdio::inherit() };
    let child = command.stdout(stdout).spawn().and_then(std::process::Child::wait_with_output);
    let output = child.context("assay-keep").or_exit(Exit::Environment)?;
    let exit = exit_of(output.status);
    if !for_a_program {
        return Ok((exit, None));
    }
    match serde_json::from_slice::<Value>(&output.stdout) {
        Ok(mut answer) => match answer.get_mut("error").map(Value::take) {
            None => Ok((exit, Some(answer))),
            Some(error) => {
                let relayed: Relayed =
                    serde_json::from_value(error).context("assay-keep").or_exit(Exit::Environment)?;
                Err(relayed).or_exit(exit)
            }
        },
        Err(_) if exit != Exit::Holds => Err(anyhow!("{name}: see standard error")).or_exit(exit),
        Err(error) => Err(error).context("assay-keep").or_exit(Exit::Environment),
    }
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
