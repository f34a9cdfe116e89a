//! The virtual machine monitors: what each is called, where it is found, and how a run is conducted with it.
//!
//! [`Control`] is the seam. A run ([`GuestProcess`]) owns what all of them have in common: the process, its streams, the
//! serial log, deadlines, pinning, the record. A VMM's module has what is its own: the command line, what it reports on its
//! control channel, how a guest is started, and what its exit status means.

pub(crate) mod cloud_hypervisor;
mod find;
pub(crate) mod firecracker;
mod kind;
mod machine;
pub(crate) mod qemu;
mod snapshot;
pub(crate) mod threads;

use std::convert::Infallible;
use std::process::ExitStatus;

use crate::guest_process::{GuestProcess, Stop};
use crate::{CpuState, Outcome, Phase, QemuError, Version};

pub use find::Vmm;
pub use kind::VmmKind;

/// A VMM's side of a run: what comes from it on its control channel, which is the far end of its standard input, and
/// what the program does with it.
pub(crate) trait Control: Sized {
    /// Before the VMM was started.
    fn new() -> Self;

    /// Takes a guest from its VMM's start to its end. Returns only when the run stops.
    fn conduct(guest: &mut GuestProcess<'_, Self>) -> Result<Infallible, Stop>;

    /// Takes the next bytes of the control channel.
    fn receive(&mut self, bytes: &[u8]) -> Result<(), QemuError>;

    /// Returns the outcome of a run whose VMM ended by itself, with this status, after it had printed `stderr`.
    fn classify(&self, phase: Phase, status: ExitStatus, stderr: &str) -> Outcome;

    /// The registers of a guest whose VMM is about to be killed; empty if they cannot be had.
    fn registers(_guest: &mut GuestProcess<'_, Self>) -> Vec<CpuState> {
        Vec::new()
    }

    /// Asks the VMM to end. It need not have ended when this returns.
    fn ask_to_end(guest: &mut GuestProcess<'_, Self>) {
        guest.terminate();
    }

    /// The VMM's version, if it named it on the control channel.
    fn version(&self) -> Option<Version> {
        None
    }

    /// The events that it reported, one raw JSON text each, in order.
    fn into_events(self) -> Vec<String>;
}

/// The end of what a VMM printed on its standard error, which usually has the reason for its end.
pub(crate) fn last_lines(stderr: &str) -> String {
    const LINES: usize = 10;
    let lines: Vec<&str> = stderr.trim().lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines_of_stderr() {
        let stderr: String = (0..20).map(|n| format!("line {n}\n")).collect();
        let kept = last_lines(&stderr);
        assert!(kept.starts_with("line 10\n") && kept.ends_with("line 19"), "{kept}");
    }
}
