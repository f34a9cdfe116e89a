//! One run of one guest, from start to classified end.

use std::convert::Infallible;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use host::{CancelToken, CpuSet, VcpuThread};

use crate::guest_process::{GuestProcess, Stop};
use crate::qmp;
use crate::{AcceleratorChoice, BootMedium, CommandLine, GuestRun, MachineSpec, Qemu, QemuError};

/// Everything that decides a run.
#[derive(Clone, Debug)]
pub struct GuestSpec {
    /// The QEMU to use.
    pub qemu: Qemu,
    /// The accelerator and why it was chosen.
    pub accelerator: AcceleratorChoice,
    /// The machine.
    pub machine: MachineSpec,
    /// What it boots.
    pub boot: BootMedium,
    /// Host CPUs to pin to: each vCPU to its own where the set is large enough, else all of QEMU to the set. `None`
    /// leaves the scheduler free.
    pub host_cpus: Option<CpuSet>,
    /// From QEMU's start to its end, at most.
    pub deadline: Duration,
    /// The first sign of life that is waited for; `None` if the guest need not show any.
    pub first_record: Option<FirstRecord>,
    /// Where the serial bytes go. Created or truncated; its directory must exist.
    pub serial_log: PathBuf,
    /// How much the guest may print, in bytes; [`GuestSpec::SERIAL_LIMIT_BYTES`] is a good choice.
    pub serial_limit_bytes: u64,
}

/// A sign of life: the first line on the serial port that is a record. What a record is, the reader of the log knows.
#[derive(Clone, Copy, Debug)]
pub struct FirstRecord {
    /// From QEMU's start to the end of that line, at most.
    pub deadline: Duration,
    /// Whether a line is one.
    pub is_record: fn(&[u8]) -> bool,
}

impl GuestSpec {
    /// 16 MiB: a thousand times an honest transcript, and harmless on a disk.
    pub const SERIAL_LIMIT_BYTES: u64 = 16 << 20;

    /// The command line [`run()`] would use, for a dry run.
    ///
    /// # Errors
    /// [`QemuError::Option`] if the machine cannot be built so.
    pub fn command(&self) -> Result<CommandLine, QemuError> {
        CommandLine::new(&self.qemu, self.accelerator.accelerator, &self.machine, &self.boot)
    }

    /// Whether all that a run needs is there, before anything is started.
    fn check(&self) -> Result<(), QemuError> {
        for (what, path) in self.boot.files().into_iter().chain(self.machine.firmware.files()) {
            let unreadable = |source| QemuError::Unreadable { path: path.to_owned(), what, source };
            File::open(path).map_err(unreadable)?;
        }
        if let Some(cpus) = &self.host_cpus {
            let unread = |source| QemuError::Stream { stream: "reading this process's affinity", source };
            cpus.check_within(&CpuSet::allowed().map_err(unread)?)?;
        }
        Ok(())
    }
}

/// What happens during a run. Handled on the run's own thread: a slow handler delays the capture.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum GuestEvent<'a> {
    /// QEMU was started, the guest was not.
    Started {
        /// QEMU's process id.
        pid: u32,
    },
    /// The guest is about to execute its first instruction; everything is pinned.
    Running {
        /// Its vCPU threads, by CPU index.
        vcpus: &'a [VcpuThread],
    },
    /// The guest printed a line.
    SerialLine {
        /// The line without its end (`\n` or `\r\n`); any bytes at all. A line of more than 4,096 bytes comes in
        /// pieces.
        line: &'a [u8],
        /// When its last bytes had arrived, in microseconds from QEMU's start by the host's monotonic clock.
        at_us: u64,
        /// The vCPU threads, so that the handler may read [`VcpuThread::sched_stat`] at this point.
        vcpus: &'a [VcpuThread],
    },
    /// The guest is about to be killed: the last moment at which its threads are there.
    Ending {
        /// Its vCPU threads.
        vcpus: &'a [VcpuThread],
    },
}

/// Runs one guest and waits for its end.
///
/// However it ends, QEMU is gone and the serial log holds what the guest had printed by then.
///
/// # Errors
/// What kept the run from having an outcome: see [`QemuError`].
pub fn run(
    spec: &GuestSpec,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(GuestEvent<'_>),
) -> Result<GuestRun, QemuError> {
    spec.check()?;
    let mut guest = GuestProcess::start(spec, cancel, progress)?;
    let Err(stop) = conduct(&mut guest);
    guest.finish(stop)
}

/// The course of a run. It can only be left by its end.
fn conduct(guest: &mut GuestProcess<'_>) -> Result<Infallible, Stop> {
    guest.greet()?;
    let cpus = guest.ask("query-cpus-fast")?;
    let threads = qmp::cpu_threads(&cpus).map_err(no_threads)?;
    guest.pin(&threads)?;
    guest.cont()?;
    loop {
        // Before the wait: a stop may have come with the last reply, and nothing else may follow.
        guest.look_into_stop()?;
        guest.wait()?;
    }
}

fn no_threads(error: qmp::MessageError) -> QemuError {
    QemuError::Qmp { doing: "query-cpus-fast", detail: error.to_string() }
}
