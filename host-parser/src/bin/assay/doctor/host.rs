//! What every probe is given: where to look, and which CPUs a guest would get.

use std::collections::BTreeSet;

use qemu::CpuSet;

use super::cpuset;
use super::kinds::{self, Kind};
use super::root::Root;

/// A host as a guest would use it.
pub struct Host {
    /// Where to look.
    pub root: Root,
    /// The CPUs that a guest can run on: those it is pinned to, else all that this process may use.
    pub cpus: CpuSet,
    /// Whether each vCPU is held on a CPU of its own.
    pub pinned: bool,
    /// All CPUs of the host; those of the guest where that cannot be read.
    pub online: CpuSet,
}

impl Host {
    /// The host below `root`, for a guest that gets `cpus`.
    pub fn new(root: Root, cpus: CpuSet, pinned: bool) -> Self {
        let online = root.cpus("/sys/devices/system/cpu/online").unwrap_or_else(|| cpus.clone());
        Self { root, cpus, pinned, online }
    }

    /// How many cores are among the guest's CPUs; `None` where the host does not tell which of them share one.
    pub fn cores(&self) -> Option<usize> {
        self.root.topology().cores(&self.cpus)
    }

    /// The socket of a CPU, where it is told.
    pub fn package(&self, cpu: usize) -> Option<u64> {
        self.root.number(&format!("/sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id"))
    }

    /// The other threads of the guest's cores, which the guest does not get.
    pub fn idle_siblings(&self) -> BTreeSet<usize> {
        let topology = self.root.topology();
        let threads = self.cpus.iter().filter_map(|cpu| topology.threads_of(cpu));
        let threads = threads.flat_map(|threads| threads.iter().collect::<Vec<_>>());
        threads.filter(|cpu| !self.cpus.contains(*cpu) && self.online.contains(*cpu)).collect()
    }

    /// The kinds of cores that the guest's CPUs are of, the fastest first; none where nothing tells.
    pub fn kinds(&self) -> Vec<Kind> {
        kinds::of(&self.root, &self.cpus)
    }

    /// The CPUs that other tasks are kept off: by the kernel's command line, and those of this process's cgroup where
    /// it is an isolated partition. `None` where nothing tells, or none is isolated.
    pub fn isolated(&self) -> Option<CpuSet> {
        let booted = self.root.cpus("/sys/devices/system/cpu/isolated");
        let partition = cpuset::of(&self.root).filter(|cpuset| cpuset.isolated).map(|found| found.effective);
        let both = [booted, partition].into_iter().flatten().flat_map(|set| set.iter().collect::<Vec<_>>());
        list(both).parse().ok()
    }

    /// One thread of each core, of one kind and of the first node that has any, as many as the largest usual case has
    /// workers: what `--cpus` might be given. The fastest kind that has so many, or else most.
    pub fn suggestion(&self) -> String {
        const WORKERS: usize = 4;
        let topology = self.root.topology();
        let node = self.nodes().into_iter().map(|(_, cpus)| cpus).find(|cpus| cpus.len() > 1);
        let node = node.unwrap_or_else(|| self.cpus.iter().collect());
        let kinds = self.kinds().into_iter().map(|kind| node.intersection(&kind.cpus).copied().collect());
        let one_of_each = |cpus: BTreeSet<usize>| {
            let cpus: CpuSet = list(cpus).parse().ok()?;
            let cores = topology.cores_at_most(&cpus).min(WORKERS);
            Some(topology.spread(&cpus).into_iter().take(cores).collect::<Vec<_>>())
        };
        // Of several that have as many, the last one is taken: that is the fastest.
        let kinds: Vec<Vec<usize>> = kinds.filter_map(one_of_each).collect();
        let best = kinds.into_iter().rev().max_by_key(Vec::len);
        best.or_else(|| one_of_each(node)).map_or_else(|| self.cpus.to_string(), list)
    }

    /// The NUMA nodes that have CPUs of the guest, by name, with those.
    pub fn nodes(&self) -> Vec<(String, BTreeSet<usize>)> {
        let nodes = self.all_nodes().into_iter().map(|(name, all)| (name, common(&all, &self.cpus)));
        nodes.filter(|(_, cpus)| !cpus.is_empty()).collect()
    }

    /// All NUMA nodes that have CPUs.
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

/// CPUs that are in both.
pub fn common(one: &CpuSet, other: &CpuSet) -> BTreeSet<usize> {
    let other: BTreeSet<usize> = other.iter().collect();
    one.iter().filter(|cpu| other.contains(cpu)).collect()
}

/// CPUs as a list, with ranges: `0,1`, `0-3`.
pub fn list(cpus: impl IntoIterator<Item = usize>) -> String {
    let numbers: Vec<String> = cpus.into_iter().map(|cpu| cpu.to_string()).collect();
    let numbers = numbers.join(",");
    numbers.parse::<CpuSet>().map_or(numbers, |set| set.to_string())
}

/// `1 core`, `2 cores`.
pub fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}
