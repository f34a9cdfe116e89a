//! One run of one guest, from start to classified end.

use std::cell::RefCell;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use host::{CancelToken, CpuSet, VcpuThread};

use crate::conversation::Conversation;
use crate::exact::ExactRun;
use crate::guest_process::GuestProcess;
use crate::vmm::cloud_hypervisor::{self, CloudHypervisor};
use crate::vmm::firecracker::{self, Firecracker};
use crate::vmm::{Control, Vmm, VmmKind};
use crate::{AcceleratorChoice, BootMedium, CommandLine, GuestRun, MachineSpec, QemuError};

/// Everything that decides a run.
#[derive(Clone, Debug)]
pub struct GuestSpec {
    /// The VMM to use.
    pub vmm: Vmm,
    /// The accelerator and why it was chosen.
    pub accelerator: AcceleratorChoice,
    /// The machine.
    pub machine: MachineSpec,
    /// What it boots.
    pub boot: BootMedium,
    /// Host CPUs to pin to: one for each vCPU if there are enough, else the whole set for all of the VMM. `None` pins
    /// nothing.
    pub host_cpus: Option<CpuSet>,
    /// The longest time from the VMM's start to its end.
    pub deadline: Duration,
    /// The deadline for the first record; `None` if the guest need not print any.
    pub first_record: Option<FirstRecord>,
    /// When the machine is deleted; `None` if its guest ends it. A machine that boots [`BootMedium::Nothing`] is deleted as
    /// soon as it is there.
    pub delete_after: Option<Deletion>,
    /// The file for the serial bytes. It is created or truncated; its directory must exist.
    pub serial_log: PathBuf,
    /// How much the guest may print, in bytes; [`GuestSpec::SERIAL_LIMIT_BYTES`] is a good choice.
    pub serial_limit_bytes: u64,
}

/// The sign of life: the first line on the serial port that is a record. The caller defines what a record is.
#[derive(Clone, Copy, Debug)]
pub struct FirstRecord {
    /// The longest time from the VMM's start to the end of that line.
    pub deadline: Duration,
    /// Whether a line is a record.
    pub is_record: fn(&[u8]) -> bool,
}

/// The deletion of a machine from outside, while its guest runs. QEMU is asked by QMP's `quit`, the others by SIGTERM.
#[derive(Clone, Copy, Debug)]
pub struct Deletion {
    /// Whether a line on the serial port is one after which the machine may have done all that is wanted.
    pub is_last: fn(&[u8]) -> bool,
    /// How many such lines are wanted.
    pub lines: u32,
    /// How long the VMM may take to end after it was asked to; then it is killed.
    pub patience: Duration,
}

impl GuestSpec {
    /// 16 MiB: a thousand times an honest transcript, and harmless on a disk.
    pub const SERIAL_LIMIT_BYTES: u64 = 16 << 20;

    /// The command line [`run()`] would use, for a dry run.
    ///
    /// # Errors
    /// [`QemuError::Option`] if the machine cannot be built so.
    pub fn command(&self) -> Result<CommandLine, QemuError> {
        match self.vmm.kind {
            VmmKind::Qemu => {
                CommandLine::new(&self.vmm.path, self.accelerator.accelerator, &self.machine, &self.boot)
            }
            VmmKind::Firecracker => firecracker::command(self),
            VmmKind::CloudHypervisor => cloud_hypervisor::command(self),
        }
    }

    /// Checks that the files and CPUs of a run are available, before the VMM starts.
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

/// What a guest is sent on its serial port after a line that it printed, if [`MachineSpec::serial_input`] is set; else it
/// goes nowhere.
#[derive(Debug, Default)]
pub struct SerialInput(RefCell<Vec<u8>>);

impl SerialInput {
    /// Adds bytes. They leave when the handler has returned.
    pub fn send(&self, bytes: &[u8]) {
        self.0.borrow_mut().extend_from_slice(bytes);
    }

    pub(crate) fn take(&self) -> Vec<u8> {
        self.0.take()
    }
}

/// An event of a run. The handler is called on the run's thread: a slow handler delays the capture.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum GuestEvent<'a> {
    /// The VMM has started. QEMU's guest is still stopped.
    Started {
        /// the VMM's process id.
        pid: u32,
    },
    /// Everything is pinned. QEMU's guest is about to execute its first instruction; that of a VMM that cannot be held has
    /// begun to.
    Running {
        /// Its vCPU threads, by CPU index.
        vcpus: &'a [VcpuThread],
    },
    /// The guest prints a line, of which the first bytes have arrived. A VMM may take hundreds of microseconds for each. Not
    /// reported of a line that arrives whole.
    LineBegins {
        /// Its vCPU threads, so that the handler may read [`VcpuThread::sched_stat`] at this point.
        vcpus: &'a [VcpuThread],
    },
    /// The guest printed a line.
    SerialLine {
        /// The line without its end (`\n` or `\r\n`); any bytes at all. A line of more than 4,096 bytes comes in
        /// pieces.
        line: &'a [u8],
        /// When its last bytes had arrived, in microseconds from the VMM's start by the host's monotonic clock.
        at_us: u64,
        /// The vCPU threads, so that the handler may read [`VcpuThread::sched_stat`] at this point.
        vcpus: &'a [VcpuThread],
        /// What the guest is to be sent.
        input: &'a SerialInput,
    },
    /// The VMM is about to be asked to end, as [`GuestSpec::delete_after`] says: the last moment at which its process can be
    /// looked at.
    Deleting {
        /// The VMM's process id.
        pid: u32,
        /// Its vCPU threads.
        vcpus: &'a [VcpuThread],
    },
    /// The VMM has ended after it was asked to. It is not waited for yet, so its process id names no other process, and what
    /// it started is not killed yet.
    Exited {
        /// The VMM's process id.
        pid: u32,
    },
    /// The guest is about to be killed: the last moment at which its threads exist.
    Ending {
        /// Its vCPU threads.
        vcpus: &'a [VcpuThread],
    },
}

/// Runs one guest and waits for its end.
///
/// On return the VMM has ended, and the serial log holds everything that the guest printed.
///
/// # Errors
/// [`QemuError`] if the run has no outcome.
pub fn run(
    spec: &GuestSpec,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(GuestEvent<'_>),
) -> Result<GuestRun, QemuError> {
    spec.check()?;
    match spec.vmm.kind {
        VmmKind::Qemu if spec.machine.exact.is_some() => run_with::<ExactRun>(spec, cancel, progress),
        VmmKind::Qemu => run_with::<Conversation>(spec, cancel, progress),
        VmmKind::Firecracker => run_with::<Firecracker>(spec, cancel, progress),
        VmmKind::CloudHypervisor => run_with::<CloudHypervisor>(spec, cancel, progress),
    }
}

fn run_with<C: Control>(
    spec: &GuestSpec,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(GuestEvent<'_>),
) -> Result<GuestRun, QemuError> {
    let mut guest = GuestProcess::<C>::start(spec, cancel, progress)?;
    let Err(stop) = C::conduct(&mut guest);
    guest.finish(stop)
}
