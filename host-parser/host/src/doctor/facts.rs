//! The host's properties as data, for scripts that judge a host by other bounds. An unknown value is null.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::caches::{self, Cache};
use super::cpuset::{self, Cpuset};
use super::host::Host;
use super::kinds::{self, Kind};
use super::load::LoadSample;
use super::sample::{Program, Sample};
use super::{frequency, isolation};
use crate::CpuSet;

/// The host's properties. A CPU is a number; a set of CPUs is a list in the form of `taskset -c`.
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

/// The engine that executes the guest's instructions.
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
    /// Its path.
    pub path: String,
    /// Its version.
    pub version: String,
}

/// The topology of all CPUs that are online.
#[derive(Debug, Serialize)]
struct Topology {
    cpus: Vec<Cpu>,
    cores: Option<usize>,
    /// The cores of the guest's CPUs.
    guest_cores: Option<usize>,
    sockets: usize,
    caches: Vec<Cache>,
    nodes: BTreeMap<String, CpuSet>,
}

#[derive(Debug, Serialize)]
struct Cpu {
    cpu: usize,
    /// Whether the guest can run on it.
    guest: bool,
    /// The threads of its core, including this one.
    threads: Option<CpuSet>,
    socket: Option<u64>,
    node: Option<String>,
    kind: Option<String>,
}

#[derive(Debug, Serialize)]
struct Frequency {
    /// The governors of the guest's CPUs.
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
    /// The guest's CPUs during the sample.
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

/// Steal as a fraction of the time of the guest's CPUs.
#[derive(Debug, Serialize)]
struct Steal {
    now: Option<f64>,
    since_boot: f64,
}

impl Facts {
    /// The properties of `host`.
    #[must_use]
    pub fn new(
        host: &Host,
        accelerator: AcceleratorFact,
        qemu: Option<ProgramFact>,
        sample: &LoadSample,
    ) -> Self {
        let averages = host.root.load_averages();
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
                guest: sample.guest.as_ref().map(|sample| busy(host.cpus.to_string(), sample)),
                siblings: sample
                    .siblings
                    .as_ref()
                    .map(|(cpus, sample)| busy(super::host::list(cpus.iter().copied()), sample)),
            },
            steal: Steal {
                now: sample.guest.as_ref().map(|sample| sample.steal),
                since_boot: sample.steal_since_boot,
            },
        }
    }
}

fn busy(cpus: String, sample: &Sample) -> Busy {
    Busy { cpus, busy_cpus: sample.busy_cpus, programs: sample.programs.clone() }
}

fn topology(host: &Host) -> Topology {
    let nodes: BTreeMap<String, CpuSet> = host.all_nodes().into_iter().collect();
    let kinds = kinds::of(&host.root, &host.online);
    let caches: BTreeSet<Cache> = host.online.iter().flat_map(|cpu| caches::of(&host.root, cpu)).collect();
    let cpus: Vec<Cpu> = host.online.iter().map(|number| cpu(host, number, &nodes, &kinds)).collect();
    Topology {
        cores: host.topology().cores(&host.online),
        guest_cores: host.cores(),
        sockets: cpus.iter().filter_map(|cpu| cpu.socket).collect::<BTreeSet<_>>().len(),
        cpus,
        caches: caches.into_iter().collect(),
        nodes,
    }
}

fn cpu(host: &Host, cpu: usize, nodes: &BTreeMap<String, CpuSet>, kinds: &[Kind]) -> Cpu {
    Cpu {
        cpu,
        guest: host.cpus.contains(cpu),
        threads: host.topology().threads_of(cpu),
        socket: host.package(cpu),
        node: nodes.iter().find(|(_, cpus)| cpus.contains(cpu)).map(|(name, _)| name.clone()),
        kind: kinds.iter().find(|kind| kind.cpus.contains(&cpu)).map(|kind| kind.name.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    fn data(host: &Host, load: &LoadSample) -> serde_json::Value {
        let accelerator = AcceleratorFact { name: "tcg".to_owned(), why: "asked for".to_owned() };
        serde_json::to_value(Facts::new(host, accelerator, None, load)).unwrap()
    }

    #[test]
    fn a_hybrid_hosts_properties_are_data() {
        let host = Fixture::hybrid().file("/sys/devices/system/cpu/intel_pstate/no_turbo", "0");
        let host =
            host.file("/sys/devices/system/cpu/nohz_full", "2-3").file("/proc/loadavg", "0.50 1.25 2 1/9 9");
        let sample = |name: &str| Sample {
            busy_cpus: 0.5,
            steal: 0.25,
            programs: vec![Program { name: name.to_owned(), processes: 1, part: 0.5 }],
        };
        let siblings = Some((BTreeSet::from([1, 3]), sample("cc1")));
        let load = LoadSample { guest: Some(sample("rustc")), siblings, steal_since_boot: 0.125 };
        let data = host.probe("0,2", true, |host| data(host, &load));
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
    fn unknown_values_are_null() {
        let data = Fixture::new().probe("0,1", false, |host| data(host, &LoadSample::default()));
        for fact in ["/topology/cores", "/topology/cpus/0/threads", "/frequency/turbo", "/isolation/cpuset"] {
            assert!(data.pointer(fact).unwrap_or_else(|| panic!("no {fact}")).is_null(), "{fact} in {data}");
        }
    }
}
