//! Workers as processes of the host: the same ramdisk, run by the Linux twin without any machine around it. The ceiling
//! for guests of that host.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::exit::{Coded, Exit, OrExit};
use crate::guest::boot_cost;
use abi::exit::GuestExit;
use abi::wire::{Record, decode};
use anyhow::Context;
use evidence::gate::Ended;
use host::process::{Capture, Captured, End, Process};
use host::{CancelToken, CostAccount, CpuSet, Root};
use results::{BootCost, write_atomically};

/// How much the twin may print, in bytes: as much as a guest.
const LIMIT_BYTES: usize = 16 << 20;

/// What is run, and where.
pub struct Spec {
    /// The twin.
    pub twin: PathBuf,
    /// The ramdisk with the plan and its worker.
    pub ramdisk: PathBuf,
    /// The host CPU of each worker; one that stands there twice has two workers.
    pub cpus: Vec<usize>,
    /// The host CPUs that all of it is confined to.
    pub within: CpuSet,
    /// From its start to its end, at most.
    pub deadline: Duration,
}

/// A run that is over.
pub struct Native {
    /// The log, as its file has it.
    pub log: Vec<u8>,
    /// How it ended, in the gate's terms.
    pub ended: Ended,
    /// What it took beside its workers.
    pub cost: BootCost,
    /// When it was started, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// How long it took, in microseconds.
    pub exit_us: u64,
    /// The host CPUs that it was confined to, read back.
    pub host_cpus: CpuSet,
}

impl Spec {
    /// The command.
    pub fn command(&self) -> Vec<String> {
        let words = [
            self.twin.display().to_string(),
            "native".to_owned(),
            "--ramdisk".to_owned(),
            self.ramdisk.display().to_string(),
            "--cpus".to_owned(),
            self.cpu_list(),
        ];
        words.into()
    }

    /// Its host CPUs as a list.
    pub fn cpu_list(&self) -> String {
        self.cpus.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

/// Runs the plan, with its log at `log`. `on_record` is called at each record.
///
/// # Errors
/// A twin that cannot be started, or a log that cannot be written.
pub fn run(
    spec: &Spec,
    log: &Path,
    cancel: &CancelToken,
    on_record: &mut dyn FnMut(&Record),
) -> Result<Native, Coded> {
    let mut command = Command::new(&spec.twin);
    command.arg("native").arg("--ramdisk").arg(&spec.ramdisk).arg("--cpus").arg(spec.cpu_list());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (mut cost, mut first_us) = (CostAccount::of(&Root::here()), None);
    let mut on_line = |line: &[u8], at_us| {
        let Ok(envelope) = decode(line) else { return };
        on_record(&envelope.record);
        cost.on_record(&envelope.record, at_us);
        first_us.get_or_insert(at_us);
    };
    let capture = Capture { deadline: spec.deadline, limit_bytes: LIMIT_BYTES, cancel: Some(cancel) };
    let (host_cpus, captured) = start(&mut command, &spec.within)
        .and_then(|(host_cpus, process)| Ok((host_cpus, capture.run(process, &mut on_line)?)))
        .with_context(|| format!("twin {}: cannot be run; `make twin` builds it", spec.twin.display()))
        .or_exit(Exit::Environment)?;
    write_atomically(log, |out| out.write_all(&captured.output)).or_exit(Exit::Output)?;
    let cost = BootCost {
        first_serial_us: first_us,
        // Its workers are processes of their own, and its peak is not theirs.
        peak_rss_bytes: None,
        image_bytes: bytes(&[&spec.twin, &spec.ramdisk]),
        ..boot_cost(cost.into_seen())
    };
    let ended = ended(&captured);
    let Captured { output: log, started_unix_ms, exit_us, .. } = captured;
    Ok(Native { log, ended, cost, started_unix_ms, exit_us, host_cpus })
}

/// Starts a program on `cpus`; the CPUs in force are read back before it runs, since it may confine itself further.
fn start(command: &mut Command, cpus: &CpuSet) -> io::Result<(CpuSet, Process)> {
    let (host_cpus, process) = cpus.confine(|| (CpuSet::allowed(), Process::spawn(command)))?;
    Ok((host_cpus?, process?))
}

fn bytes(files: &[&Path]) -> Option<u64> {
    files.iter().map(|path| Some(path.metadata().ok()?.len())).sum()
}

/// How it ended, in the gate's terms. Its exit code is what a guest's twin writes to the exit device, but for 0.
fn ended(captured: &Captured) -> Ended {
    let status = match captured.end {
        End::Cancelled => return Ended::Cancelled,
        End::Deadline => return Ended::Deadline,
        End::Overflow { limit_bytes } => return Ended::SerialOverflow { limit_bytes },
        End::Itself(status) => status,
    };
    let said = status.code().and_then(|code| match u8::try_from(code).ok()? {
        0 => Some(GuestExit::Success),
        code => GuestExit::from_value(code).filter(|&exit| exit != GuestExit::Success),
    });
    match said {
        Some(exit) => Ended::DebugExit { value: exit.value() },
        None => Ended::Died { detail: format!("{status}: {}", captured.stderr.trim()) },
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;

    fn of_code(code: i32) -> Ended {
        let end = End::Itself(ExitStatus::from_raw(code << 8));
        let (output, stderr) = (Vec::new(), "no such file\n".to_owned());
        ended(&Captured { end, output, stderr, started_unix_ms: 0, exit_us: 0 })
    }

    #[test]
    fn an_exit_code_says_what_a_guest_would() {
        for (code, exit) in [(0, GuestExit::Success), (17, GuestExit::Failed), (19, GuestExit::Refused)] {
            assert_eq!(of_code(code), Ended::DebugExit { value: exit.value() }, "{code}");
        }
        for code in [1, 2, 16, 101] {
            let detail = format!("exit status: {code}: no such file");
            assert_eq!(of_code(code), Ended::Died { detail }, "{code}");
        }
    }
}
