//! `assay dev nested`: runs a command in a Linux guest that has KVM, by an emulated SVM, on a machine that has none.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use lab::{Coded, Exit, OrExit, console, nested};
use qemu::nested::{L1End, L1Spec};

/// `assay dev nested`.
#[derive(Args, Debug)]
pub struct NestedArgs {
    /// Program to take into the guest besides the build's products, with its libraries
    #[arg(long, value_name = "PROGRAM")]
    pub program: Vec<PathBuf>,
    /// File or folder to take into the guest
    #[arg(long, value_name = "PATH")]
    pub file: Vec<PathBuf>,
    /// Environment variable of the command
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub env: Vec<(String, String)>,
    /// Longest time for the command, in seconds
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub deadline: u64,
    /// QEMU, for the guest and for the guests in it; by default qemu-system-x86_64 in PATH
    #[arg(long, value_name = "PROGRAM", env = "ASSAY_QEMU")]
    pub qemu: Option<PathBuf>,
    /// Command, started in this folder: a program by its path, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Runs the command in the guest and prints its output.
///
/// # Errors
/// The guest cannot be made, or it did not run the command.
pub fn run(args: &NestedArgs) -> Result<Exit, Coded> {
    let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;
    let here = std::env::current_dir().or_exit(Exit::Environment)?;
    let mut tree = nested::products(&here).or_exit(Exit::Environment)?;
    for program in &args.program {
        tree.add_program(program).or_exit(Exit::Environment)?;
    }
    for path in &args.file {
        if path.is_dir() { tree.add_all_of(path).or_exit(Exit::Environment)? } else { tree.add(path) }
    }
    let l1 = nested::l1(&here, args.qemu.as_deref(), tree)?;
    let mut program = args.command.clone();
    if let Ok(path) = std::path::absolute(Path::new(&program[0])) {
        program[0] = path.to_string_lossy().into_owned();
    }
    let spec = L1Spec {
        program,
        folder: &here,
        variables: args.env.clone(),
        deadline: Duration::from_secs(args.deadline),
        initramfs: &here.join(format!("target/l1-{}.cpio", std::process::id())),
    };
    let mut on_line = |line: &str| {
        // Nothing is lost but output if the reader of this program's has gone.
        let _ = console::answer(&format!("{line}\n"));
    };
    let mut on_break = |why: &str| console::note(&format!("L1 broke: {why}; starting it once more"));
    let end = l1.run_with_retry(&spec, &cancel, &mut on_line, &mut on_break).or_exit(Exit::Environment)?;
    match end {
        L1End::Ended(0) => Ok(Exit::Holds),
        L1End::Ended(code) => {
            console::note(&format!("the command's exit code is {code}"));
            Ok(Exit::DoesNotHold)
        }
        L1End::Deadline => {
            console::note(&format!("the command had not ended after {} s", args.deadline));
            Ok(Exit::DoesNotHold)
        }
        L1End::Cancelled => Ok(Exit::Interrupted),
        L1End::Failed(why) => Err(anyhow!("in the L1 guest: {why}")).or_exit(Exit::Environment),
        L1End::Broken(why) => Err(anyhow!("the L1 guest broke twice: {why}")).or_exit(Exit::Environment),
    }
}

fn variable(word: &str) -> Result<(String, String), String> {
    let (name, value) = word.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
