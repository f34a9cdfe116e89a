//! Which CPUs there are, and running on one of them.

use std::fs;
use std::io;

use abi::{ApicId, CpuId};
use kernel::acpi::srat::{Affinity, affinities};
use kernel::smp::Located;
use kernel::smp::order::worker_order;
use kernel::x86::{cpuid, topology};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A CPU that workers can run on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cpu {
    /// Its number in the records: in a guest Linux's own, natively its place among those used.
    pub id: CpuId,
    /// Linux's number of it.
    pub linux: usize,
    /// Its local APIC id.
    pub apic: ApicId,
    /// Where it is in the machine.
    pub located: Located,
}

/// The CPUs there are.
#[derive(Debug)]
pub struct Roster {
    /// Those that are up, in the order in which workers get them.
    pub online: Vec<Cpu>,
    /// Those that the machine has and that Linux did not bring up.
    pub missing: Vec<CpuId>,
}

impl Roster {
    /// All CPUs of this machine, in the kernel's own order for workers.
    ///
    /// # Errors
    /// Linux does not tell, or does not let us run on one.
    pub fn of_machine() -> io::Result<Self> {
        let list = |name: &str| {
            let text = fs::read_to_string(format!("/sys/devices/system/cpu/{name}"))?;
            let unread = || io::Error::other(format!("cpu/{name}: not a list of CPUs"));
            parse_list(text.trim()).ok_or_else(unread)
        };
        let online = list("online")?;
        let mut missing = list("present")?;
        missing.retain(|cpu| !online.contains(cpu));
        let online: Vec<_> = online.iter().map(|&linux| (id(linux), linux)).collect();
        let cpus = look_at(&online)?;
        let located: Vec<_> = cpus.iter().map(|cpu| cpu.located).collect();
        let order = worker_order(&located).into_iter();
        let online = order.filter_map(|id| cpus.iter().find(|cpu| cpu.id == id).copied()).collect();
        Ok(Self { online, missing: missing.into_iter().map(id).collect() })
    }

    /// The CPUs of `list`, or all that this process may use.
    ///
    /// # Errors
    /// Linux does not let us run on one.
    pub fn of_list(list: Option<&[usize]>) -> io::Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let all: Vec<_> = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu)).collect();
        let numbered: Vec<_> =
            list.unwrap_or(&all).iter().enumerate().map(|(i, &cpu)| (id(i), cpu)).collect();
        Ok(Self { online: look_at(&numbered)?, missing: Vec::new() })
    }
}

fn id(number: usize) -> CpuId {
    CpuId(u16::try_from(number).unwrap_or(u16::MAX))
}

/// Runs on each in turn, to ask it who it is.
fn look_at(cpus: &[(CpuId, usize)]) -> io::Result<Vec<Cpu>> {
    let before = sched_getaffinity(None)?;
    let nodes = nodes();
    let look = |&(id, linux): &(CpuId, usize)| {
        pin(linux).map_err(|error| io::Error::other(format!("CPU {linux}: {error}")))?;
        let apic = apic_id();
        let node = nodes.iter().find(|affinity| affinity.apic_id == apic).map(|affinity| affinity.node);
        Ok(Cpu { id, linux, apic, located: Located { id, place: topology::here(), node } })
    };
    let found = cpus.iter().map(look).collect();
    sched_setaffinity(None, &before)?;
    found
}

/// The proximity domains of the CPUs, where this process may read the table that Linux has of them.
fn nodes() -> Vec<Affinity> {
    let table = fs::read("/sys/firmware/acpi/tables/SRAT").unwrap_or_default();
    affinities(&table).collect()
}

/// From here on the calling thread runs on CPU `linux` alone.
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

/// The id of the CPU that this runs on: 32 bits by leaf 0BH where it has that, else 8 (Intel SDM vol. 2A, "CPUID").
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
    fn refuses_what_is_no_list() {
        for bad in ["", "a", "1-", "-1", "2-1", "0,", "99999999"] {
            assert_eq!(parse_list(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_the_cpus_of_a_list_by_their_place() {
        let roster = Roster::of_list(None).unwrap();
        assert!(roster.online.iter().enumerate().all(|(i, cpu)| cpu.id.index() == i));
        assert!(!roster.online.is_empty() && roster.missing.is_empty());
    }
}
