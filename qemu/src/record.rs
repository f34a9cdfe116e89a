//! The record of a finished run: plain data for the results file.

use std::path::PathBuf;

use host::{CpuSet, VcpuThread};
use serde::Serialize;

use crate::{AcceleratorChoice, CommandLine, CpuState, Outcome, Version};

/// One run of one guest: how it ended, and under what conditions.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GuestRun {
    /// How it ended.
    pub outcome: Outcome,
    /// The exact command line.
    pub command: CommandLine,
    /// QEMU's version, from its greeting if it sent one, else from `--version`.
    pub qemu_version: Version,
    /// The accelerator and why it was chosen.
    pub accelerator: AcceleratorChoice,
    /// The host CPUs asked for; `None` is no pinning.
    pub host_cpus_requested: Option<CpuSet>,
    /// The affinity of QEMU's main thread before the guest's first instruction, read back from the kernel; `None` if
    /// the run ended before that.
    pub host_cpus_in_force: Option<CpuSet>,
    /// The vCPU threads, by CPU index; empty if the run ended before they were known.
    pub vcpus: Vec<VcpuThread>,
    /// The registers of the guest's CPUs when the run was ended, by CPU index. Empty if QEMU ended by itself, had not
    /// started the guest, or did not answer in time.
    pub last_registers: Vec<CpuState>,
    /// When things happened.
    pub timeline: Timeline,
    /// Bytes in the serial log.
    pub serial_bytes: u64,
    /// The serial log: every byte the guest sent to its first serial port, in order, unchanged.
    pub serial_log: PathBuf,
    /// The end of QEMU's standard error, at most 64 KiB.
    pub stderr: String,
    /// Every QMP event, one raw JSON line each, in order; the first thousand.
    pub qmp_events: Vec<String>,
    /// Whether the kernel would have killed QEMU had this program died (`setpriv` was found).
    pub dies_with_parent: bool,
}

/// When things happened, by the host's monotonic clock. Wall time: evidence about the run, never a measurement.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Timeline {
    /// When QEMU was started, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// From QEMU's start to the guest's first instruction, in microseconds.
    pub cont_us: Option<u64>,
    /// From QEMU's start to the first byte on the serial port, in microseconds.
    pub first_serial_us: Option<u64>,
    /// From QEMU's start to its end, in microseconds.
    pub exit_us: u64,
}
