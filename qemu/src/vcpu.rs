//! The host threads that execute the guest's CPUs.

use std::io;

use serde::Serialize;

use crate::CpuSet;

/// A vCPU and the host thread that executes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VcpuThread {
    /// QEMU's index of the CPU, from 0.
    pub cpu_index: u32,
    /// QEMU's process id.
    pub pid: u32,
    /// The thread's id on the host. Under `-icount` all vCPUs share one.
    pub tid: u32,
    /// The host CPUs it may run on, read back from the kernel.
    pub pinned_to: CpuSet,
}

/// What the scheduler has counted for a thread since it began. Differences are what matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SchedStat {
    /// Time on a CPU, in ns.
    pub run_ns: u64,
    /// Time runnable but kept waiting, in ns: what the host took away.
    pub run_delay_ns: u64,
    /// Times it gave up its CPU by itself.
    pub voluntary_switches: u64,
    /// Times its CPU was taken from it.
    pub involuntary_switches: u64,
}

impl VcpuThread {
    /// Reads what the scheduler has counted for this thread.
    ///
    /// # Errors
    /// The system's reason: `NotFound` once QEMU has ended.
    pub fn sched_stat(&self) -> io::Result<SchedStat> {
        todo!()
    }
}
