//! The machine, brought up: what later steps use of it, and the records that tell of it.

use abi::ApicId;
use abi::config::Uart;
use abi::wire::record::{
    ApicMode, Brand, Cpu, CpuState, Features as FeaturesRecord, Machine as MachineRecord, Memory, TscReading,
    Warp as WarpRecord,
};
use abi::wire::record::{Firmware, System, SystemName, Topology, Tsc};
use abi::wire::{Hex64, Label, Text};
use alloc::vec::Vec;
use x86_64::PhysAddr;

use crate::acpi::fadt::{self, PowerManagement};
use crate::acpi::layout::Signature;
use crate::acpi::{TableError, Tables, hpet, madt, s5, spcr, srat};
use crate::boot::memory_map::MemoryMap;
use crate::clock::{self, Choice, Clock, Devices, Reading};
use crate::mem::{HEAP_BYTES, KernelSpace, OutOfMemory, phys};
use crate::phases::Phases;
use crate::smp::{self, Located, PerCpu, Roster, RosterEntry, warp};
use crate::x86::features::Features;
use crate::x86::{apic, cpuid};
use crate::{console, platform, power};

/// Why the kernel cannot go on: what an `error` record says.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// A stable name.
    pub code: &'static str,
    /// The particulars.
    pub detail: &'static str,
}

impl From<OutOfMemory> for Refusal {
    fn from(OutOfMemory: OutOfMemory) -> Self {
        Self { code: "out-of-memory", detail: "no memory for page tables or stacks, or no page below 1 MiB" }
    }
}

/// What firmware's tables hold for us.
struct FirmwareTables {
    processors: Vec<madt::Processor>,
    affinities: Vec<srat::Affinity>,
    hpet: Option<u64>,
    power: PowerManagement,
}

/// A machine with all its CPUs up.
pub struct Machine {
    /// The kernel's address space and free memory.
    pub space: KernelSpace,
    /// The clock.
    pub clock: &'static Clock,
    /// Whether every CPU that should have come did.
    pub all_cpus_up: bool,
    /// Where the CPUs that are up are, by number.
    pub cpus: Vec<Located>,
}

/// Tells what the machine says of itself.
pub fn describe(firmware: Firmware, memory: &MemoryMap) {
    let signature = Hex64(u64::from(cpuid::leaf(1, 0).eax));
    console::record(MachineRecord {
        firmware,
        vendor: cpuid::vendor(),
        signature,
        hypervisor: cpuid::hypervisor_signature(),
    });
    console::record(System { name: SystemName::Assay, release: Text::new(env!("CARGO_PKG_VERSION")) });
    console::record(Brand { name: cpuid::brand() });
    let regions = u32::try_from(memory.regions().len()).unwrap_or(u32::MAX);
    console::record(Memory { usable_bytes: memory.bytes(), regions, heap_bytes: HEAP_BYTES });
}

/// Brings the machine up: tables, APIC, BSP, clock, APs, warp test, with their records.
///
/// # Errors
/// What the kernel cannot run without.
pub fn bring_up(mut space: KernelSpace, rsdp: Option<u64>, phases: &mut Phases) -> Result<Machine, Refusal> {
    let tables = read_tables(rsdp)?;
    phases.end("acpi");

    let enabled = tables.processors.iter().filter(|processor| processor.enabled);
    let highest = enabled.map(|processor| processor.apic_id).max().unwrap_or(ApicId(0));
    let mmio = apic::mmio_base(highest).map(|base| space.map_device(base)).transpose()?;
    apic::init(mmio);
    apic::enable();
    let bsp = apic::id();
    let not_listed =
        Refusal { code: "bsp-not-listed", detail: "the MADT does not list the CPU that reads it" };
    let roster = Roster::new(tables.processors.iter().copied(), bsp).map_err(|_| not_listed)?;
    let features = Features::detect();
    smp::adopt_bsp(&roster, &mut space, features)?;
    phases.end("bsp");

    let (choice, readings) = find_frequency(&tables, &mut space)?;
    let clock = Clock::start(&choice);
    if !clock.has_timer() {
        return Err(Refusal { code: "no-timer", detail: "the local APIC's timer does not count" });
    }
    phases.end("clock");

    let started = smp::start_aps(&roster, &mut space, features, clock)?;
    phases.end("aps");
    let warp = warp::test(clock);
    phases.end("warp");
    let node_of = |apic_id| {
        let affinity = tables.affinities.iter().find(|affinity| affinity.apic_id == apic_id);
        affinity.map(|affinity| affinity.node)
    };
    let cpus = smp::locate_all(clock, node_of);
    phases.end("topology");

    tell_features(features);
    let all_cpus_up = tell_cpus(&started, &roster.skipped);
    for &cpu in &cpus {
        console::record(Topology::from(cpu));
    }
    platform::tell();
    tell_clock(&choice, &readings);
    console::record(WarpRecord {
        cpus: warp.cpus,
        samples: warp.samples,
        handovers: warp.handovers,
        least: warp.least,
        max_warp: warp.max_warp,
    });
    phases.end("records");
    Ok(Machine { space, clock, all_cpus_up, cpus })
}

/// The serial port that firmware's tables name. Before anything is told of the tables: where those are damaged, there is
/// none.
#[must_use]
pub fn console_port(rsdp: Option<u64>) -> Option<Uart> {
    let tables = Tables::find(&phys::Firmware, rsdp).ok()?;
    tables.table(Signature::SPCR).ok().and_then(spcr::console)
}

fn read_tables(rsdp: Option<u64>) -> Result<FirmwareTables, Refusal> {
    let refuse = |error: TableError| Refusal { code: "acpi", detail: error.message() };
    let tables = Tables::find(&phys::Firmware, rsdp).map_err(refuse)?;
    let madt = tables.table(Signature::MADT).map_err(refuse)?;
    // Without an SRAT all memory is alike.
    let affinities = tables.table(Signature::SRAT).map(|srat| srat::affinities(srat).collect());
    // Without a FADT there is no PM timer and no S5; the machine may still do.
    let power = tables.table(Signature::FADT).map(fadt::read).unwrap_or_default();
    let dsdt = tables.table_at(power.dsdt, Signature::DSDT);
    power::init(power::Firmware { registers: power, s5: dsdt.ok().and_then(s5::sleep_types) });
    Ok(FirmwareTables {
        processors: madt::processors(madt).collect(),
        affinities: affinities.unwrap_or_default(),
        hpet: tables.table(Signature::HPET).ok().and_then(hpet::base_address),
        power,
    })
}

fn find_frequency(
    tables: &FirmwareTables,
    space: &mut KernelSpace,
) -> Result<(Choice, Vec<Reading>), Refusal> {
    // One that firmware puts where no memory can be is none.
    let hpet = tables.hpet.filter(|&at| at < cpuid::physical_end());
    let hpet = hpet.map(|at| space.map_device(PhysAddr::new_truncate(at))).transpose()?;
    let scratch = space.frames().zeroed()?;
    let readings = clock::readings(&Devices { hpet, power: tables.power, scratch: Some(scratch) });
    space.frames().give_back([scratch]);
    let none = Refusal { code: "no-clock", detail: "no source tells the frequency of the TSC" };
    Ok((Choice::among(&readings).ok_or(none)?, readings))
}

fn tell_features(features: Features) {
    let Features { nx, smep, smap, umip, invariant_tsc, .. } = features;
    let apic: ApicMode = apic::mode();
    console::record(FeaturesRecord { apic, nx, smep, smap, umip, invariant_tsc });
}

/// Says whether all came.
fn tell_cpus(started: &[smp::Started], skipped: &[RosterEntry]) -> bool {
    for cpu in started {
        let PerCpu { id, apic_id, .. } = *cpu.cpu;
        console::record(Cpu { cpu: id, apic: apic_id, state: cpu.state, cycles: cpu.cycles });
    }
    for entry in skipped {
        console::record(Cpu { cpu: entry.id, apic: entry.apic_id, state: CpuState::Skipped, cycles: 0 });
    }
    !started.iter().any(|cpu| cpu.state == CpuState::NoResponse)
}

fn tell_clock(choice: &Choice, readings: &[Reading]) {
    for &Reading { source, khz } in readings {
        console::record(TscReading { source, khz });
    }
    let Choice { source, khz, sources, spread_ppm } = *choice;
    console::record(Tsc { source, khz, sources, spread_ppm });
}

/// A problem as a record.
pub fn tell_problem(code: &str, detail: Text<90>) {
    if let Some(code) = Label::new(code) {
        console::record(abi::wire::record::Problem { code, detail });
    }
}
