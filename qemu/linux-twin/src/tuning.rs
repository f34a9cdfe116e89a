//! The tuned guest: its command line leaves the workers' CPUs to them, and its workers are real-time threads.
//!
//! The command line is the host's (`qemu::linux`). This module does what only a process can do, and reports what is in
//! force, which the command line alone does not show.

use std::fs;
use std::io;

use abi::wire::record::{SchedulingClass, Tuning};
use abi::wire::{Label, Text};

use crate::linux::scheduler;

/// The word of the command line that asks for it. Linux ignores a word with a dot if it has no module of that name
/// (Documentation/admin-guide/kernel-parameters.rst).
const WORD: &str = "assay.tuned";

/// The priority of a worker.
const WORKER: i32 = 1;

/// The priority of this process. It is above the workers', so that one that waits for the others on the CPU of this
/// process does not keep it from starting them.
const STARTER: i32 = WORKER + 1;

/// Whether the command line asks for a tuned guest.
#[must_use]
pub fn is_asked_for() -> bool {
    let line = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    line.split_ascii_whitespace().any(|word| word == WORD)
}

/// Makes this process a real-time process, and lets such processes keep their CPU: by default Linux takes it from them
/// for 50 ms of each second (sched(7), "Limiting the CPU usage of real-time and deadline processes").
///
/// # Errors
/// Linux does not allow it.
pub fn begin() -> io::Result<()> {
    let_real_time_run()?;
    scheduler::become_fifo(STARTER)
}

/// Lets real-time processes keep their CPU for as long as they run.
///
/// # Errors
/// Linux does not allow it.
pub fn let_real_time_run() -> io::Result<()> {
    fs::write("/proc/sys/kernel/sched_rt_runtime_us", "-1")
}

/// Gives the calling process a worker's priority.
///
/// # Errors
/// Linux does not allow it.
pub fn become_worker() -> io::Result<()> {
    scheduler::become_fifo(WORKER)
}

/// What is in force.
#[must_use]
pub fn report() -> Tuning {
    Tuning {
        isolated: Text::new(&cpus("isolated")),
        nohz_full: Text::new(&cpus("nohz_full")),
        idle: idle_driver(),
        workers: SchedulingClass::Fifo,
    }
}

/// A list of CPUs in sysfs; empty for none, which the file of `nohz_full` calls `(null)`.
fn cpus(name: &str) -> String {
    let list = fs::read_to_string(format!("/sys/devices/system/cpu/{name}")).unwrap_or_default();
    list.trim().trim_start_matches("(null)").to_owned()
}

/// Without the idle subsystem there is no file.
fn idle_driver() -> Label {
    let name = fs::read_to_string("/sys/devices/system/cpu/cpuidle/current_driver").unwrap_or_default();
    Label::new(name.trim()).or_else(|| Label::new("none")).expect("`none` is a label")
}
