//! Workers as processes of the host. The Linux twin runs the ramdisk that a guest would boot with, but without a guest.
//! The result is the ceiling for guests of this host.

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

/// The most bytes that the twin may print; the limit of a guest's serial log is the same.
const LIMIT_BYTES: usize = 16 << 20;

/// The program, its input, its CPUs and its deadline.
pub struct Spec {
    /// The path of the Linux twin.
    pub twin: PathBuf,
    /// The path of the ramdisk with the plan and the worker's blob.
    pub ramdisk: PathBuf,
    /// The host CPU of each worker. A CPU that is listed twice runs two workers.
    pub cpus: Vec<usize>,
    /// The host CPUs that the twin and its workers are confined to.
    pub within: CpuSet,
    /// The longest time from the twin's start to its exit.
    pub deadline: Duration,
}

/// A native run that has ended.
pub struct Native {
    /// The log: the same bytes as in its file.
    pub log: Vec<u8>,
    /// How the run ended, as the gate takes it.
    pub ended: Ended,
    /// The cost of the run outside its workers.
    pub cost: BootCost,
    /// The start time, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// The time from the start to the exit, in microseconds.
    pub exit_us: u64,
    /// The CPU affinity of the twin at its start, read back from the host.
    pub host_cpus: CpuSet,
}

impl Spec {
    /// The command line, for display and for the results.
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

    /// The CPUs of the workers, separated by commas.
    pub fn cpu_list(&self) -> String {
        self.cpus.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

/// Runs the plan and writes its log to `log`. Calls `on_record` for each record.
///
/// # Errors
/// The twin cannot be started, or the log cannot be written.
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
    let mut on_line = |line: &[u8], at_us| on_line(line, at_us, &mut cost, &mut first_us, on_record);
    let capture = Capture { deadline: spec.deadline, limit_bytes: LIMIT_BYTES, cancel: Some(cancel) };
    let (host_cpus, captured) = start(&mut command, &spec.within)
        .and_then(|(host_cpus, process)| Ok((host_cpus, capture.run(process, &mut on_line)?)))
        .with_context(|| format!("twin {}: cannot be run; `make twin` builds it", spec.twin.display()))
        .or_exit(Exit::Environment)?;
    write_atomically(log, |out| out.write_all(&captured.output)).or_exit(Exit::Output)?;
    let cost = BootCost {
        first_serial_us: first_us,
        // The workers are separate processes, so the twin's peak would not include them.
        peak_rss_bytes: None,
        image_bytes: total_length(&[&spec.twin, &spec.ramdisk]),
        ..boot_cost(cost.into_seen())
    };
    let ended = ended(&captured);
    let Captured { output: log, started_unix_ms, exit_us, .. } = captured;
    Ok(Native { log, ended, cost, started_unix_ms, exit_us, host_cpus })
}

/// Starts a program on `cpus`. Reads the affinity back before the program runs, because the program may narrow it.
fn start(command: &mut Command, cpus: &CpuSet) -> io::Result<(CpuSet, Process)> {
    let (host_cpus, process) = cpus.confine(|| (CpuSet::allowed(), Process::spawn(command)))?;
    Ok((host_cpus?, process?))
}

/// Accounts for a line of the log that arrived `at_us` microseconds after the start, if it is a record.
fn on_line(
    line: &[u8],
    at_us: u64,
    cost: &mut CostAccount,
    first_us: &mut Option<u64>,
    on_record: &mut dyn FnMut(&Record),
) {
    let Ok(envelope) = decode(line) else { return };
    on_record(&envelope.record);
    cost.on_record(&envelope.record, at_us);
    first_us.get_or_insert(at_us);
}

/// The lengths of the files, added; `None` if one cannot be read.
fn total_length(files: &[&Path]) -> Option<u64> {
    files.iter().map(|path| Some(path.metadata().ok()?.len())).sum()
}

/// How the run ended, as the gate takes it. The twin's exit code is the value that it would write to the exit device of
/// a guest, except that 0 stands for success.
fn ended(captured: &Captured) -> Ended {
    let status = match captured.end {
        End::Cancelled => return Ended::Cancelled,
        End::Deadline => return Ended::Deadline,
        End::Overflow { limit_bytes } => return Ended::SerialOverflow { limit_bytes },
        End::Itself(status) => status,
    };
    let exit = status.code().and_then(|code| match u8::try_from(code).ok()? {
        0 => Some(GuestExit::Success),
        code => GuestExit::from_value(code).filter(|&exit| exit != GuestExit::Success),
    });
    match exit {
        Some(exit) => Ended::DebugExit { value: exit.value() },
        None => Ended::Died { detail: format!("{status}: {}", captured.stderr.trim()) },
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;

    fn ended_with_code(code: i32) -> Ended {
        let end = End::Itself(ExitStatus::from_raw(code << 8));
        let (output, stderr) = (Vec::new(), "no such file\n".to_owned());
        ended(&Captured { end, output, stderr, started_unix_ms: 0, exit_us: 0 })
    }

    #[test]
    fn takes_exit_codes_as_values_of_the_exit_device() {
        for (code, exit) in [(0, GuestExit::Success), (17, GuestExit::Failed), (19, GuestExit::Refused)] {
            assert_eq!(ended_with_code(code), Ended::DebugExit { value: exit.value() }, "{code}");
        }
        for code in [1, 2, 16, 101] {
            let detail = format!("exit status: {code}: no such file");
            assert_eq!(ended_with_code(code), Ended::Died { detail }, "{code}");
        }
    }
}
