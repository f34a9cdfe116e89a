//! Which machine a session was measured on: a key by which baselines and series are kept apart.
//!
//! The key has two parts. Figures of machines whose *hard* parts differ are never divided: another CPU, another hypervisor,
//! another shape. The *epoch* is what changes on one machine as it is kept up: a series goes on across it, and is marked.
//! Neither has a host name, a serial number, an instance's id, load or a measured pace: those differ between boots of one
//! machine, or are what is measured. A guest cannot see its host, so equal keys are no proof of one host.

use std::collections::BTreeMap;

use abi::Digest;
use evidence::gate::Measurement;
use serde::{Deserialize, Serialize};

use crate::{Environment, Results};

/// The key. A fact that is not known has no entry.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MachineKey {
    /// What must be equal.
    pub hard: BTreeMap<String, String>,
    /// What may change, and then is named.
    pub epoch: BTreeMap<String, String>,
}

/// A fact that two keys do not share.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct KeyDifference {
    /// The fact.
    pub what: String,
    /// In the first key; none if it is not known there.
    pub a: Option<String>,
    /// In the second.
    pub b: Option<String>,
}

impl MachineKey {
    /// The key of a session, or of the logs of one row.
    #[must_use]
    pub fn of(results: &Results) -> Self {
        let mut key = Self::default();
        // The largest: in a session each case has a machine of its own.
        let measured = results.runs.iter().filter_map(|run| run.verdict.outcome.measurement());
        if let Some(measured) = measured.max_by_key(|measured| measured.machine().cpus_online) {
            key.add_guest(measured);
        }
        key.add_environment(&results.environment);
        key
    }

    /// `m-` and eight digits of a SHA-256 over the hard part.
    #[must_use]
    pub fn id(&self) -> String {
        let lines: Vec<String> = self.hard.iter().map(|(what, value)| format!("{what}={value}")).collect();
        let digest = Digest::of(lines.join("\n").as_bytes()).to_string();
        format!("m-{}", digest.get(..8).unwrap_or(&digest))
    }

    /// The hard facts that differ. If there are any, no figure of one machine may be divided by one of the other.
    #[must_use]
    pub fn hard_differences(&self, other: &Self) -> Vec<KeyDifference> {
        differences(&self.hard, &other.hard)
    }

    /// The facts of the epoch that differ.
    #[must_use]
    pub fn epoch_differences(&self, other: &Self) -> Vec<KeyDifference> {
        differences(&self.epoch, &other.epoch)
    }

    fn add_guest(&mut self, measured: &Measurement) {
        let machine = measured.machine();
        self.hard("cpu-vendor", machine.vendor);
        self.hard("cpu-signature", machine.signature);
        self.hard("cpu-brand", machine.brand);
        self.hard("hypervisor", machine.hypervisor_name());
        self.hard("boot-path", machine.firmware);
        self.hard("cpus", machine.cpus_online);
        // In whole GiB: what firmware keeps of it differs between versions.
        self.hard("memory-gib", (machine.usable_bytes + (1 << 29)) >> 30);
        for (what, value) in [("cores", machine.topology.cores), ("packages", machine.topology.packages)] {
            if let Some(value) = value {
                self.hard(what, value);
            }
        }
        let Some(platform) = &machine.platform else { return };
        for field in ["system-vendor", "system-product"] {
            if let Some(text) = platform.dmi.get(field) {
                self.hard(field, text);
            }
        }
        for field in ["bios-vendor", "bios-version"] {
            if let Some(text) = platform.dmi.get(field) {
                self.epoch(field, text);
            }
        }
        self.epoch("microcode", platform.record.microcode);
        self.epoch("hypervisor-leaf", platform.record.hypervisor_leaf);
    }

    fn add_environment(&mut self, environment: &Environment) {
        let hard = [
            ("accelerator", environment.accelerator.as_ref().map(|of| of.name.clone())),
            ("vmm", environment.vmm_name().map(str::to_owned)),
            ("vmm-machine", environment.machine.clone()),
            ("cpu-model", environment.cpu_model.clone()),
            ("vmm-arguments", Some(environment.qemu_args.join(" ")).filter(|words| !words.is_empty())),
            ("host-cpu", environment.host.as_ref().map(|host| host.cpu.clone())),
            ("host-cpus", environment.host.as_ref().map(|host| host.cpus_online.to_string())),
            (
                "pinned-cores",
                environment.pinning.as_ref().and_then(|of| of.cores).map(|cores| cores.to_string()),
            ),
        ];
        for (what, value) in hard {
            if let Some(value) = value {
                self.hard(what, value);
            }
        }
        if let Some(host) = &environment.host {
            self.epoch("host-system", &host.system);
        }
        if let Some(version) = environment.vmm_version() {
            self.epoch("vmm-version", version);
        }
    }

    fn hard(&mut self, what: &str, value: impl ToString) {
        self.hard.insert(what.to_owned(), value.to_string());
    }

    fn epoch(&mut self, what: &str, value: impl ToString) {
        self.epoch.insert(what.to_owned(), value.to_string());
    }
}

fn differences(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<KeyDifference> {
    let mut all: Vec<&String> = a.keys().chain(b.keys()).collect();
    all.sort_unstable();
    all.dedup();
    let differ = all.into_iter().filter(|what| a.get(*what) != b.get(*what));
    differ
        .map(|what| KeyDifference { what: what.clone(), a: a.get(what).cloned(), b: b.get(what).cloned() })
        .collect()
}

impl std::fmt::Display for KeyDifference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not known".to_owned());
        write!(f, "{}: A {}, B {}", self.what, shown(&self.a), shown(&self.b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(hard: &[(&str, &str)], epoch: &[(&str, &str)]) -> MachineKey {
        let map = |of: &[(&str, &str)]| of.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        MachineKey { hard: map(hard), epoch: map(epoch) }
    }

    #[test]
    fn an_epoch_does_not_change_the_machine_and_a_hard_fact_does() {
        let a = key(&[("cpus", "2"), ("cpu-brand", "x")], &[("host-system", "Linux 6.1")]);
        let b = key(&[("cpus", "2"), ("cpu-brand", "x")], &[("host-system", "Linux 6.12")]);
        assert_eq!((a.id(), a.hard_differences(&b)), (b.id(), Vec::new()));
        assert_eq!(a.epoch_differences(&b)[0].to_string(), "host-system: A Linux 6.1, B Linux 6.12");
        let c = key(&[("cpus", "4"), ("cpu-brand", "x")], &[]);
        assert_ne!(a.id(), c.id());
        assert_eq!(a.hard_differences(&c)[0].to_string(), "cpus: A 2, B 4");
    }

    #[test]
    fn a_fact_that_only_one_key_has_is_a_difference() {
        let (a, b) = (key(&[("cores", "2")], &[]), key(&[], &[]));
        assert_eq!(a.hard_differences(&b)[0].to_string(), "cores: A 2, B not known");
        assert_ne!(a.id(), b.id());
    }
}
