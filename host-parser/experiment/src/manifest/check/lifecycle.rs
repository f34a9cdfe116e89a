//! The life of machines.

use toml::Spanned;

use super::super::lifecycle::{LifeGate, LifeMachine, LifeRow, Lifecycle, MOST_AT_ONCE, Quantile};
use super::super::profile::{Boot, MachineProfile, MachineType, Tier};
use super::super::raw::{RawLifeGate, RawLifeMachine, RawLifecycle, RawManifest};
use super::Checker;

/// The longest time that a gate may allow, in milliseconds: an hour.
const MOST_MS: u32 = 3_600_000;

impl Checker<'_> {
    /// What is measured of the life of machines. The lifecycle tier requires it, and no other has it.
    pub(super) fn lifecycle(
        &mut self,
        raw: &RawManifest,
        tier: Tier,
        machine: MachineProfile,
        cases: &[u16],
    ) -> Option<Lifecycle> {
        let Some(table) = &raw.lifecycle else {
            if tier == Tier::Lifecycle {
                let expected = "expected a table [lifecycle], found nothing in a manifest of this tier";
                self.note("lifecycle", 0..0, expected.to_owned());
            }
            return None;
        };
        if tier != Tier::Lifecycle {
            self.refuse("tier", raw.tier.span(), "the tier \"lifecycle\" beside a table [lifecycle]");
        }
        if let Some(sweep) = &raw.cases.sweep {
            self.refuse("cases.sweep", sweep.span(), "a list cases.workers in the tier \"lifecycle\"");
        }
        let mut machines: Vec<LifeMachine> =
            cases.iter().map(|&cpus| LifeMachine { profile: machine, cpus }).collect();
        for other in table.also.iter().flatten() {
            let other = (self.life_machine(other), other.machine_type.span());
            if machines.contains(&other.0) {
                self.refuse("lifecycle.also.type", other.1, "each machine once");
            }
            machines.push(other.0);
        }
        let bursts = self.bursts(table);
        let gates = table.gates.iter().flatten().map(|gate| self.life_gate(gate, &machines)).collect();
        Some(Lifecycle { machines, bursts, gates })
    }

    /// That a machine type has a way of booting.
    pub(super) fn boot(&mut self, key: &str, machine_type: MachineType, boot: &Spanned<Boot>) -> Boot {
        if machine_type == MachineType::Microvm && *boot.get_ref() != Boot::Direct {
            self.refuse(key, boot.span(), "\"direct\" for a microvm, which has no disk for firmware");
        }
        *boot.get_ref()
    }

    fn life_machine(&mut self, raw: &RawLifeMachine) -> LifeMachine {
        let machine_type = *raw.machine_type.get_ref();
        let boot = self.boot("lifecycle.also.boot", machine_type, &raw.boot);
        let memory_mib = self.number("lifecycle.also.memory-mib", &raw.memory_mib, 16..=1 << 20);
        let cpus = self.number("lifecycle.also.cpus", &raw.cpus, 1..=machine_type.max_cpus());
        LifeMachine { profile: MachineProfile { machine_type, boot, memory_mib }, cpus }
    }

    fn bursts(&mut self, table: &RawLifecycle) -> Vec<u16> {
        let key = "lifecycle.bursts";
        let mut bursts = Vec::new();
        for value in table.bursts.iter().flat_map(Spanned::get_ref) {
            let burst = self.number(key, value, 1..=MOST_AT_ONCE);
            if bursts.contains(&burst) && i64::from(burst) == *value.get_ref() {
                self.refuse(key, value.span(), "each number of machines once");
            }
            bursts.push(burst);
        }
        bursts
    }

    fn life_gate(&mut self, raw: &RawLifeGate, machines: &[LifeMachine]) -> LifeGate {
        let row = LifeRow::ALL.iter().copied().find(|row| row.word() == raw.row.get_ref());
        let row = row.unwrap_or_else(|| {
            let words: Vec<_> = LifeRow::ALL.iter().map(|row| row.word()).collect();
            self.refuse("lifecycle.gates.row", raw.row.span(), &format!("one of {}", words.join(", ")));
            LifeRow::Cycle
        });
        let machine = raw.machine.as_ref().and_then(|name| {
            let found = machines.iter().copied().find(|machine| machine.to_string() == *name.get_ref());
            if found.is_none() {
                let names: Vec<_> = machines.iter().map(ToString::to_string).collect();
                let expected = format!("one of {}", names.join(", "));
                self.refuse("lifecycle.gates.machine", name.span(), &expected);
            }
            found
        });
        let at_most_ms = self.number("lifecycle.gates.at-most-ms", &raw.at_most_ms, 1..=MOST_MS);
        LifeGate { row, of: raw.of.unwrap_or(Quantile::P95), at_most_ms, machine }
    }
}
