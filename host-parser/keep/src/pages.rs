//! The manual pages of these commands, for `make dist`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, CommandFactory as _};
use clap_mangen::Man;
use lab::{Coded, Exit, OrExit};

use crate::Cli;

/// `assay-keep pages`.
#[derive(Args, Debug)]
pub struct PagesArgs {
    /// The folder that is PREFIX/share
    share: PathBuf,
}

/// Writes assay-history.1 and the like.
///
/// # Errors
/// A file cannot be written.
pub fn run(args: &PagesArgs) -> Result<Exit, Coded> {
    let folder = args.share.join("man/man1");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
    // No default that is a path of this machine.
    let mut command = Cli::command().mut_subcommands(|of| {
        of.mut_args(|arg| arg.hide_default_value(true))
            .mut_subcommands(|of| of.mut_args(|arg| arg.hide_default_value(true)))
    });
    command.build();
    for command in command.get_subcommands().filter(|of| !of.is_hide_set() && of.get_name() != "help") {
        let name = format!("assay-{}", command.get_name());
        let man = Man::new(command.clone()).title(name.to_uppercase()).section("1").date("").manual("Assay");
        let mut page = Vec::new();
        man.render(&mut page).with_context(|| name.clone()).or_exit(Exit::Output)?;
        let path = folder.join(name + ".1");
        fs::write(&path, page).with_context(|| path.display().to_string()).or_exit(Exit::Output)?;
    }
    Ok(Exit::Holds)
}
