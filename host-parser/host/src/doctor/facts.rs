//! What was seen, as data: for scripts that judge a host by bounds of their own. What is not known is null.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::cpuset::{self, Cpuset};
use super::host::Host;
use super::load::{self, LoadSample};
use super::sample::{Program, Sample};
use super::{frequency, isolation, kinds};
use crate::CpuSet;

/// All of it. CPUs are numbers, and sets of them lists as `taskset -c` has them.
#[derive(Debug, Serialize)]
pub struct Facts {
    accelerator: AcceleratorFact,
    qemu: Option<ProgramFact>,
    topology: Topology,
    frequency: Frequency,
    isolation: Isolation,
    load: Load,
    steal: Steal,
}

/// What executes the instructions of guests.
#[derive(Clone, Debug, Serialize)]
pub struct AcceleratorFact {
    /// Its name.
    pub name: String,
    /// Why it was chosen.
    pub why: String,
}

/// A program that was found.
#[derive(Clone, Debug, Serialize)]
pub struct ProgramFact {
    /// Where it is.
    pub path: String,
    /// Its version.
    pub version: String,
}

/// Of all CPUs that are online.
#[derive(Debug, Serialize)]
struct Topology {
    cpus: Vec<Cpu>,
    cores: Option<usize>,
    /// Of the guest's CPUs alone.
    guest_cores: Option<usize>,
    sockets: usize,
    caches: Vec<Cache>,
    nodes: BTreeMap<String, CpuSet>,
}

#[derive(Debug, Serialize)]
struct Cpu {
    cpu: usize,
    /// Whether the guest may get it.
    guest: bool,
    /// The threads of its core, itself among them.
    threads: Option<CpuSet>,
    socket: Option<u64>,
    node: Option<String>,
    kind: Option<String>,
}

/// A cache, once for all that share it.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
struct Cache {
    level: u64,
    /// `data`, `instruction`, `unified`.
    holds: String,
    kib: Option<u64>,
    cpus: String,
}

#[derive(Debug, Serialize)]
struct Frequency {
    /// Those of the guest's CPUs.
    governors: BTreeSet<String>,
    turbo: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Isolation {
    /// By the command line of the host's kernel, or by an isolated cpuset.
    isolated: Option<CpuSet>,
    nohz_full: Option<CpuSet>,
    rcu_nocbs: Option<CpuSet>,
    cpuset: Option<Cpuset>,
}

#[derive(Debug, Serialize)]
struct Load {
    one_minute: Option<f64>,
    five_minutes: Option<f64>,
    /// While the load was sampled.
    guest: Option<Busy>,
    /// The other threads of the guest's cores.
    siblings: Option<Busy>,
}

#[derive(Debug, Serialize)]
struct Busy {
    cpus: String,
    busy_cpus: f64,
    programs: Vec<Program>,
}

/// Parts of the time of the guest's CPUs, 1 for all of it.
#[derive(Debug, Serialize)]
struct Steal {
    now: Option<f64>,
    since_boot: f64,
}

impl Facts {
    /// Those of `host`.
    #[must_use]
    pub fn new(
        host: &Host,
        accelerator: AcceleratorFact,
        qemu: Option<ProgramFact>,
        sampled: &LoadSample,
    ) -> Self {
        let busy = |cpus: String, sample: &Sample| Busy {
            cpus,
            busy_cpus: sample.busy_cpus,
            programs: sample.programs.clone(),
        };
        let averages = load::averages(host);
        Self {
            accelerator,
            qemu,
            topology: topology(host),
            frequency: Frequency {
                governors: frequency::governors(host),
                turbo: frequency::boost(host).map(|boost| boost.on),
            },
            isolation: Isolation {
                isolated: isolation::isolated_cpus(host),
                nohz_full: isolation::nohz_full(host),
                rcu_nocbs: isolation::rcu_nocbs(host),
                cpuset: cpuset::of(&host.root),
            },
            load: Load {
                one_minute: averages.map(|(one, _)| one),
                five_minutes: averages.map(|(_, five)| five),
                guest: sampled.guest.as_ref().map(|sample| busy(host.cpus.to_string(), sample)),
                siblings: sampled
                    .siblings
                    .as_ref()
                    .map(|(cpus, sample)| busy(super::host::list(cpus.iter().copied()), sample)),
            },
            steal: Steal {
                now: sampled.guest.as_ref().map(|sample| sample.steal),
                since_boot: sampled.steal_since_boot,
            },
        }
    }
}

fn topology(host: &Host) -> Topology {
    let (root, threads) = (&host.root, host.topology());
    let nodes: BTreeMap<String, CpuSet> = host.all_nodes().into_iter().collect();
    let kinds = kinds::of(root, &host.online);
    let cpu = |cpu: usize| Cpu {
        cpu,
        guest: host.cpus.contains(cpu),
        threads: threads.threads_of(cpu),
        socket: host.package(cpu),
        node: nodes.iter().find(|(_, cpus)| cpus.contains(cpu)).map(|(name, _)| name.clone()),
        kind: kinds.iter().find(|kind| kind.cpus.contains(&cpu)).map(|kind| kind.name.clone()),
    };
    let caches: BTreeSet<Cache> = host.online.iter().flat_map(|cpu| caches(host, cpu)).collect();
    let cpus: Vec<Cpu> = host.online.iter().map(cpu).collect();
    Topology {
        cores: threads.cores(&host.online),
        guest_cores: host.cores(),
        sockets: cpus.iter().filter_map(|cpu| cpu.socket).collect::<BTreeSet<_>>().len(),
        cpus,
        caches: caches.into_iter().collect(),
        nodes,
    }
}

fn caches(host: &Host, cpu: usize) -> Vec<Cache> {
    let at = format!("/sys/devices/system/cpu/cpu{cpu}/cache");
    let cache = |name: &String| {
        let read = |file: &str| host.root.line(&format!("{at}/{name}/{file}"));
        Some(Cache {
            level: read("level")?.parse().ok()?,
            holds: read("type")?.to_lowercase(),
            kib: read("size").and_then(|size| size.strip_suffix('K')?.parse().ok()),
            cpus: host.root.cpus(&format!("{at}/{name}/shared_cpu_list"))?.to_string(),
        })
    };
    host.root.names(&at).iter().filter_map(cache).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    fn data(host: &Host, sampled: &LoadSample) -> serde_json::Value {
        let accelerator = AcceleratorFact { name: "tcg".to_owned(), why: "asked for".to_owned() };
        serde_json::to_value(Facts::new(host, accelerator, None, sampled)).unwrap()
    }

    #[test]
    fn a_hybrid_host_is_data_and_not_prose() {
        let host = Fixture::hybrid().file("/sys/devices/system/cpu/intel_pstate/no_turbo", "0");
        let host =
            host.file("/sys/devices/system/cpu/nohz_full", "2-3").file("/proc/loadavg", "0.50 1.25 2 1/9 9");
        let sample = |name: &str| Sample {
            busy_cpus: 0.5,
            steal: 0.25,
            programs: vec![Program { name: name.to_owned(), processes: 1, part: 0.5 }],
        };
        let siblings = Some((BTreeSet::from([1, 3]), sample("cc1")));
        let sampled = LoadSample { guest: Some(sample("rustc")), siblings, steal_since_boot: 0.125 };
        let data = host.probe("0,2", true, |host| data(host, &sampled));
        let topology = &data["topology"];
        assert_eq!((&topology["cores"], &topology["guest_cores"]), (&12.into(), &2.into()));
        assert_eq!((&topology["sockets"], &topology["nodes"]["node0"]), (&1.into(), &"0-15".into()));
        assert_eq!(
            topology["cpus"][1],
            serde_json::json!({
                "cpu": 1, "guest": false, "threads": "0,1", "socket": 0, "node": "node0", "kind": "performance"
            })
        );
        let caches = topology["caches"].as_array().unwrap();
        assert_eq!(caches.len(), 13);
        let last = serde_json::json!({ "level": 3, "holds": "unified", "kib": 32768, "cpus": "0-15" });
        assert_eq!(caches[12], last);
        assert_eq!(data["frequency"], serde_json::json!({ "governors": [], "turbo": true }));
        assert_eq!(
            (&data["isolation"]["nohz_full"], &data["isolation"]["isolated"]),
            (&"2,3".into(), &().into())
        );
        assert_eq!((&data["load"]["one_minute"], &data["load"]["five_minutes"]), (&0.5.into(), &1.25.into()));
        assert_eq!(data["load"]["guest"]["programs"][0]["name"], "rustc");
        let siblings = &data["load"]["siblings"];
        assert_eq!((&siblings["cpus"], &siblings["programs"][0]["part"]), (&"1,3".into(), &0.5.into()));
        assert_eq!(data["steal"], serde_json::json!({ "now": 0.25, "since_boot": 0.125 }));
        assert_eq!((&data["accelerator"]["name"], &data["qemu"]), (&"tcg".into(), &().into()));
    }

    #[test]
    fn what_is_not_known_is_null_and_not_made_up() {
        let data = Fixture::new().probe("0,1", false, |host| data(host, &LoadSample::default()));
        for fact in ["/topology/cores", "/topology/cpus/0/threads", "/frequency/turbo", "/isolation/cpuset"] {
            assert!(data.pointer(fact).unwrap_or_else(|| panic!("no {fact}")).is_null(), "{fact} in {data}");
        }
    }
}
