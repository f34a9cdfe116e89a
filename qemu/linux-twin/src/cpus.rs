//! The CPUs that workers can run on, and pinning a thread to one of them.

use std::fs;
use std::io;

use abi::{ApicId, CpuId};
use harness::order::{Located, worker_order};
use harness::srat::{Affinity, affinities};
use harness::x86::{cpuid, topology};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A CPU that workers can run on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cpu {
    /// Its number in the records: in a guest Linux's own, natively its index among the CPUs used.
    pub id: CpuId,
    /// Linux's number of the CPU.
    pub linux: usize,
    /// Its local APIC id.
    pub apic: ApicId,
    /// Its place in the machine.
    pub located: Located,
}

/// All CPUs.
#[derive(Debug)]
pub struct Roster {
    /// The CPUs that are online, in worker order.
    pub online: Vec<Cpu>,
    /// CPUs that the machine has and that Linux did not bring up.
    pub missing: Vec<CpuId>,
}

impl Roster {
    /// All CPUs of this machine, in the kernel's own order for workers.
    ///
    /// # Errors
    /// Linux does not list them, or does not let this process run on one.
    pub fn of_machine() -> io::Result<Self> {
        let online = listed("online")?;
        let mut missing = listed("present")?;
        missing.retain(|cpu| !online.contains(cpu));
        let online: Vec<_> = online.iter().map(|&linux| (id(linux), linux)).collect();
        let cpus = locate(&online)?;
        let located: Vec<_> = cpus.iter().map(|cpu| cpu.located).collect();
        let order = worker_order(&located).into_iter();
        let online = order.filter_map(|id| cpus.iter().find(|cpu| cpu.id == id).copied()).collect();
        Ok(Self { online, missing: missing.into_iter().map(id).collect() })
    }

    /// The CPUs of `list`, or all that this process may use.
    ///
    /// # Errors
    /// Linux does not let this process run on one.
    pub fn of_list(list: Option<&[usize]>) -> io::Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let all: Vec<_> = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu)).collect();
        let numbered: Vec<_> =
            list.unwrap_or(&all).iter().enumerate().map(|(i, &cpu)| (id(i), cpu)).collect();
        Ok(Self { online: locate(&numbered)?, missing: Vec::new() })
    }
}

fn id(number: usize) -> CpuId {
    CpuId(u16::try_from(number).unwrap_or(u16::MAX))
}

/// A list of CPUs in sysfs.
fn listed(name: &str) -> io::Result<Vec<usize>> {
    let text = fs::read_to_string(format!("/sys/devices/system/cpu/{name}"))?;
    parse_list(text.trim()).ok_or_else(|| io::Error::other(format!("cpu/{name}: not a list of CPUs")))
}

/// Runs on each CPU in turn, and reads its place.
fn locate(cpus: &[(CpuId, usize)]) -> io::Result<Vec<Cpu>> {
    let before = sched_getaffinity(None)?;
    let nodes = nodes();
    let located = cpus.iter().map(|&(id, linux)| locate_one(id, linux, &nodes)).collect();
    sched_setaffinity(None, &before)?;
    located
}

/// Moves this thread to a CPU and reads its place.
fn locate_one(id: CpuId, linux: usize, nodes: &[Affinity]) -> io::Result<Cpu> {
    pin(linux).map_err(|error| io::Error::other(format!("CPU {linux}: {error}")))?;
    let apic = apic_id();
    let node = nodes.iter().find(|affinity| affinity.apic_id == apic).map(|affinity| affinity.node);
    Ok(Cpu { id, linux, apic, located: Located { id, place: topology::here(), node } })
}

/// The proximity domains of the CPUs. None if this process may not read the SRAT in sysfs.
fn nodes() -> Vec<Affinity> {
    let table = fs::read("/sys/firmware/acpi/tables/SRAT").unwrap_or_default();
    affinities(&table).collect()
}

/// Pins the calling thread to CPU `linux`.
///
/// # Errors
/// Linux's, for a CPU that is not there or not allowed.
pub fn pin(linux: usize) -> io::Result<()> {
    if linux >= CpuSet::MAX_CPU {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut set = CpuSet::new();
    set.set(linux);
    Ok(sched_setaffinity(None, &set)?)
}

/// The local APIC id of the CPU that runs this: 32 bits by leaf 0BH if the CPU has it, else 8 (Intel SDM vol. 2A, "CPUID").
fn apic_id() -> ApicId {
    let topology = cpuid::leaf(0xb, 0);
    ApicId(if topology.ebx == 0 { cpuid::leaf(1, 0).ebx >> 24 } else { topology.edx })
}

/// A list of CPUs as Linux writes it: `0,2-3`.
#[must_use]
pub fn parse_list(text: &str) -> Option<Vec<usize>> {
    let mut cpus = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let last = last.parse::<usize>().ok().filter(|&last| last < CpuSet::MAX_CPU)?;
        let range = first.parse().ok()?..=last;
        if range.is_empty() {
            return None;
        }
        cpus.extend(range);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lists_in_their_order() {
        assert_eq!(parse_list("0"), Some(vec![0]));
        assert_eq!(parse_list("3,0-1,0"), Some(vec![3, 0, 1, 0]));
    }

    #[test]
    fn refuses_other_text() {
        for bad in ["", "a", "1-", "-1", "2-1", "0,", "99999999"] {
            assert_eq!(parse_list(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_the_cpus_of_a_list_by_their_index() {
        let roster = Roster::of_list(None).unwrap();
        assert!(roster.online.iter().enumerate().all(|(i, cpu)| cpu.id.index() == i));
        assert!(!roster.online.is_empty() && roster.missing.is_empty());
    }
}
