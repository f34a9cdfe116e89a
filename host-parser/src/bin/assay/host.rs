//! The host: how many CPUs a guest can have, and what the report says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use host_parser::results::Host;
use qemu::CpuSet;

/// What this host is.
pub fn describe() -> Host {
    let uname = rustix::system::uname();
    let system =
        [uname.sysname(), uname.release(), uname.machine()].map(|part| part.to_string_lossy().into_owned());
    let load = fs::read_to_string("/proc/loadavg").ok();
    Host {
        system: system.join(" "),
        cpu: cpu_name().unwrap_or_else(|| "unknown".to_owned()),
        cpus_online: u16::try_from(online()).unwrap_or(u16::MAX),
        load: load.and_then(|load| load.split_whitespace().next()?.parse().ok()),
    }
}

fn online() -> usize {
    let list = fs::read_to_string("/sys/devices/system/cpu/online").ok();
    let set = list.and_then(|list| list.trim().parse::<CpuSet>().ok());
    set.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), |set| set.len())
}

fn cpu_name() -> Option<String> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// How many cores are among `cpus`: of SMT siblings one counts, for two threads on one core are not two CPUs' worth.
pub fn cores(cpus: &CpuSet) -> u16 {
    let cores: BTreeSet<String> = cpus.iter().map(core).collect();
    u16::try_from(cores.len()).unwrap_or(u16::MAX)
}

/// A CPU of `cpus` for each of `workers`: one of each core first, then their siblings; where that is not enough, the
/// same again.
pub fn spread(cpus: &CpuSet, workers: u16) -> Vec<usize> {
    let mut by_place: Vec<(usize, usize)> = Vec::new();
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    for cpu in cpus.iter() {
        let threads = used.entry(core(cpu)).or_default();
        by_place.push((*threads, cpu));
        *threads += 1;
    }
    by_place.sort_unstable();
    by_place.iter().map(|&(_, cpu)| cpu).cycle().take(usize::from(workers)).collect()
}

/// The core of a CPU, by its threads.
fn core(cpu: usize) -> String {
    let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
    fs::read_to_string(path).map_or_else(|_| cpu.to_string(), |siblings| siblings.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_has_at_least_one_core() {
        let allowed = CpuSet::allowed().unwrap();
        assert!((1..=allowed.len()).contains(&usize::from(cores(&allowed))));
        assert!(describe().cpus_online >= 1);
    }

    #[test]
    fn workers_get_every_cpu_before_any_twice() {
        let allowed = CpuSet::allowed().unwrap();
        let all: Vec<usize> = allowed.iter().collect();
        let spread_twice = spread(&allowed, u16::try_from(2 * all.len()).unwrap());
        let mut once = spread_twice[..all.len()].to_vec();
        assert_eq!(spread_twice[all.len()..], once);
        once.sort_unstable();
        assert_eq!(once, all);
    }
}
