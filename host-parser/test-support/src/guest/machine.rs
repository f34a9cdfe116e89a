//! The records that describe the machine and its clocks.

use abi::wire::record::{
    ApicMode, Brand, CoreKind, Cpu, CpuState, Dmi, DmiField, Features, Firmware, Machine, Memory, Offset,
    Phase, Platform, Register, RegisterName, SecondClock, SecondSource, SmbiosState, Start, System,
    SystemName, Topology, TopologySource, Tsc, TscReading, TscSource, Warp,
};
use abi::wire::{Hex64, Record, Text};
use abi::{ApicId, CpuId, Digest};

use super::time::PER_MICRO;
use super::{Guest, label};

impl Guest {
    pub(super) fn boot(&self) -> Vec<Record> {
        let start = Start {
            proto: 1,
            nonce: Hex64(self.nonce),
            plan: Digest::of(format!("plan {:?} {}", self.cases, self.challenge).as_bytes()),
            build: Hex64(0x0123_4567_89ab_cdef),
        };
        let machine = Machine {
            firmware: Firmware::Bios,
            vendor: label("AuthenticAMD"),
            signature: Hex64(0x0006_0fb1),
            hypervisor: Text::new("TCGTCGTCGTCG"),
        };
        let features = Features {
            apic: ApicMode::Xapic,
            nx: true,
            smep: true,
            smap: true,
            umip: true,
            invariant_tsc: false,
        };
        let memory = Memory { usable_bytes: 132_567_040, regions: 6, heap_bytes: 1 << 20 };
        let system = System { name: SystemName::Assay, release: Text::new("0.1.0") };
        let mut records: Vec<Record> = vec![start.into(), machine.into(), system.into()];
        records.push(Brand { name: Text::new("QEMU Virtual CPU version 2.5+") }.into());
        records.extend([Record::from(features), memory.into()]);
        records.extend((0..self.cpus).map(|cpu| {
            let (state, cycles) = if cpu == 0 {
                (CpuState::Bsp, 0)
            } else {
                (CpuState::Online, 21_000_000 + u64::from(cpu) * 9_001)
            };
            Record::from(Cpu { cpu: CpuId(cpu), apic: ApicId(cpu.into()), state, cycles })
        }));
        if let Some(threads) = self.threads {
            records.extend((0..self.cpus).map(|cpu| {
                let (core, thread) = (Some(u32::from(cpu / threads)), Some(u32::from(cpu % threads)));
                let (source, kind) = (TopologySource::Cpuid0b, CoreKind::Alike);
                let cpu = CpuId(cpu);
                let package = Some(0);
                Record::from(Topology { cpu, source, package, die: None, core, thread, kind, node: None })
            }));
            let hypervisor_leaf = Hex64(0x4000_0010);
            let microcode = Hex64(0x0a10_1148);
            records.push(Platform { hypervisor_leaf, microcode, smbios: SmbiosState::Found }.into());
            let strings = [
                (DmiField::BiosVendor, "Google"),
                (DmiField::SystemVendor, "Google"),
                (DmiField::SystemProduct, "Google Compute Engine"),
            ];
            records.extend(strings.map(|(field, text)| Record::from(Dmi { field, text: Text::new(text) })));
        }
        records.extend(self.registers());
        records
    }

    /// The registers of CPU 0, and of the others one that firmware left in another state.
    fn registers(&self) -> Vec<Record> {
        let register = |cpu, name, found, value| -> Record {
            Register { cpu: CpuId(cpu), name, found: Hex64(found), value: Hex64(value) }.into()
        };
        let mut records = vec![
            register(0, RegisterName::Dr7, 0x400, 0x400),
            register(0, RegisterName::SysenterCs, 0x10, 0),
            register(0, RegisterName::SpecCtrl, 0, 0),
        ];
        records.extend((1..self.cpus).map(|cpu| register(cpu, RegisterName::SysenterCs, 0, 0)));
        records
    }

    pub(super) fn clock(&self) -> Vec<Record> {
        let (handovers, least) = if self.cpus > 1 { (18_402, 1_907) } else { (0, 0) };
        let samples = 20_000 * u64::from(self.cpus);
        let warp = Warp { cpus: self.cpus, samples, handovers, least, max_warp: 0 };
        let mut records: Vec<Record> = vec![
            TscReading { source: TscSource::Hpet, khz: self.khz }.into(),
            TscReading { source: TscSource::PmTimer, khz: self.khz - self.khz / 10_000 }.into(),
            Tsc { source: TscSource::Hpet, khz: self.khz, sources: 2, spread_ppm: 100 }.into(),
            SecondClock {
                source: SecondSource::Hpet,
                hz: 1_000_000 * PER_MICRO,
                bits: 64,
                independent: true,
            }
            .into(),
            warp.into(),
        ];
        records.extend((1..self.cpus).map(|cpu| {
            let handovers = least + u64::from(cpu);
            Record::from(Offset { cpu: CpuId(cpu), handovers, least_ns: -212, most_ns: 187 })
        }));
        records.push(Phase { name: label("smp"), cycles: 25_200_000 }.into());
        records
    }
}
