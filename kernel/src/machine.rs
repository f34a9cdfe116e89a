//! The machine, brought up: what later steps use of it, and the records that describe it.

mod about;

use abi::config::Uart;
use abi::wire::record::{Firmware, Stage, Topology};
use abi::{ApicId, CpuId};
use acpi::sdt::Signature;
use alloc::vec::Vec;
use harness::blob::BlobError;
use harness::clock::{Choice, Reading};
use harness::order::Located;
use harness::phases::Phases;
use harness::registers::State;
use harness::srat;
use harness::warp::Warp;
use harness::{emit, registers};
use x86_64::VirtAddr;

use crate::clock::{self, Devices, MachineClock, Place, PmTimer, SecondClock, TimerCount};
use crate::console::Records;
use crate::firmware::acpi::fadt::{self, PowerManagement, Register};
use crate::firmware::acpi::{RootPointer, TableError, Tables, hpet, madt, s5, spcr};
use crate::mem::{KernelSpace, OutOfMemory, frames, heap_bytes_for, phys};
use crate::smp::{self, Roster};
use crate::x86::features::Features;
use crate::x86::{apic, io_apic};
use crate::{console, control, platform, power};
use about::Inventory;

pub use about::About;

/// Why the kernel cannot go on, as an `error` record.
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

impl From<BlobError> for Refusal {
    fn from(error: BlobError) -> Self {
        Self { code: BlobError::CODE, detail: error.message() }
    }
}

impl From<TableError> for Refusal {
    fn from(error: TableError) -> Self {
        Self { code: "acpi", detail: error.message() }
    }
}

/// What the kernel needs from firmware's tables.
struct FirmwareTables {
    processors: Vec<madt::Processor>,
    /// The physical addresses of the I/O APICs' registers.
    io_apics: Vec<u64>,
    affinities: Vec<srat::Affinity>,
    hpet: Option<u64>,
    power: PowerManagement,
}

/// A machine whose CPUs are online.
pub struct Machine {
    /// The kernel's address space and free memory.
    pub space: KernelSpace,
    /// The clock.
    pub clock: &'static MachineClock,
    /// Whether every CPU that should be online is.
    pub all_online: bool,
    /// The port of the ACPI power-management timer, if it has one.
    pub pm_timer_port: Option<u16>,
    /// The CPU that booted.
    pub bsp: CpuId,
    /// The CPUs that are online and their places, by number.
    pub cpus: Vec<Located>,
    /// What was found on the way, for the records.
    inventory: Inventory,
}

/// The root of firmware's tables: as the loader or the VMM names it, or where a BIOS puts it. On a machine with UEFI these
/// places have no meaning (ACPI 6.5, section 5.2.5.2).
#[must_use]
pub fn root_pointer(named: Option<u64>, firmware: Firmware) -> RootPointer {
    RootPointer::find(&phys::Firmware, named, firmware != Firmware::Uefi)
}

/// The size of the heap for the CPUs of this machine. It is read before there is a heap, so damaged tables are no error
/// here: they list no CPUs.
#[must_use]
pub fn heap_bytes(rsdp: Option<u64>) -> u64 {
    let tables = Tables::find(&phys::Firmware, rsdp);
    let madt = tables.and_then(|tables| tables.table(Signature::MADT)).unwrap_or_default();
    let usable = madt::processors(madt).filter(|processor| processor.enabled).count();
    heap_bytes_for(usable, madt::processors(madt).count())
}

/// Brings the machine up: tables, APIC, BSP, clock, APs, warp test, with their records.
///
/// # Errors
/// Something is missing that the kernel cannot run without.
pub fn bring_up(mut space: KernelSpace, rsdp: Option<u64>, phases: &mut Phases) -> Result<Machine, Refusal> {
    control::enter(Stage::Acpi);
    let tables = read_tables(rsdp)?;
    if !apic::is_present() {
        return Err(Refusal {
            code: "no-local-apic",
            detail: "the CPU has no local APIC, or firmware switched it off",
        });
    }
    phases.end("acpi");

    control::enter(Stage::Bsp);
    for &at in &tables.io_apics {
        if let Some(mapped) = space.map_device(at)? {
            io_apic::mask_all(mapped);
        }
    }
    let enabled = tables.processors.iter().filter(|processor| processor.enabled);
    let highest = enabled.map(|processor| processor.apic_id).max().unwrap_or(ApicId(0));
    apic::init(map_local_apic(highest, &mut space)?);
    apic::enable();
    let bsp = apic::id();
    let not_listed =
        Refusal { code: "bsp-not-listed", detail: "the MADT does not list the CPU that reads it" };
    let roster = Roster::new(tables.processors.iter().copied(), bsp).map_err(|_| not_listed)?;
    let features = Features::detect();
    smp::adopt_bsp(&roster, &mut space, features)?;
    phases.end("bsp");

    control::enter(Stage::Clock);
    let timer = TimerCount::begin();
    let (choice, readings, second) = find_frequency(&tables, &mut space)?;
    let clock = MachineClock::start(&choice, second, timer);
    if !clock.has_timer() {
        return Err(Refusal { code: "no-timer", detail: "the local APIC's timer does not count" });
    }
    phases.end("clock");

    control::enter(Stage::Aps);
    let started = smp::start_aps(&roster, &mut space, features, &clock.tsc)?;
    phases.end("aps");

    control::enter(Stage::Machine);
    let registers = smp::settle_all(clock);
    phases.end("registers");
    let warp = smp::test_warp(clock);
    phases.end("warp");
    let cpus = smp::locate_all(clock, |apic_id| tables.node(apic_id));
    phases.end("topology");

    let pm_timer_port = match tables.power.pm_timer {
        Some(Register::Port(port)) => Some(port),
        _ => None,
    };
    let inventory = Inventory { features, started, skipped: roster.skipped, choice, readings };
    let all_online = inventory.all_online();
    let machine = Machine { space, clock, pm_timer_port, all_online, bsp: roster.bsp, cpus, inventory };
    machine.report(&registers, &warp);
    phases.end("records");
    Ok(machine)
}

impl Machine {
    /// Settles the registers of all CPUs and tests their clocks once more, and emits the records about the machine again: what
    /// was found at the boot may not be so any longer, if the machine was stopped, saved or moved since.
    pub fn look_again(&self, phases: &mut Phases) {
        let registers = smp::settle_all(self.clock);
        phases.end("registers");
        let warp = smp::test_warp(self.clock);
        phases.end("warp");
        self.report(&registers, &warp);
        phases.end("records");
    }

    fn report(&self, registers: &[(CpuId, Vec<State>)], warp: &Warp) {
        self.inventory.report_cpus();
        for &cpu in &self.cpus {
            console::record(Topology::from(cpu));
        }
        registers::report(registers, &mut Records);
        platform::report();
        emit::clock(&self.inventory.choice, &self.inventory.readings, &mut Records);
        console::record(self.clock.second.record());
        warp.report(&self.clock.tsc, &mut Records);
    }
}

/// Maps the local APIC's registers; `None` if it is used in x2APIC mode, which has none in memory.
fn map_local_apic(highest: ApicId, space: &mut KernelSpace) -> Result<Option<VirtAddr>, Refusal> {
    let Some(base) = apic::mmio_base(highest) else { return Ok(None) };
    let in_memory = Refusal {
        code: "local-apic-address",
        detail: "IA32_APIC_BASE puts the local APIC's registers where free memory is",
    };
    Ok(Some(space.map_device(base.as_u64())?.ok_or(in_memory)?))
}

impl FirmwareTables {
    /// The proximity domain of a CPU; `None` without an SRAT, or if the SRAT does not list it.
    fn node(&self, apic_id: ApicId) -> Option<u32> {
        let affinity = self.affinities.iter().find(|affinity| affinity.apic_id == apic_id);
        affinity.map(|affinity| affinity.node)
    }
}

/// The serial port that firmware's tables name. It is read before the first record, so damaged tables are no error here:
/// they name none.
#[must_use]
pub fn console_port(rsdp: Option<u64>) -> Option<Uart> {
    let tables = Tables::find(&phys::Firmware, rsdp).ok()?;
    tables.table(Signature::SPCR).ok().and_then(spcr::console)
}

fn read_tables(rsdp: Option<u64>) -> Result<FirmwareTables, Refusal> {
    let tables = Tables::find(&phys::Firmware, rsdp)?;
    let madt = tables.table(Signature::MADT)?;
    // Without an SRAT all memory is alike.
    let affinities = tables.table(Signature::SRAT).map(|srat| srat::affinities(srat).collect());
    // Without a FADT there is no PM timer and no S5; the machine may still run.
    let power = tables.table(Signature::FADT).map(fadt::read).unwrap_or_default();
    power::init(power::Firmware { registers: power, s5: sleep_types(&tables, &power) });
    Ok(FirmwareTables {
        processors: madt::processors(madt).collect(),
        io_apics: madt::io_apics(madt).collect(),
        affinities: affinities.unwrap_or_default(),
        hpet: tables.table(Signature::HPET).ok().and_then(hpet::base_address),
        power,
    })
}

/// The sleep types of S5, from the DSDT or else from the first SSDT that has them. A PSDT is read like an SSDT (ACPI 6.5,
/// section 5.2.11.3).
fn sleep_types(tables: &Tables<'_>, power: &PowerManagement) -> Option<(u8, u8)> {
    let dsdt = power.dsdt.into_iter().filter_map(|at| tables.table_at(at, Signature::DSDT).ok());
    let others = [Signature::SSDT, Signature::PSDT].into_iter().flat_map(|signature| tables.all(signature));
    dsdt.take(1).chain(others).find_map(s5::sleep_types)
}

fn find_frequency(
    tables: &FirmwareTables,
    space: &mut KernelSpace,
) -> Result<(Choice, Vec<Reading>, SecondClock), Refusal> {
    let hpet = tables.hpet.map(|at| space.map_device(at)).transpose()?.flatten();
    let pm_timer = match tables.power.pm_timer {
        Some(Register::Port(port)) => Some(Place::Port(port)),
        Some(Register::Memory(at)) => space.map_device(at)?.map(Place::Memory),
        None => None,
    };
    let pm_timer = pm_timer.map(|place| PmTimer { place, wide: tables.power.pm_timer_is_32_bit });
    let scratch = frames().zeroed()?;
    let (readings, second) = clock::readings(&Devices { hpet, pm_timer, scratch: Some(scratch) });
    frames().give_back(scratch);
    let second = second.or_other(|| frames().zeroed().ok());
    let none = Refusal { code: "no-clock", detail: "no source states the frequency of the TSC" };
    Ok((Choice::among(&readings).ok_or(none)?, readings, second))
}
