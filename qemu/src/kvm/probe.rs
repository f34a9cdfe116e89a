//! A guest of one virtual CPU that runs three instructions.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use host::process::{Capture, Captured, End, Process};

use super::KvmProblem;

/// What the guest's CPU runs first, 16 bytes below 4 GiB (Intel SDM vol. 3A, "First Instruction Executed"):
/// `mov al, 0x10; out 0xf4, al; hlt`.
const AT_RESET: [u8; 5] = [0xb0, 0x10, 0xe6, 0xf4, 0xf4];
const RESET_FROM_END: usize = 16;
/// The least firmware that QEMU takes.
const ROM_BYTES: usize = 64 << 10;
/// QEMU's exit code for that value at the debug exit: twice the value and one.
const RAN: i32 = 0x10 * 2 + 1;
/// A start takes some 0.1 s; as a guest of a guest on an emulated CPU, on a busy machine, 5 s.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts a virtual CPU of this model under KVM.
///
/// # Errors
/// It does not run.
pub fn start_one_vcpu(qemu: &Path, cpu_model: &str) -> Result<(), KvmProblem> {
    run(qemu, cpu_model, PATIENCE).map_err(|detail| KvmProblem::Broken { detail })
}

fn run(qemu: &Path, cpu_model: &str, patience: Duration) -> Result<(), String> {
    const MACHINE: &str = "-nodefaults -no-user-config -no-reboot -display none -machine q35 -accel kvm -smp 1 -m 16 \
                           -device isa-debug-exit,iobase=0xf4,iosize=0x04";
    let folder = tempfile::tempdir().map_err(|error| format!("a folder for its firmware: {error}"))?;
    let firmware = folder.path().join("firmware");
    fs::write(&firmware, rom()).map_err(|error| format!("its firmware: {error}"))?;
    let mut command = Command::new(qemu);
    command.args(MACHINE.split_whitespace()).args(["-cpu", cpu_model]).arg("-bios").arg(&firmware);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let process = Process::spawn(&mut command).map_err(|error| format!("{}: {error}", qemu.display()))?;
    let capture = Capture { deadline: patience, limit_bytes: 0, cancel: None };
    let captured = capture.run(process, &mut |_, _| ()).map_err(|error| error.to_string())?;
    match captured.end {
        End::Itself(status) if status.code() == Some(RAN) => Ok(()),
        End::Itself(status) => Err(format!("QEMU ended with {status}{}", said(&captured))),
        _ => Err(format!(
            "it had not run its first instructions after {} s{}",
            patience.as_secs(),
            said(&captured)
        )),
    }
}

fn rom() -> Vec<u8> {
    let mut rom = vec![0xff; ROM_BYTES];
    let reset = ROM_BYTES - RESET_FROM_END;
    rom[reset..reset + AT_RESET.len()].copy_from_slice(&AT_RESET);
    rom
}

/// The last line of QEMU's messages.
fn said(captured: &Captured) -> String {
    let last = captured.stderr.trim().lines().last().unwrap_or_default();
    if last.is_empty() { String::new() } else { format!(": {last}") }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;

    /// A script in QEMU's place.
    fn with(script: &str, patience: Duration) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        run(&program(&folder, script), "host", patience)
    }

    /// A script, written by another program: a file that this one has open for writing cannot be run.
    fn program(folder: &TempDir, script: &str) -> PathBuf {
        let write = r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod +x "$0""#;
        let path = folder.path().join("qemu");
        let status = Command::new("sh").args(["-c", write]).arg(&path).arg(script).status().unwrap();
        assert!(status.success());
        path
    }

    const AMPLE: Duration = Duration::from_secs(60);

    #[test]
    fn believes_only_the_guests_own_exit() {
        assert_eq!(with("exit 33", AMPLE), Ok(()));
        assert_eq!(with("exit 0", AMPLE), Err("QEMU ended with exit status: 0".to_owned()));
    }

    #[test]
    fn names_what_qemu_said_and_how_it_ended() {
        let refused = with("echo first >&2; echo 'failed to set MSR 0x10a' >&2; exit 1", AMPLE);
        assert_eq!(refused, Err("QEMU ended with exit status: 1: failed to set MSR 0x10a".to_owned()));
        let aborted = with("kill -ABRT $$", AMPLE).unwrap_err();
        assert!(aborted.starts_with("QEMU ended with signal: 6"), "{aborted}");
        let hangs = with("sleep 100", Duration::from_secs(1));
        assert_eq!(hangs, Err("it had not run its first instructions after 1 s".to_owned()));
        let missing = run(Path::new("/nowhere/qemu"), "host", AMPLE).unwrap_err();
        assert!(missing.starts_with("/nowhere/qemu: "), "{missing}");
    }

    /// The same guest by the translator, which every host has.
    #[test]
    fn the_firmware_ends_by_the_debug_exit() {
        let folder = tempfile::tempdir().unwrap();
        let script = "for word; do shift; [ \"$word\" = kvm ] && word=tcg; [ \"$word\" = host ] && word=max; \
                      set -- \"$@\" \"$word\"; done\nexec qemu-system-x86_64 \"$@\"\n";
        assert_eq!(run(&program(&folder, script), "host", AMPLE), Ok(()));
    }
}
