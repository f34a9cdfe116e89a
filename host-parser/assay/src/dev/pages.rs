//! `assay dev pages`: the manual pages and the completions, made from the command line's own definition.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Command, CommandFactory as _};
use clap_complete::{Shell, generate};
use clap_mangen::Man;
use lab::{Coded, Exit, OrExit};

use crate::cli::Cli;

/// The completions, as their shells look for them below PREFIX/share.
const SHELLS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions/assay"),
    (Shell::Zsh, "zsh/site-functions/_assay"),
    (Shell::Fish, "fish/vendor_completions.d/assay.fish"),
];

/// `assay dev pages`.
#[derive(Args, Debug)]
pub struct PagesArgs {
    /// The folder that is PREFIX/share
    pub share: PathBuf,
}

/// Writes a manual page for each command, and the completions.
///
/// # Errors
/// A file cannot be written.
pub fn run(args: &PagesArgs) -> Result<Exit, Coded> {
    // The same pages on every machine: no default that is a path of this machine.
    let mut command = Cli::command().mut_subcommands(without_paths);
    command.build();
    manual(&command, None, &args.share.join("man/man1"))?;
    for (shell, name) in SHELLS {
        let mut text = Vec::new();
        generate(shell, &mut command.clone(), "assay", &mut text);
        write(&args.share.join(name), &text)?;
    }
    Ok(Exit::Holds)
}

/// A command whose help does not show defaults that are paths: those depend on where it is started.
fn without_paths(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let is_path = arg.get_default_values().iter().any(|value| value.to_string_lossy().contains('/'));
        if is_path { arg.hide_default_value(true) } else { arg }
    });
    command.mut_subcommands(without_paths)
}

/// The page of a command, and those of the commands below it: assay.1, assay-run.1, assay-exact-check.1.
fn manual(command: &Command, above: Option<&str>, folder: &Path) -> Result<(), Coded> {
    let name = above
        .map_or_else(|| command.get_name().to_owned(), |above| format!("{above}-{}", command.get_name()));
    let mut page = Vec::new();
    let man = Man::new(command.clone()).title(name.to_uppercase()).section("1").date("").manual("Assay");
    man.render(&mut page).with_context(|| name.clone()).or_exit(Exit::Output)?;
    write(&folder.join(format!("{name}.1")), &page)?;
    let below =
        command.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help");
    below.into_iter().try_for_each(|below| manual(below, Some(&name), folder))
}

fn write(path: &Path, content: &[u8]) -> Result<(), Coded> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, content));
    written.with_context(|| path.display().to_string()).or_exit(Exit::Output)
}
