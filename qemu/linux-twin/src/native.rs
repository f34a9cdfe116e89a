//! The role as an ordinary program on the host: the ceiling for guests of that host.

use std::cell::OnceCell;
use std::fs;
use std::process::ExitCode;

use abi::exit::GuestExit;
use abi::wire::record::SystemName;

use crate::args::Args;
use crate::clock::Stamp;
use crate::console::Console;
use crate::cpus::Roster;
use crate::run::{self, Cause, Setting};

/// The exit code for a command line that is wrong.
pub const USAGE: u8 = 2;
/// The exit code for records that could not be written.
const OUTPUT: u8 = 1;

/// Runs the plan. The exit code is 0 on success, else the value that a guest would write to its exit device.
pub fn run(args: &Args, epoch: Stamp) -> ExitCode {
    let mut console = Console::standard();
    let setting = Setting {
        system: SystemName::Native,
        epoch,
        ramdisk: fs::read(&args.ramdisk),
        roster: Roster::of_list(args.cpus.as_deref()),
        tuned: false,
        found: OnceCell::new(),
    };
    match run::all(&setting, Cause::Boot, &mut console).exit {
        _ if console.failed() => ExitCode::from(OUTPUT),
        GuestExit::Success => ExitCode::SUCCESS,
        exit => ExitCode::from(exit.value()),
    }
}
