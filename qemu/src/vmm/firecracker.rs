//! A run under Firecracker: no control channel, no stop before the first instruction, a configuration in a file.
//!
//! Its configuration is `--config-file` (docs/getting-started.md in its sources), without the API's socket. Its log goes
//! to its standard error, so that the guest's serial port is alone on standard output. A guest ends it by a reset
//! through the keyboard controller (`CMD_RESET_CPU` in devices/legacy/i8042.rs): there is no ACPI S5. The exit codes
//! are `FcExitCode` in its vmm/src/lib.rs.

use std::convert::Infallible;
use std::path::Path;
use std::process::ExitStatus;

use serde_json::json;

use super::{Control, last_lines, machine};
use crate::command::{CommandLine, Given, absolute};
use crate::guest_process::{GuestProcess, Stop};
use crate::{BootMedium, GuestSpec, Outcome, Phase, QemuError, VmmKind};

/// The names of its vCPU threads, before the number: `start_threaded` in its vstate/vcpu.rs.
const THREADS: &str = "fc_vcpu ";

/// KVM_EXIT_SHUTDOWN, the end of a triple fault, in the words of 1.17 and of earlier versions.
const TRIPLE_FAULT: [&str; 2] = ["Unexpected exit reason on vcpu run: Shutdown", "KVM_EXIT_SHUTDOWN"];
/// What KVM could not go on with.
const KVM_FAILED: [&str; 3] =
    ["KVM_EXIT_INTERNAL_ERROR", "KVM_EXIT_FAIL_ENTRY", "Unexpected exit reason on vcpu run: "];

/// Firecracker's side of a run: it says nothing.
#[derive(Debug)]
pub(crate) struct Firecracker;

impl Control for Firecracker {
    fn new() -> Self {
        Self
    }

    fn conduct(guest: &mut GuestProcess<'_, Self>) -> Result<Infallible, Stop> {
        guest.pin_named(THREADS)?;
        loop {
            guest.wait()?;
        }
    }

    fn receive(&mut self, _: &[u8]) -> Result<(), QemuError> {
        Ok(())
    }

    fn classify(&self, phase: Phase, status: ExitStatus, stderr: &str) -> Outcome {
        let line = |texts: &[&str]| stderr.lines().find(|line| texts.iter().any(|text| line.contains(text)));
        if line(&TRIPLE_FAULT).is_some() {
            return Outcome::TripleFault;
        }
        match (status.code(), line(&KVM_FAILED)) {
            (Some(1), Some(failure)) => Outcome::InternalError { status: failure.to_owned() },
            // Its exit code alone: a guest may reset before this program has found its threads.
            (Some(0), _) => Outcome::GuestReset,
            _ => Outcome::QemuDied { status: status.to_string(), stderr_tail: last_lines(stderr), phase },
        }
    }

    fn into_events(self) -> Vec<String> {
        Vec::new()
    }
}

/// The command line, and the configuration that it names.
///
/// # Errors
/// [`QemuError::Option`] if Firecracker cannot run this guest.
pub(crate) fn command(spec: &GuestSpec) -> Result<CommandLine, QemuError> {
    machine::check(VmmKind::Firecracker, spec)?;
    let mut source = serde_json::Map::new();
    if let BootMedium::Kernel { kernel, initrd, append } = &spec.boot {
        source.insert("kernel_image_path".to_owned(), text("kernel", kernel)?.into());
        if let Some(initrd) = initrd {
            source.insert("initrd_path".to_owned(), text("initrd", initrd)?.into());
        }
        source.insert("boot_args".to_owned(), append.as_str().into());
    }
    let configuration = json!({
        "boot-source": source,
        "drives": [],
        "machine-config": {
            "vcpu_count": spec.machine.vcpus,
            "mem_size_mib": spec.machine.memory_mib,
            "smt": false,
        },
    });
    let path = absolute(&spec.serial_log.with_extension("firecracker.json"));
    let mut line = CommandLine::of(&spec.vmm.path);
    line.words(&["--no-api", "--config-file"]);
    line.word(&path);
    line.words(&["--log-path", "/dev/stderr"]);
    line.given = Some(Given { path, content: format!("{configuration:#}\n") });
    Ok(line)
}

/// A path as JSON has it.
fn text(option: &'static str, path: &Path) -> Result<String, QemuError> {
    let path = absolute(path);
    path.to_str().map(str::to_owned).ok_or_else(|| QemuError::Option {
        option,
        value: path.display().to_string(),
        expected: "a path in UTF-8, for Firecracker's configuration",
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn classify(code: i32, stderr: &str) -> Outcome {
        Firecracker.classify(Phase::Guest, ExitStatus::from_raw(code << 8), stderr)
    }

    // Lines of Firecracker's log, without their dates.
    const EXITING: &str = "[anonymous-instance:main] Firecracker exiting successfully. exit_code=0";
    const TRIPLE_1_17: &str = "[anonymous-instance:fc_vcpu 0] Unexpected exit reason on vcpu run: Shutdown\n\
         [anonymous-instance:main] Firecracker exiting with error. exit_code=1";

    #[test]
    fn a_reset_is_no_triple_fault() {
        assert_eq!(classify(0, EXITING), Outcome::GuestReset);
        assert_eq!(classify(1, TRIPLE_1_17), Outcome::TripleFault);
        let earlier = format!("[fc_vcpu 0] Received KVM_EXIT_SHUTDOWN signal\n{EXITING}");
        assert_eq!(classify(0, &earlier), Outcome::TripleFault);
    }

    #[test]
    fn never_takes_its_own_failure_for_an_end_of_the_guest() {
        for (code, stderr) in [(1, ""), (148, ""), (152, "Configuration for VMM from one single json failed")]
        {
            assert!(matches!(classify(code, stderr), Outcome::QemuDied { .. }), "{code}");
        }
        let killed = Firecracker.classify(Phase::Guest, ExitStatus::from_raw(9), "");
        assert!(matches!(killed, Outcome::QemuDied { .. }), "{killed:?}");
        let failed = "[fc_vcpu 1] Received KVM_EXIT_INTERNAL_ERROR signal";
        assert_eq!(classify(1, failed), Outcome::InternalError { status: failed.to_owned() });
    }
}
