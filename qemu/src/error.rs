//! Errors that leave a run without an outcome. An end of the guest, however bad, is an [`Outcome`](crate::Outcome).

use std::io;
use std::path::PathBuf;

use host::{CpuSetError, PinError};

use crate::Version;

/// Why a guest could not be run, or its run could not be recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QemuError {
    /// QEMU was not found.
    #[error(
        "{}: no such program; install QEMU (Debian: qemu-system-x86, Fedora: qemu-system-x86-core) or name its path",
        .path.display()
    )]
    Missing {
        /// The name searched for in PATH, or the path that was given.
        path: PathBuf,
    },
    /// Another VMM was not found.
    #[error(
        "{}: no such program; get {title} from {from}, and put it in PATH or name its path in {variable}",
        .path.display()
    )]
    NoVmm {
        /// The name searched for in PATH, or the path that was given.
        path: PathBuf,
        /// The VMM's name.
        title: &'static str,
        /// Where it can be had.
        from: &'static str,
        /// The variable that names it.
        variable: &'static str,
    },
    /// A VMM's file cannot be executed.
    #[error(
        "{}: not an executable file; `chmod +x` it, or name another in {variable}", .path.display()
    )]
    NotExecutable {
        /// The file.
        path: PathBuf,
        /// The variable that names another.
        variable: &'static str,
    },
    /// `--version` did not print that VMM's version.
    #[error("{}: `--version` printed {printed:?}, expected `{expected}X.Y.Z`", .path.display())]
    NotThisVmm {
        /// The program asked.
        path: PathBuf,
        /// The beginning of what it printed, standard error included.
        printed: String,
        /// What it should begin with.
        expected: &'static str,
    },
    /// A VMM that runs guests by KVM only, and no KVM.
    #[error(
        "{title} runs guests by KVM only, and it cannot be used here ({why}); `assay doctor` says what to do, or use `--vmm qemu`"
    )]
    NoKvm {
        /// The VMM's name.
        title: &'static str,
        /// What is wrong with KVM here.
        why: String,
    },
    /// The threads of a running guest's CPUs were not found.
    #[error(
        "process {pid}: {found} of {vcpus} threads named `{prefix}N`, and the guest runs; is the program a wrapper that does \
         not `exec` the VMM?"
    )]
    Threads {
        /// The VMM's process id.
        pid: u32,
        /// The names, up to the CPU's number.
        prefix: String,
        /// How many there should be.
        vcpus: u32,
        /// How many there are.
        found: usize,
    },
    /// The VMM's configuration could not be written. The guest was not started.
    #[error("{}: cannot write the VMM's configuration: {source}", .path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A VMM's events could not be read. The guest has been ended.
    #[error("{doing}: {detail}")]
    Events {
        /// Which VMM's.
        doing: &'static str,
        /// What came.
        detail: String,
    },
    /// The VMM is older than this crate supports.
    #[error("{}: version {found} is too old, expected {minimum} or later", .path.display())]
    TooOld {
        /// The program asked.
        path: PathBuf,
        /// The version that it reported.
        found: Version,
        /// The oldest supported version.
        minimum: Version,
    },
    /// `--version` did not print a QEMU version.
    #[error("{}: `--version` printed {printed:?}, expected `QEMU emulator version X.Y.Z`", .path.display())]
    NotQemu {
        /// The program asked.
        path: PathBuf,
        /// The beginning of what it printed, standard error included.
        printed: String,
    },
    /// The replay log of a run in the exact mode cannot be used.
    #[error("{}: QEMU's replay log cannot be used: {detail}", .path.display())]
    ReplayLog {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The program exists but could not be started, or did not end in time.
    #[error("{}: {doing}: {source}", .path.display())]
    Process {
        /// The program.
        path: PathBuf,
        /// What was being done to it.
        doing: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// No UEFI firmware on this machine.
    #[error(
        "no UEFI firmware found; install OVMF (Debian: ovmf, Fedora: edk2-ovmf, Arch: edk2-ovmf) or name its path; \
         searched {}",
        .searched.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    )]
    FirmwareMissing {
        /// Every path tried, in order.
        searched: Vec<PathBuf>,
    },
    /// An option of the guest's specification cannot be honoured.
    #[error("{option} = {value}: expected {expected}")]
    Option {
        /// The field of [`MachineSpec`](crate::MachineSpec) or [`GuestSpec`](crate::GuestSpec).
        option: &'static str,
        /// Its value.
        value: String,
        /// The values that are allowed.
        expected: &'static str,
    },
    /// A file the guest boots from cannot be read.
    #[error("{}: cannot read {what}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Its role: `the boot disk`, `the kernel` ...
        what: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The serial log could not be created or written; a full disk ends here. The guest has been ended.
    #[error("{}: cannot write the serial log: {source}", .path.display())]
    SerialLog {
        /// The log.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The trace could not be read or written; a full disk ends here. The guest has been ended.
    #[error("{}: cannot {doing} the trace: {source}", .path.display())]
    TraceLog {
        /// The log.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// QEMU's control socket sent something other than QMP, or refused a command. The guest has been ended.
    #[error("qmp: {doing}: {detail}")]
    Qmp {
        /// What was being asked.
        doing: &'static str,
        /// What came back.
        detail: String,
    },
    /// A stream to QEMU failed. The guest has been ended.
    #[error("{stream}: {source}")]
    Stream {
        /// Which stream.
        stream: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The host CPUs asked for are not available.
    #[error(transparent)]
    CpuSet(#[from] CpuSetError),
    /// A thread could not be pinned. The guest has been ended.
    #[error(transparent)]
    Pin(#[from] PinError),
}
