//! The record of a finished run: plain data for the results file.

use std::path::PathBuf;

use host::{CpuSet, VcpuThread};
use serde::Serialize;

use crate::{AcceleratorChoice, CommandLine, CpuState, Outcome, Version, VmmKind};

/// One run of one guest: how it ended, and under what conditions.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GuestRun {
    /// How it ended.
    pub outcome: Outcome,
    /// The exact command line.
    pub command: CommandLine,
    /// The VMM that ran it.
    pub vmm: VmmKind,
    /// The VMM's version: QEMU's from its greeting if it sent one, else from `--version`.
    pub vmm_version: Version,
    /// The accelerator and why it was chosen.
    pub accelerator: AcceleratorChoice,
    /// The host CPUs asked for; `None` is no pinning.
    pub host_cpus_requested: Option<CpuSet>,
    /// The affinity of the VMM's main thread before the guest's first instruction, or for a VMM that cannot hold it, when
    /// its vCPUs were pinned, read back from the kernel; `None` if
    /// the run ended before that.
    pub host_cpus_in_force: Option<CpuSet>,
    /// The vCPU threads, by CPU index; empty if the run ended before they were known.
    pub vcpus: Vec<VcpuThread>,
    /// The registers of the guest's CPUs when the run was ended, by CPU index. Empty if the VMM ended by itself, had not
    /// started the guest, did not answer in time, or is not QEMU.
    pub last_registers: Vec<CpuState>,
    /// What QEMU printed of every CPU, and of the local APIC of the first, while the machine was stopped to be saved, or when it
    /// was loaded; empty if [`MachineSpec::memory_dump`](crate::MachineSpec::memory_dump) is not set.
    pub stopped_state: String,
    /// When things happened.
    pub timeline: Timeline,
    /// Bytes in the serial log.
    pub serial_bytes: u64,
    /// The serial log: every byte the guest sent to its first serial port, in order, unchanged.
    pub serial_log: PathBuf,
    /// The end of the VMM's standard error, at most 64 KiB.
    pub stderr: String,
    /// Every event that the VMM reported (QEMU by QMP, Cloud Hypervisor by its event monitor), one raw JSON text each, in
    /// order; the first thousand.
    pub events: Vec<String>,
    /// Whether the kernel would have killed the VMM had this program died (`setpriv` was found).
    pub dies_with_parent: bool,
}

/// When things happened, by the host's monotonic clock. Wall time: evidence about the run, never a measurement.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Timeline {
    /// When the VMM was started, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// From the VMM's start to the guest's first instruction, in microseconds; of a VMM that cannot hold its guest there: to
    /// when its vCPUs' threads were pinned.
    pub cont_us: Option<u64>,
    /// From the VMM's start to the moment at which its vCPUs ran, in microseconds: QEMU's answer to `cont`; of a VMM that
    /// cannot hold its guest, as [`cont_us`](Self::cont_us). Of a machine that boots [`Nothing`](crate::BootMedium::Nothing),
    /// whose vCPUs never run: QEMU's answer to `query-status`.
    pub running_us: Option<u64>,
    /// From the VMM's start to the first byte on the serial port, in microseconds.
    pub first_serial_us: Option<u64>,
    /// From the VMM's start to the moment at which the machine was loaded, in microseconds; `None` if it was booted.
    pub loaded_us: Option<u64>,
    /// From the VMM's start to the moment at which the stopped machine began to be saved, in microseconds.
    pub saving_us: Option<u64>,
    /// From the VMM's start to the moment at which it was saved, in microseconds.
    pub saved_us: Option<u64>,
    /// From the VMM's start to the moment at which the guest was last sent something, in microseconds; `None` if never.
    pub sent_us: Option<u64>,
    /// From the VMM's start to the moment at which it was asked to end, in microseconds; `None` if it was not asked.
    pub asked_us: Option<u64>,
    /// From the VMM's start to its end, in microseconds. Its process is gone then, and all that the process alone had.
    pub exit_us: u64,
}
