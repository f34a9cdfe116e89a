//! Runs a kernel several times in QEMU's exact mode, and refuses boots that are not all the same.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use exact::{Printed, Subject};
use host::CancelToken;
use lab::{Coded, Exit, OrExit};
use qemu::exact::{ExactMode, ReplayLog};
use qemu::{
    Accelerator, AcceleratorChoice, BootMedium, GuestSpec, MachineSpec, Outcome, Qemu, QemuError, Vga,
};

use super::args::ExactRunArgs;

/// The boots of a kernel, all of them the same.
pub struct Boots {
    /// What each printed.
    pub log: Vec<u8>,
    /// When, in instructions.
    pub counts: ReplayLog,
    /// How each ended.
    pub outcome: Outcome,
}

/// Where a kernel is run: QEMU, the machine, a folder for logs.
pub struct Guest<'a> {
    args: &'a ExactRunArgs,
    qemu: Qemu,
    memory_mib: u32,
    cancel: CancelToken,
    folder: tempfile::TempDir,
}

impl<'a> Guest<'a> {
    /// A guest of this much memory.
    ///
    /// # Errors
    /// There is no QEMU, or no folder for its logs.
    pub fn new(args: &'a ExactRunArgs, memory_mib: u32) -> Result<Self, Coded> {
        let named = args.qemu.as_deref().filter(|path| !path.as_os_str().is_empty());
        let qemu = Qemu::find(named).or_exit(Exit::Environment)?;
        let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;
        let folder = tempfile::tempdir().context("a folder for logs").or_exit(Exit::Output)?;
        Ok(Self { args, qemu, memory_mib, cancel, folder })
    }

    /// The path of a file of that name for the guest.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn file(&self, name: &str, content: &[u8]) -> Result<PathBuf, Coded> {
        let path = self.folder.path().join(name);
        fs::write(&path, content).with_context(|| path.display().to_string()).or_exit(Exit::Output)?;
        Ok(path)
    }

    /// The subject of that name and command line in this machine, without its rows.
    pub fn subject(&self, name: String, append: &str) -> Subject {
        Subject {
            name,
            qemu: self.qemu.version.to_string(),
            cpu_model: ExactMode::model(&self.args.cpu_model),
            memory_mib: self.memory_mib,
            append: append.to_owned(),
            rows: Vec::new(),
        }
    }

    /// Boots `boot` as often as the options say.
    ///
    /// # Errors
    /// It cannot be run, does not end, or one boot differs from the first.
    pub fn run(&self, boot: &BootMedium) -> Result<Boots, Coded> {
        let first = self.boot(boot)?;
        for number in 2..=self.args.boots {
            let other = self.boot(boot)?;
            if let Some(difference) = difference(&first, &other) {
                let error = anyhow!(
                    "boot {number} differs from boot 1: {difference}; the kernel depends on something besides its files, \
                     and its counts cannot be compared (docs/EXACT.md lists what does)"
                );
                return Err(error).or_exit(Exit::Invalid);
            }
        }
        Ok(first)
    }

    fn boot(&self, boot: &BootMedium) -> Result<Boots, Coded> {
        let (serial_log, replay_log) =
            (self.folder.path().join("serial.log"), self.folder.path().join("replay.bin"));
        let exact = Some(ExactMode { replay_log: replay_log.clone() });
        let cpu_model = Some(self.args.cpu_model.clone());
        let machine =
            MachineSpec { exact, cpu_model, vga: Vga::None, ..MachineSpec::q35(1, self.memory_mib) };
        let spec = GuestSpec {
            vmm: self.qemu.clone().into(),
            accelerator: AcceleratorChoice::forced(Accelerator::Tcg, "the exact mode"),
            machine,
            boot: boot.clone(),
            host_cpus: None,
            deadline: Duration::from_secs(self.args.deadline),
            serial_log: serial_log.clone(),
            first_record: None,
            delete_after: None,
            serial_limit_bytes: GuestSpec::SERIAL_LIMIT_BYTES,
        };
        let run = qemu::run(&spec, &self.cancel, &mut |_| {}).map_err(coded)?;
        match &run.outcome {
            Outcome::Cancelled => return Err(anyhow!("interrupted")).or_exit(Exit::Interrupted),
            Outcome::DebugExit { .. } | Outcome::GuestShutdown | Outcome::GuestReset => {}
            Outcome::QemuDied { status, stderr_tail, .. } => {
                return Err(anyhow!("QEMU: {status}: {}", stderr_tail.trim())).or_exit(Exit::Environment);
            }
            outcome => {
                let error = anyhow!(
                    "the kernel did not end by itself: {outcome:?}; it must switch the machine off, reset it or write to port \
                     0xf4 (--deadline is {} s)",
                    self.args.deadline
                );
                return Err(error).or_exit(Exit::Failed);
            }
        }
        let log = fs::read(&serial_log).or_exit(Exit::Output)?;
        let counts = ExactMode::read(&replay_log).map_err(coded)?;
        if printed(&log, &counts).is_none() {
            let (bytes, known) = (log.len(), counts.bytes_at().len());
            let error = anyhow!(
                "{bytes} bytes on the serial port, and counts of {known}: the replay log is not whole"
            );
            return Err(error).or_exit(Exit::Invalid);
        }
        Ok(Boots { log, counts, outcome: run.outcome })
    }
}

impl Boots {
    /// What was printed, with its counts.
    pub fn printed(&self) -> Option<Printed<'_>> {
        printed(&self.log, &self.counts)
    }
}

fn printed<'a>(log: &'a [u8], counts: &ReplayLog) -> Option<Printed<'a>> {
    Printed::new(log, counts.bytes_at(), counts.instructions())
}

/// The first difference between two boots.
fn difference(one: &Boots, other: &Boots) -> Option<String> {
    let pairs = one.log.iter().zip(&other.log);
    if let Some(at) = pairs.clone().position(|(a, b)| a != b) {
        let line = 1 + one.log[..at].iter().filter(|&&byte| byte == b'\n').count();
        return Some(format!("other bytes, from line {line} of the serial output on"));
    }
    let (counts, others) = (one.counts.bytes_at(), other.counts.bytes_at());
    if let Some(at) = counts.iter().zip(others).position(|(a, b)| a != b) {
        let line = 1 + one.log[..at].iter().filter(|&&byte| byte == b'\n').count();
        return Some(format!(
            "the same bytes after {} instructions, not {}, in line {line}",
            others[at], counts[at]
        ));
    }
    let (of_one, of_other) = (one.counts.instructions(), other.counts.instructions());
    if of_one != of_other || one.log.len() != other.log.len() {
        return Some(format!("it ended after {of_other} instructions, not {of_one}"));
    }
    (one.outcome != other.outcome).then(|| format!("it ended by {:?}, not {:?}", other.outcome, one.outcome))
}

fn coded(error: QemuError) -> Coded {
    let exit = match error {
        QemuError::Option { .. } => Exit::Unsupported,
        QemuError::ReplayLog { .. } => Exit::Unsupported,
        QemuError::SerialLog { .. } => Exit::Output,
        _ => Exit::Environment,
    };
    Err::<(), _>(error).or_exit(exit).expect_err("an error")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A replay log with the version and the events of a run that writes one byte after each of `counts` instructions.
    fn boots(log: &[u8], counts: &[u8], outcome: Outcome) -> Boots {
        let mut replay = [0, 0xe0, 0x20, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0].to_vec();
        for &count in counts {
            replay.extend([0, 0, 0, 0, count, 22, 0, 0, 0, 1, 0, 0, 0, 1]);
        }
        replay.push(39);
        Boots { log: log.to_vec(), counts: ReplayLog::read(&replay).unwrap(), outcome }
    }

    #[test]
    fn two_boots_are_the_same_only_if_bytes_counts_and_ends_are() {
        let one = boots(b"a\nb", &[5, 5, 5], Outcome::GuestShutdown);
        let other = |log: &[u8], counts: &[u8], outcome| difference(&one, &boots(log, counts, outcome));
        assert_eq!(other(b"a\nb", &[5, 5, 5], Outcome::GuestShutdown), None);
        let bytes = other(b"a\nc", &[5, 5, 5], Outcome::GuestShutdown).unwrap();
        assert_eq!(bytes, "other bytes, from line 2 of the serial output on");
        let counts = other(b"a\nb", &[5, 6, 5], Outcome::GuestShutdown).unwrap();
        assert_eq!(counts, "the same bytes after 11 instructions, not 10, in line 1");
        let longer = other(b"a\nbc", &[5, 5, 5, 5], Outcome::GuestShutdown).unwrap();
        assert_eq!(longer, "it ended after 20 instructions, not 15");
        assert!(other(b"a\nb", &[5, 5, 5], Outcome::GuestReset).unwrap().contains("GuestReset"));
    }
}
