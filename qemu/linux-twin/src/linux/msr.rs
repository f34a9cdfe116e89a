//! /dev/cpu/N/msr: a CPU's model-specific registers, if Linux has the driver and this process may read them.

use std::fs::File;
use std::os::unix::fs::FileExt;

use abi::CpuId;
use harness::conditions::{Counters, IA32_APERF, IA32_MPERF, MSR_SMI_COUNT};
use harness::registers::{ModelSpecific, State, model_specific};
use harness::x86::cpuid::{self, bit, leaf};
use rustix::thread::{sched_getaffinity, sched_setaffinity};

use crate::cpus::{Cpu, pin};

/// A CPU's registers.
#[derive(Debug)]
pub struct Registers(File);

impl Registers {
    /// Those of the CPU with this number of Linux's; `None` if they cannot be read.
    #[must_use]
    pub fn of(cpu: usize) -> Option<Self> {
        File::open(format!("/dev/cpu/{cpu}/msr")).ok().map(Self)
    }

    /// A register; `None` if the CPU does not have it.
    fn read(&self, number: u32) -> Option<u64> {
        let mut value = [0; 8];
        self.0.read_exact_at(&mut value, number.into()).ok()?;
        Some(u64::from_le_bytes(value))
    }

    /// What the CPU counts, as the kernel reads it.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let frequency = bit(leaf(6, 0).ecx, 0);
        let intel = cpuid::vendor().as_str() == "GenuineIntel";
        let read = |there: bool, number| if there { self.read(number) } else { None };
        Counters {
            aperf: read(frequency, IA32_APERF),
            mperf: read(frequency, IA32_MPERF),
            smis: read(intel, MSR_SMI_COUNT),
        }
    }
}

/// The registers of `cpus` as Linux has set them, by number, without CPUs whose registers cannot be read.
#[must_use]
pub fn states(cpus: &[Cpu]) -> Vec<(CpuId, Vec<State>)> {
    let Ok(before) = sched_getaffinity(None) else { return Vec::new() };
    let mut cpus = cpus.to_vec();
    cpus.sort_unstable_by_key(|cpu| cpu.id);
    let each = cpus.iter().filter_map(|cpu| {
        let registers = Registers::of(cpu.linux)?;
        // CPUID is the CPU's own.
        pin(cpu.linux).ok()?;
        let state = |ModelSpecific { name, number }| {
            let value = registers.read(number)?;
            Some(State { name, found: value, value })
        };
        Some((cpu.id, model_specific().into_iter().filter_map(state).collect()))
    });
    let states = each.collect();
    let _ = sched_setaffinity(None, &before);
    states
}
