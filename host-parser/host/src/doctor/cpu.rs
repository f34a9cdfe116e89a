//! Topology: how many CPUs a guest can get, and which cores, caches and nodes they share.

use std::collections::BTreeSet;

use super::caches::{self, Cache};
use super::check::Check;
use super::finding::Finding;
use super::host::{Host, count, list};
use super::kinds::suggestion;
use crate::{CpuSet, HostTopology};

/// A speed-up needs two cores. With four, no usual case is functional only.
const CORES_WANTED: usize = 4;

/// The checks of the topology.
pub fn probe(host: &Host) -> Vec<Finding> {
    vec![cpus(host), pinning(host), smt(host), caches(host), numa(host)]
}

fn cpus(host: &Host) -> Finding {
    let usable = host.cpus.len();
    let sockets = match host.cpus.iter().filter_map(|cpu| host.package(cpu)).collect::<BTreeSet<_>>().len() {
        0 => String::new(),
        packages => format!(", {}", count(packages, "socket")),
    };
    let of = match host.online.len() {
        online if online == usable => format!("{} online", count(usable, "CPU")),
        online => format!("{} of {online} online", count(usable, "CPU")),
    };
    let Some(cores) = host.cores() else {
        let value =
            format!("{of} ({}){sockets}; the host does not show which of them share a core", host.cpus);
        let found = Check::Cpus.judge(value, true, usable < 2);
        return found.remedy("Name CPUs of different cores with `--cpus LIST`: each counts as a core.");
    };
    let value = format!("{of} ({}): {}{sockets}", host.cpus, count(cores, "core"));
    match cores {
        0 | 1 => Check::Cpus.bad(value),
        cores if cores < CORES_WANTED => {
            let value = format!("{value}; cases of more than {cores} workers are functional only");
            let found = Check::Cpus.warn(value);
            if usable < host.online.len() { found } else { found.remedy("Use a host with more cores.") }
        }
        _ => Check::Cpus.ok(value),
    }
}

fn pinning(host: &Host) -> Finding {
    if host.pinned {
        return Check::Pinning.ok(format!("to CPUs {}", host.cpus));
    }
    Check::Pinning
        .warn("none")
        .remedy(format!("`assay run ... --cpus {}`: one thread of each core.", suggestion(host)))
}

fn smt(host: &Host) -> Finding {
    if host.root.line("/sys/devices/system/cpu/smt/control").is_some_and(|control| control.ends_with("off")) {
        return Check::Smt.ok("switched off");
    }
    let Some(cores) = host.cores() else { return Check::Smt.unknown("no threads of cores in /sys") };
    if cores < host.cpus.len() {
        let value = format!("CPUs {} have siblings among the guest's", list(siblings(host)));
        let pin = format!("`--cpus {}`, one thread of each core; or switch it off: ", suggestion(host));
        return Check::Smt
            .warn(value)
            .remedy(pin + "`echo off | sudo tee /sys/devices/system/cpu/smt/control`.");
    }
    let idle = host.idle_siblings();
    if idle.is_empty() {
        return Check::Smt.ok("none");
    }
    Check::Smt.ok(format!("on; the guest has one thread of each core (keep {} idle)", list(idle)))
}

/// The guest's CPUs that have a sibling among the guest's CPUs.
fn siblings(host: &Host) -> Vec<usize> {
    let topology = host.topology();
    host.cpus.iter().filter(|cpu| has_sibling_in(&topology, *cpu, &host.cpus)).collect()
}

fn has_sibling_in(topology: &HostTopology, cpu: usize, cpus: &CpuSet) -> bool {
    topology
        .threads_of(cpu)
        .is_some_and(|threads| threads.iter().any(|other| other != cpu && cpus.contains(other)))
}

fn caches(host: &Host) -> Finding {
    let last_levels: Vec<Cache> = host.cpus.iter().filter_map(|cpu| last_level(host, cpu)).collect();
    let Some(Cache { level, kib, cpus, .. }) = last_levels.first() else {
        return Check::Caches.unknown("no /sys/devices/system/cpu/cpu*/cache");
    };
    let size = size(*kib);
    let different: BTreeSet<&str> = last_levels.iter().map(|cache| cache.cpus.as_str()).collect();
    if different.len() == 1 {
        return Check::Caches.ok(format!("one L{level} of {size} for CPUs {cpus}"));
    }
    let value = format!("{} of {size}", count(different.len(), &format!("L{level}")));
    // If each vCPU stays on its CPU, every run shares the same caches.
    Check::Caches.judge(value, !host.pinned, false)
}

fn last_level(host: &Host, cpu: usize) -> Option<Cache> {
    caches::of(&host.root, cpu).into_iter().max_by_key(|cache| cache.level)
}

/// A cache's size, in MiB from 1 MiB on.
fn size(kib: Option<u64>) -> String {
    match kib {
        Some(kib) if kib >= 1024 => format!("{} MiB", kib / 1024),
        Some(kib) => format!("{kib} KiB"),
        None => "unknown size".to_owned(),
    }
}

fn numa(host: &Host) -> Finding {
    let nodes = host.nodes();
    match nodes.as_slice() {
        [] => Check::Numa.unknown("no /sys/devices/system/node"),
        [(name, _)] => Check::Numa.ok(format!("one node ({name})")),
        [(first, cpus), ..] => {
            let cpus = list(cpus.iter().copied());
            let remedy = format!("Stay on one, by `--cpus`: {first} has CPUs {cpus}.");
            Check::Numa.warn(format!("the guest's CPUs are in {} nodes", nodes.len())).remedy(remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::Fault;
    use crate::doctor::finding::Status;
    use crate::fixture::Fixture;

    /// Two cores of two threads each, numbered in Linux's order: all first threads come first.
    fn smt_host() -> Fixture {
        let host = Fixture::new().file("/sys/devices/system/cpu/online", "0-3");
        let host = host.file("/sys/devices/system/cpu/smt/control", "on");
        host.core(&[0, 2], 0, "0-3")
            .core(&[1, 3], 0, "0-3")
            .file("/sys/devices/system/node/node0/cpulist", "0-3")
    }

    #[test]
    fn siblings_are_one_core_and_a_reason_to_pin() {
        smt_host().probe("0-3", false, |host| {
            assert_eq!(host.cores(), Some(2));
            assert_eq!(
                cpus(host).value,
                "4 CPUs online (0-3): 2 cores, 1 socket; cases of more than 2 workers \
                                          are functional only"
            );
            let smt = smt(host);
            assert_eq!(smt.status, Status::Warn);
            assert!(smt.value.contains("0-3") && smt.help().contains("--cpus 0,1"), "{smt:?}");
            assert!(pinning(host).help().contains("--cpus 0,1"));
        });
    }

    #[test]
    fn one_thread_of_each_core_is_ok() {
        smt_host().probe("0,1", true, |host| {
            assert_eq!(smt(host).status, Status::Ok);
            assert_eq!(pinning(host).status, Status::Ok);
            assert!(cpus(host).value.starts_with("2 CPUs of 4 online (0,1): 2 cores"));
        });
    }

    #[test]
    fn a_single_core_cannot_show_a_speed_up() {
        let found = smt_host().probe("1,3", true, cpus);
        assert_eq!((found.status, found.check.fault()), (Status::Bad, Fault::Unsupported));
        assert_eq!(Fixture::with_cpus("0-3").probe("0-3", false, cpus).status, Status::Ok);
    }

    #[test]
    fn separate_caches_and_nodes_are_counted() {
        let two_sockets = || {
            let host = Fixture::new().file("/sys/devices/system/node/node0/cpulist", "0,1");
            let host = host.file("/sys/devices/system/node/node1/cpulist", "2,3");
            host.core(&[0], 0, "0,1").core(&[1], 0, "0,1").core(&[2], 1, "2,3").core(&[3], 1, "2,3")
        };
        two_sockets().probe("0-3", false, |host| {
            assert!(cpus(host).value.contains("2 sockets"));
            assert_eq!((caches(host).status, numa(host).status), (Status::Warn, Status::Warn));
            assert_eq!(caches(host).value, "2 L3s of 32 MiB");
            assert!(numa(host).help().contains("node0 has CPUs 0,1"));
            assert_eq!(suggestion(host), "0,1");
        });
        two_sockets().probe("2,3", true, |host| {
            assert_eq!(caches(host).value, "one L3 of 32 MiB for CPUs 2,3");
            assert_eq!(numa(host).value, "one node (node1)");
        });
    }

    #[test]
    fn a_host_that_shows_nothing_is_unknown() {
        Fixture::new().probe("0,1", false, |host| {
            assert_eq!((caches(host).status, numa(host).status), (Status::Unknown, Status::Unknown));
            let cpus = cpus(host);
            assert_eq!(
                (cpus.status, cpus.value.as_str()),
                (Status::Warn, "2 CPUs online (0,1); the host does not show which of them share a core")
            );
            assert_eq!(smt(host).status, Status::Unknown);
        });
    }
}
