//! The input of every check: the host's files, and the CPUs that a guest would get.

use std::collections::BTreeSet;

use crate::{CpuSet, HostTopology, Root};

/// A host and the CPUs that a guest would get of it.
pub struct Host {
    /// Where /proc and /sys are.
    pub root: Root,
    /// The CPUs that a guest can run on: the CPUs that it is pinned to, else all that this process may use.
    pub cpus: CpuSet,
    /// Whether vCPUs are pinned, one to a CPU.
    pub pinned: bool,
    /// All online CPUs of the host; the guest's CPUs if that cannot be read.
    pub online: CpuSet,
}

impl Host {
    /// The host below `root`, for a guest that gets `cpus`.
    #[must_use]
    pub fn new(root: Root, cpus: CpuSet, pinned: bool) -> Self {
        let online = root.cpus("/sys/devices/system/cpu/online").unwrap_or_else(|| cpus.clone());
        Self { root, cpus, pinned, online }
    }

    /// Which CPUs share a core.
    #[must_use]
    pub fn topology(&self) -> HostTopology {
        HostTopology::of(&self.root)
    }

    /// How many cores the guest's CPUs are on; `None` if the host does not show which of them share one.
    #[must_use]
    pub fn cores(&self) -> Option<usize> {
        self.topology().cores(&self.cpus)
    }

    /// The socket of a CPU; `None` if the host does not show it.
    #[must_use]
    pub fn package(&self, cpu: usize) -> Option<u64> {
        self.root.number(&format!("/sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id"))
    }

    /// The other threads of the guest's cores, which the guest does not get.
    #[must_use]
    pub fn idle_siblings(&self) -> BTreeSet<usize> {
        let topology = self.topology();
        let threads = self.cpus.iter().filter_map(|cpu| topology.threads_of(cpu));
        let threads = threads.flat_map(|threads| threads.iter().collect::<Vec<_>>());
        threads.filter(|cpu| !self.cpus.contains(*cpu) && self.online.contains(*cpu)).collect()
    }

    /// The NUMA nodes that have CPUs of the guest: name and the guest's CPUs.
    #[must_use]
    pub fn nodes(&self) -> Vec<(String, BTreeSet<usize>)> {
        let nodes = self.all_nodes().into_iter().map(|(name, all)| (name, common(&all, &self.cpus)));
        nodes.filter(|(_, cpus)| !cpus.is_empty()).collect()
    }

    /// All NUMA nodes that have CPUs.
    #[must_use]
    pub fn all_nodes(&self) -> Vec<(String, CpuSet)> {
        const NODES: &str = "/sys/devices/system/node";
        let names = self.root.names(NODES).into_iter();
        let nodes = names.filter(|name| name.strip_prefix("node").is_some_and(|n| n.parse::<u32>().is_ok()));
        let nodes = nodes.filter_map(|name| {
            let cpus = self.root.cpus(&format!("{NODES}/{name}/cpulist"))?;
            Some((name, cpus))
        });
        nodes.collect()
    }
}

/// The CPUs that are in both sets.
#[must_use]
pub fn common(one: &CpuSet, other: &CpuSet) -> BTreeSet<usize> {
    let other: BTreeSet<usize> = other.iter().collect();
    one.iter().filter(|cpu| other.contains(cpu)).collect()
}

/// CPUs as a list, with ranges: `0,1`, `0-3`.
#[must_use]
pub fn list(cpus: impl IntoIterator<Item = usize>) -> String {
    let numbers: Vec<String> = cpus.into_iter().map(|cpu| cpu.to_string()).collect();
    let numbers = numbers.join(",");
    numbers.parse::<CpuSet>().map_or(numbers, |set| set.to_string())
}

/// `1 core`, `2 cores`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}
