//! Which CPUs of the host are threads of one core, from /sys (Linux, Documentation/ABI/stable/sysfs-devices-system-cpu),
//! and the order in which workers get CPUs, the same for guests and processes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{CpuSet, Root};

/// The CPU topology of a host. Each call reads /sys again: CPUs come and go.
#[derive(Clone, Debug)]
pub struct HostTopology(Root);

impl HostTopology {
    /// This host's topology.
    #[must_use]
    pub fn here() -> Self {
        Self::of(&Root::here())
    }

    /// The topology of the host below `root`.
    #[must_use]
    pub fn of(root: &Root) -> Self {
        Self(root.clone())
    }

    /// The threads of the core of `cpu`, including `cpu`; `None` if the host does not show them.
    #[must_use]
    pub fn threads_of(&self, cpu: usize) -> Option<CpuSet> {
        let topology = format!("/sys/devices/system/cpu/cpu{cpu}/topology");
        // The second is the newer name of the same file.
        let names = ["thread_siblings_list", "core_cpus_list"];
        let list = names.into_iter().find_map(|name| self.0.line(&format!("{topology}/{name}")))?;
        let threads: CpuSet = list.parse().ok()?;
        threads.contains(cpu).then_some(threads)
    }

    /// How many cores `cpus` are on: SMT siblings count once, because two threads of one core share it. `None` if the
    /// host does not show the core of each CPU.
    #[must_use]
    pub fn cores(&self, cpus: &CpuSet) -> Option<usize> {
        let cores: Option<BTreeSet<usize>> =
            cpus.iter().map(|cpu| self.threads_of(cpu)?.iter().next()).collect();
        Some(cores?.len())
    }

    /// As [`HostTopology::cores`], but a CPU whose core is unknown counts as one core.
    #[must_use]
    pub fn cores_at_most(&self, cpus: &CpuSet) -> usize {
        cpus.iter().map(|cpu| self.core(cpu)).collect::<BTreeSet<_>>().len()
    }

    /// [`HostTopology::cores_at_most`] as a number of vCPUs.
    #[must_use]
    pub fn core_count(&self, cpus: &CpuSet) -> u16 {
        u16::try_from(self.cores_at_most(cpus)).unwrap_or(u16::MAX)
    }

    /// All of `cpus`: one of each core first, in ascending order, then their siblings.
    #[must_use]
    pub fn spread(&self, cpus: &CpuSet) -> Vec<usize> {
        let mut used: BTreeMap<usize, usize> = BTreeMap::new();
        let place = |cpu| {
            let threads = used.entry(self.core(cpu)).or_default();
            *threads += 1;
            (*threads, cpu)
        };
        let mut by_place: Vec<(usize, usize)> = cpus.iter().map(place).collect();
        by_place.sort_unstable();
        by_place.into_iter().map(|(_, cpu)| cpu).collect()
    }

    /// A CPU of `cpus` for each of `workers`, in the order of [`HostTopology::spread`], as for vCPUs. With more workers
    /// than CPUs the order repeats.
    #[must_use]
    pub fn spread_workers(&self, cpus: &CpuSet, workers: u16) -> Vec<usize> {
        self.spread(cpus).into_iter().cycle().take(usize::from(workers)).collect()
    }

    /// A core's number is its first thread's. A CPU whose core is unknown counts as one core.
    fn core(&self, cpu: usize) -> usize {
        self.threads_of(cpu).and_then(|threads| threads.iter().next()).unwrap_or(cpu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host with one CPU for each list of siblings.
    fn host(siblings: &[&str]) -> (tempfile::TempDir, HostTopology) {
        let folder = tempfile::tempdir().unwrap();
        for (cpu, list) in siblings.iter().enumerate() {
            let at = folder.path().join(format!("sys/devices/system/cpu/cpu{cpu}/topology"));
            std::fs::create_dir_all(&at).unwrap();
            std::fs::write(at.join("thread_siblings_list"), format!("{list}\n")).unwrap();
        }
        let topology = HostTopology::of(&Root::new(folder.path()));
        (folder, topology)
    }

    fn read(siblings: &[&str], cpus: &str) -> (Vec<usize>, Option<usize>, usize) {
        let (_files, host) = host(siblings);
        let cpus = cpus.parse().unwrap();
        (host.spread(&cpus), host.cores(&cpus), host.cores_at_most(&cpus))
    }

    #[test]
    fn each_core_comes_before_any_sibling_however_they_are_numbered() {
        let adjacent = ["0-1", "0-1", "2-3", "2-3"];
        assert_eq!(read(&adjacent, "0-3"), (vec![0, 2, 1, 3], Some(2), 2));
        assert_eq!(read(&adjacent, "1-3"), (vec![1, 2, 3], Some(2), 2));
        let split = ["0,2", "1,3", "0,2", "1,3"];
        assert_eq!(read(&split, "0-3"), (vec![0, 1, 2, 3], Some(2), 2));
        assert_eq!(read(&split, "0,2,3"), (vec![0, 3, 2], Some(2), 2));
    }

    #[test]
    fn the_core_count_is_unknown_if_a_cpus_core_is_unknown() {
        assert_eq!(read(&[], "0-3"), (vec![0, 1, 2, 3], None, 4));
        assert_eq!(read(&["0-1", "0-1"], "0-2"), (vec![0, 2, 1], None, 2));
        // A list without the CPU itself is ignored.
        assert_eq!(read(&["1", "x"], "0,1"), (vec![0, 1], None, 2));
    }

    #[test]
    fn this_host_has_at_least_one_core() {
        let allowed = CpuSet::allowed().unwrap();
        assert!((1..=allowed.len()).contains(&usize::from(HostTopology::here().core_count(&allowed))));
    }

    #[test]
    fn workers_get_every_cpu_before_any_twice() {
        let allowed = CpuSet::allowed().unwrap();
        let all: Vec<usize> = allowed.iter().collect();
        let workers = u16::try_from(2 * all.len()).unwrap();
        let spread_twice = HostTopology::here().spread_workers(&allowed, workers);
        let mut once = spread_twice[..all.len()].to_vec();
        assert_eq!(spread_twice[all.len()..], once);
        once.sort_unstable();
        assert_eq!(once, all);
    }
}
