//! The role as first process of a Linux guest, from its start to power-off.

use std::cell::OnceCell;
use std::fs;

use abi::exit::GuestExit;
use abi::wire::record::SystemName;
use rustix::mount::{MountFlags, mount};

use crate::clock::Stamp;
use crate::console::Console;
use crate::cpus::Roster;
use crate::linux::log;
use crate::run::{self, Cause, Ended, Setting};
use crate::{command, power, tuning};

/// The ramdisk's path in the initramfs.
const RAMDISK: &str = "/ramdisk.tar";

/// Runs the plan and ends the machine.
pub fn run(epoch: Stamp) -> ! {
    std::panic::set_hook(Box::new(|info| {
        eprintln!("{info}");
        power::off(GuestExit::Panic)
    }));
    // A file system that cannot be mounted is missed later, with a better message than is possible here.
    for (kind, at) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")] {
        let _ = mount(kind, at, kind, MountFlags::empty(), None);
    }
    // Linux's own messages would break into records.
    log::silence_console();
    let Ok(mut console) = Console::serial() else { power::off(GuestExit::Refused) };
    let setting = Setting {
        system: SystemName::Linux,
        epoch,
        ramdisk: fs::read(RAMDISK),
        roster: Roster::of_machine(),
        tuned: tuning::is_asked_for(),
        found: OnceCell::new(),
    };
    let Ended { exit, nonce } = run::all(&setting, Cause::Boot, &mut console);
    let exit = match power::stay() {
        Some(patience) => command::serve(&setting, &mut console, nonce, patience, exit),
        None => exit,
    };
    console.drain();
    power::off(exit)
}
