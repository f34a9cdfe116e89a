//! What every probe is given: where to look, and which CPUs a guest would get.

use std::collections::BTreeSet;

use qemu::CpuSet;

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

/// One thread of a core.
pub struct Cpu {
    /// Its number.
    pub id: usize,
    /// The threads of its core, as a list: the same for all of them.
    pub core: String,
    /// Its socket.
    pub package: Option<u64>,
}

impl Host {
    /// The host below `root`, for a guest that gets `cpus`.
    pub fn new(root: Root, cpus: CpuSet, pinned: bool) -> Self {
        let online = root.cpus("/sys/devices/system/cpu/online").unwrap_or_else(|| cpus.clone());
        Self { root, cpus, pinned, online }
    }

    /// The guest's CPUs one by one. A CPU that says nothing of its core is one.
    pub fn each_cpu(&self) -> Vec<Cpu> {
        let cpu = |id: usize| {
            let topology = format!("/sys/devices/system/cpu/cpu{id}/topology");
            let siblings = self.root.line(&format!("{topology}/thread_siblings_list"));
            let core = siblings.unwrap_or_else(|| id.to_string());
            Cpu { id, core, package: self.root.number(&format!("{topology}/physical_package_id")) }
        };
        self.cpus.iter().map(cpu).collect()
    }

    /// How many cores are among the guest's CPUs.
    pub fn cores(&self) -> usize {
        self.each_cpu().into_iter().map(|cpu| cpu.core).collect::<BTreeSet<_>>().len()
    }

    /// One thread of each core, of the first node that has any, as many as the largest usual case has workers: what
    /// `--cpus` might be given.
    pub fn suggestion(&self) -> String {
        const WORKERS: usize = 4;
        let node = self.nodes().into_iter().map(|(_, cpus)| cpus).find(|cpus| cpus.len() > 1);
        let mut cores = BTreeSet::new();
        let cpus = self.each_cpu().into_iter();
        let cpus = cpus.filter(|cpu| node.as_ref().is_none_or(|node| node.contains(&cpu.id)));
        let cpus = cpus.filter(|cpu| cores.insert(cpu.core.clone())).map(|cpu| cpu.id);
        list(cpus.take(WORKERS))
    }

    /// The NUMA nodes that have CPUs of the guest, by name.
    pub fn nodes(&self) -> Vec<(String, BTreeSet<usize>)> {
        const NODES: &str = "/sys/devices/system/node";
        let names = self.root.names(NODES).into_iter();
        let nodes = names.filter(|name| name.strip_prefix("node").is_some_and(|n| n.parse::<u32>().is_ok()));
        let nodes = nodes.filter_map(|name| {
            let all = self.root.cpus(&format!("{NODES}/{name}/cpulist"))?;
            Some((name, common(&all, &self.cpus)))
        });
        nodes.filter(|(_, cpus)| !cpus.is_empty()).collect()
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
