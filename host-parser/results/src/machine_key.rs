//! Which machine a session was made on, in two parts: what keeps series apart, and what marks a place in one.
//!
//! The hard part decides how fast a machine is and stays as it is: figures with different hard parts are of different
//! machines. The epoch is what updates change on the same machine: a series goes on across it, and the place is marked.
//! Names of hosts, serial numbers, loads and measured paces are in neither. Equal keys are no proof of one host, since a guest
//! cannot see it.

use abi::Digest;
use evidence::gate::{MachineReport, Measurement};
use serde::Serialize;

use crate::{Environment, Results};

/// A machine, as far as its sessions show it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct MachineKey {
    /// What must be equal: each fact with its name.
    pub hard: Vec<Fact>,
    /// What may change on the same machine.
    pub epoch: Vec<Fact>,
}

/// A fact with its name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Fact {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub value: String,
}

impl MachineKey {
    /// Of a session: of its environment, and of what its largest machine says of itself.
    #[must_use]
    pub fn of(results: &Results) -> Self {
        let mut key = Self::default();
        // In a session each case has a machine of its own size.
        let measured = results.runs.iter().filter_map(|run| run.verdict.outcome.measurement());
        if let Some(measured) = measured.max_by_key(|measured| measured.machine().cpus_online) {
            key.add_guest(measured);
        }
        key.add_environment(&results.environment);
        key
    }

    /// A short name of the hard part: `m-` and eight hexadecimal digits. It begins with a letter, so that no reader of a
    /// table takes it for a number.
    #[must_use]
    pub fn machine_id(&self) -> String {
        short("m-", &self.hard)
    }

    /// A short name of the epoch: `e-` and eight hexadecimal digits.
    #[must_use]
    pub fn epoch_id(&self) -> String {
        short("e-", &self.epoch)
    }

    /// The facts of the epoch that differ from another's, as `name: before -> after`.
    #[must_use]
    pub fn changed_since(&self, before: &Self) -> Vec<String> {
        let of_before = |name: &str| before.epoch.iter().find(|fact| fact.name == name);
        let changed = self.epoch.iter().filter_map(|now| {
            let then = of_before(now.name).map_or("-", |fact| &fact.value);
            (then != now.value).then(|| format!("{}: {then} -> {}", now.name, now.value))
        });
        changed.collect()
    }

    fn add_guest(&mut self, measured: &Measurement) {
        let machine = measured.machine();
        self.hard("CPU vendor", machine.vendor);
        self.hard("CPU signature", machine.signature.0);
        self.hard("CPU", machine.brand);
        self.hard("hypervisor", machine.hypervisor_name());
        self.hard("CPUs", machine.cpus_online);
        if let Some(cores) = machine.topology.cores {
            self.hard("cores", cores);
        }
        self.hard("boot path", machine.firmware.word());
        self.hard("memory, GiB", gib(machine));
        if let Some(tsc) = &measured.clock().tsc {
            // Sources differ by parts per million. No frequency that CPUs are sold with is near the middle of two steps.
            self.hard("TSC, MHz", (tsc.khz + 12_500) / 25_000 * 25);
        }
        let Some(platform) = &machine.platform else { return };
        for (field, value) in &platform.dmi {
            match field.as_str() {
                "system-vendor" => self.hard("vendor", value),
                "system-product" => self.hard("product", value),
                "bios-vendor" => self.soft("firmware vendor", value),
                "bios-version" => self.soft("firmware", value),
                _ => {}
            }
        }
        self.soft("microcode", platform.record.microcode.0);
        self.soft("hypervisor leaf", platform.record.hypervisor_leaf.0);
    }

    fn add_environment(&mut self, environment: &Environment) {
        if let Some(accelerator) = &environment.accelerator {
            self.hard("accelerator", &accelerator.name);
        }
        let vmm = environment.vmm_name().map(str::to_owned);
        for (name, value) in [
            ("VMM", vmm),
            ("machine", environment.machine.clone()),
            ("CPU model", environment.cpu_model.clone()),
        ] {
            if let Some(value) = value {
                self.hard(name, value);
            }
        }
        if let Some(host) = &environment.host {
            self.hard("host CPU", &host.cpu);
            self.hard("host CPUs", host.cpus_online);
            self.soft("host", &host.system);
        }
        match &environment.pinning {
            Some(pinning) => self.hard(
                "pinned to cores",
                pinning.cores.map_or_else(|| pinning.host_cpus.clone(), |of| of.to_string()),
            ),
            None => self.hard("pinned to cores", "none"),
        }
        if let Some(version) = environment.vmm_version() {
            self.soft("VMM", version);
        }
    }

    fn hard(&mut self, name: &'static str, value: impl ToString) {
        self.hard.push(Fact { name, value: value.to_string() });
    }

    fn soft(&mut self, name: &'static str, value: impl ToString) {
        self.epoch.push(Fact { name, value: value.to_string() });
    }
}

/// Memory as it is sold: what firmware keeps for itself differs between versions of it.
fn gib(machine: &MachineReport) -> u64 {
    const GIB: u64 = 1 << 30;
    machine.usable_bytes.div_ceil(GIB)
}

fn short(prefix: &str, facts: &[Fact]) -> String {
    let lines: String = facts.iter().map(|fact| format!("{}\t{}\n", fact.name, fact.value)).collect();
    let digest = Digest::of(lines.as_bytes()).to_string();
    format!("{prefix}{}", digest.get(..8).unwrap_or(&digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(name: &'static str, value: &str) -> Fact {
        Fact { name, value: value.to_owned() }
    }

    #[test]
    fn a_name_has_a_letter_first_and_follows_every_fact() {
        let key = MachineKey { hard: vec![fact("CPU", "a")], epoch: vec![fact("host", "6.1")] };
        let other = MachineKey { hard: vec![fact("CPU", "b")], ..key.clone() };
        let later = MachineKey { epoch: vec![fact("host", "6.2"), fact("VMM", "10")], ..key.clone() };
        assert!(key.machine_id().starts_with("m-") && key.machine_id().len() == 10);
        assert_ne!(key.machine_id(), other.machine_id());
        assert_eq!(key.machine_id(), later.machine_id());
        assert_ne!(key.epoch_id(), later.epoch_id());
        assert_eq!(later.changed_since(&key), ["host: 6.1 -> 6.2", "VMM: - -> 10"]);
        // No name or value runs into the next.
        let split = MachineKey { hard: vec![fact("CP", "Ua")], ..key.clone() };
        assert_ne!(split.machine_id(), key.machine_id());
    }
}
