//! The exact mode: a guest whose run is the same, instruction by instruction, on every host.
//!
//! QEMU's translator counts instructions in one thread, and its clocks are that count: the TSC, the timers, the real-time
//! clock. The CPU has a model with a name, and there is one. Nothing comes from outside: no control channel, no disk, no
//! network. What is left is the guest itself. Two runs of the same files under the same QEMU print the same bytes at the
//! same instructions, however busy the host is. The caller compares two runs, and does not take that on trust.
//!
//! Without a control channel, QEMU's status and its replay log have to do: see [`ExactRun::classify`].

mod replay_log;

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use serde::Serialize;

pub use replay_log::{ReplayLog, ReplayLogError};

use crate::classify::Evidence;
use crate::command::CommandLine;
use crate::guest_process::{GuestProcess, Stop};
use crate::vmm::Control;
use crate::{Accelerator, MachineSpec, Outcome, Phase, QemuError};

/// The CPU model of the exact mode: old enough that every QEMU has it, and that a kernel finds nothing in it that depends on
/// the host.
pub const EXACT_CPU_MODEL: &str = "qemu64";

/// Models whose features depend on QEMU's version or on the host.
const UNNAMED: [&str; 3] = ["max", "host", "base"];

/// The real-time clock begins here and follows the guest's own clock. Random numbers come from a seed.
const REPEATABLE: [&str; 4] = ["-rtc", "base=2026-01-01T00:00:00,clock=vm", "-seed", "1"];

/// The serial port. A character device that is named by `-chardev` is not part of the replay log.
pub(crate) const EXACT_SERIAL: [&str; 2] = ["-serial", "file:/dev/stdout"];

/// The settings of the exact mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExactMode {
    /// The file for QEMU's replay log. It is created or truncated.
    pub replay_log: PathBuf,
}

impl ExactMode {
    /// Checks that `machine` can run in this mode.
    ///
    /// # Errors
    /// [`QemuError::Option`] names what depends on the host.
    pub(crate) fn check(machine: &MachineSpec, accelerator: Accelerator) -> Result<(), QemuError> {
        let refuse = |option, value: String, expected| Err(QemuError::Option { option, value, expected });
        if accelerator != Accelerator::Tcg {
            return refuse(
                "exact",
                format!("under {accelerator}"),
                "tcg: only the translator counts instructions",
            );
        }
        if machine.vcpus != 1 {
            let expected = "1 in the exact mode: the order in which CPUs take turns depends on the host";
            return refuse("vcpus", machine.vcpus.to_string(), expected);
        }
        let model = machine.cpu_model.as_deref().unwrap_or("max");
        if UNNAMED.contains(&model.split(',').next().unwrap_or_default()) {
            let expected =
                "a model with a name in the exact mode: this one follows QEMU's version or the host";
            return refuse("cpu-model", model.to_owned(), expected);
        }
        let outside = machine.debugger.is_some() || !machine.extra_args.is_empty();
        if outside || machine.hold_at_end || !machine.serial {
            let value = "a debugger, further arguments, a hold at the end, or no serial port".to_owned();
            return refuse("exact", value, "none of them");
        }
        Ok(())
    }

    /// Adds this mode's arguments: how instructions are counted, and what else must repeat.
    pub(crate) fn arguments(&self, line: &mut CommandLine) {
        line.option("-icount", "shift=0,sleep=off,rr=record,rrfile=", &self.replay_log);
        line.words(&REPEATABLE);
    }

    /// The CPU model with what depends on nothing: with ERMS a kernel would clear pages by `rep stosb`, of which QEMU counts
    /// each byte, and page-clearing would be all that counts.
    #[must_use]
    pub fn model(name: &str) -> String {
        format!("{name},-erms")
    }

    /// Reads the log of a run that has ended.
    ///
    /// # Errors
    /// The file cannot be read, or is no whole log.
    pub fn read(log: &Path) -> Result<ReplayLog, QemuError> {
        let failed = |detail: String| QemuError::ReplayLog { path: log.to_owned(), detail };
        let bytes = fs::read(log).map_err(|source| failed(source.to_string()))?;
        ReplayLog::read(&bytes).map_err(|error| failed(error.to_string()))
    }
}

/// The control of a run in the exact mode: there is none.
#[derive(Debug, Default)]
pub(crate) struct ExactRun {
    replay_log: PathBuf,
}

impl Control for ExactRun {
    fn new() -> Self {
        Self::default()
    }

    fn conduct(guest: &mut GuestProcess<'_, Self>) -> Result<Infallible, Stop> {
        if let Some(exact) = &guest.spec.machine.exact {
            guest.control.replay_log.clone_from(&exact.replay_log);
        }
        // Nothing is pinned: no time is measured.
        guest.begin();
        loop {
            guest.wait()?;
        }
    }

    fn receive(&mut self, _: &[u8]) -> Result<(), QemuError> {
        Ok(())
    }

    /// QEMU's status names a debug exit. If it is 0, the guest has reset or shut down the machine: the second is in the
    /// replay log. A QEMU that a signal asks to end has status 0 as well, and counts as a reset.
    fn classify(&self, phase: Phase, status: ExitStatus, stderr: &str) -> Outcome {
        let mut evidence = Evidence::new();
        if status.success()
            && let Ok(log) = ExactMode::read(&self.replay_log)
        {
            let reason = if log.has_guest_shutdown() { "guest-shutdown" } else { "guest-reset" };
            evidence.shutdown_reason = Some(reason.to_owned());
        }
        evidence.classify(phase, status, stderr)
    }

    fn into_events(self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(vcpus: u32, model: Option<&str>) -> MachineSpec {
        let exact = Some(ExactMode { replay_log: "/tmp/replay".into() });
        MachineSpec { exact, cpu_model: model.map(str::to_owned), ..MachineSpec::q35(vcpus, 64) }
    }

    fn refused(machine: &MachineSpec, accelerator: Accelerator) -> Option<&'static str> {
        match machine.check(accelerator) {
            Err(QemuError::Option { option, .. }) => Some(option),
            _ => None,
        }
    }

    #[test]
    fn refuses_what_depends_on_the_host() {
        let one = machine(1, Some(EXACT_CPU_MODEL));
        assert_eq!(refused(&one, Accelerator::Tcg), None);
        assert_eq!(refused(&one, Accelerator::Kvm), Some("exact"));
        assert_eq!(refused(&machine(2, Some(EXACT_CPU_MODEL)), Accelerator::Tcg), Some("vcpus"));
        for model in [None, Some("max"), Some("max,-rdrand"), Some("host"), Some("base")] {
            assert_eq!(refused(&machine(1, model), Accelerator::Tcg), Some("cpu-model"), "{model:?}");
        }
        assert_eq!(refused(&machine(1, Some("Haswell")), Accelerator::Tcg), None);
        let debugged = MachineSpec { debugger: Some("/tmp/gdb".into()), ..one.clone() };
        let more = MachineSpec { extra_args: vec!["-s".to_owned()], ..one };
        for machine in [debugged, more] {
            assert_eq!(refused(&machine, Accelerator::Tcg), Some("exact"));
        }
    }
}
