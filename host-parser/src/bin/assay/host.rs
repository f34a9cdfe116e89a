//! The host: how many CPUs a guest can have, and what the report says of it.

use std::fs;

use host_parser::results::Host;
use qemu::{CpuSet, HostTopology};

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

/// How many cores are among `cpus`, of SMT siblings one counted. Where the host does not tell, each CPU counts, and
/// [`HostCpus::tell`](crate::pinning::HostCpus::tell) says so.
pub fn cores(cpus: &CpuSet) -> u16 {
    u16::try_from(HostTopology::here().cores_at_most(cpus)).unwrap_or(u16::MAX)
}

/// A CPU of `cpus` for each of `workers`: one of each core first, then their siblings, as vCPUs get them; where that is
/// not enough, the same again.
pub fn spread(cpus: &CpuSet, workers: u16) -> Vec<usize> {
    HostTopology::here().spread(cpus).into_iter().cycle().take(usize::from(workers)).collect()
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
