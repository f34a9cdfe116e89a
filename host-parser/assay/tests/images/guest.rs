//! Boots guests by a plain QEMU command line, so that QEMU opens each format as a user's host would.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use abi::exit::GuestExit;
use evidence::gate::{Ended, Gate, HostEvidence, Measurement, RunExpectation};
use evidence::transcript::Transcript;
use qemu::{AcceleratorChoice, UefiFirmware};

use crate::assay::finish;

/// A guest that has not ended by then hangs. The slowest, UEFI's network boot, needs a sixth of this.
const DEADLINE: Duration = Duration::from_secs(120);
/// CPUs of every guest, enough for both cases of the small experiment.
const CPUS: u16 = 2;

/// Boots from `firmware` with these arguments of QEMU, and returns the measurement. The records must name that
/// firmware.
#[track_caller]
pub fn boot(firmware: &str, args: &[&str]) -> Measurement {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("serial.log");
    let mut qemu = Command::new("qemu-system-x86_64");
    let accelerator = AcceleratorChoice::detect().accelerator;
    let model = qemu::default_cpu_model(accelerator);
    qemu.args([
        "-nodefaults",
        "-no-reboot",
        "-display",
        "none",
        "-machine",
        "q35",
        "-m",
        "128",
        "-vga",
        "std",
    ]);
    qemu.args(["-accel", &accelerator.to_string(), "-cpu", model, "-smp", &CPUS.to_string()]);
    qemu.args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]);
    qemu.arg("-serial").arg(format!("file:{}", log.display()));
    if firmware == "uefi" {
        let uefi = UefiFirmware::find(None).unwrap();
        match &uefi.vars {
            None => qemu.arg("-bios").arg(&uefi.code),
            Some(vars) => {
                qemu.arg("-drive").arg(flash(0, &uefi.code, "readonly=on"));
                qemu.arg("-drive").arg(flash(1, vars, "snapshot=on"))
            }
        };
    }
    let child = qemu.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let said = finish(child.unwrap(), DEADLINE);
    let log = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&log);
    // The exit status that isa-debug-exit makes of the value.
    let success = i32::from(GuestExit::Success.value()) << 1 | 1;
    assert_eq!(said.code, Some(success), "{args:?}\n{}\n{text}", said.err);
    // With one host core, the run is functional-only: it passes on a host of any load.
    let evidence = HostEvidence {
        ended: Ended::DebugExit { value: GuestExit::Success.value() },
        vcpus: Some(CPUS),
        host_cpus: Some(1),
        ..HostEvidence::default()
    };
    let verdict = Gate::default().judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
    let measured = verdict.outcome.measurement().cloned();
    let measured = measured.unwrap_or_else(|| panic!("{args:?}: {:?}\n{text}", verdict.findings));
    assert_eq!(measured.machine().firmware.word(), firmware, "{args:?}");
    measured
}

/// The `-drive` value of a flash device.
fn flash(unit: u8, path: &Path, how: &str) -> String {
    format!("if=pflash,unit={unit},format=raw,{how},file={}", path.display())
}
