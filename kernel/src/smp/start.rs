//! Starting the application processors: all at once, every wait bounded (Intel SDM vol. 3A, "MP Initialization
//! Protocol Algorithm for MP Systems"; the waits are those of its INIT-SIPI-SIPI sequence).

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use abi::CpuId;
use abi::wire::record::CpuState;
use alloc::boxed::Box;
use alloc::vec::Vec;
use spin::Once;

use super::trampoline::{self, Setup};
use super::{PerCpu, Roster, idle, steal};
use crate::clock::Clock;
use crate::control;
use crate::mem::{KernelSpace, OutOfMemory, phys};
use crate::x86::features::Features;
use crate::x86::{apic, tsc};

/// INIT to SIPI.
const INIT_TO_SIPI_US: u64 = 10_000;
/// SIPI to the second SIPI.
const SIPI_TO_SIPI_US: u64 = 200;
/// How long after the last SIPI a CPU may check in. A guest of a loaded host can take long to be scheduled at all.
const CHECK_IN_US: u64 = 2_000_000;

/// What an AP needs from the BSP besides its own data.
struct Orders {
    features: Features,
    cr3: u64,
}

static ORDERS: Once<Orders> = Once::new();
/// Set once the BSP has stopped waiting: who comes later stays out, for it has been reported as missing.
static CLOSED: AtomicBool = AtomicBool::new(false);
/// By `CpuId`: the TSC at check-in.
static CHECKED_IN: Once<Box<[AtomicU64]>> = Once::new();

/// Gives every CPU of the roster its data, and puts the BSP's in force.
///
/// # Errors
/// No memory for a CPU's stacks.
pub fn adopt_bsp(roster: &Roster, space: &mut KernelSpace, features: Features) -> Result<(), OutOfMemory> {
    let mut all = Vec::with_capacity(roster.used.len());
    for entry in &roster.used {
        let stacks = space.cpu_stacks()?;
        let steal = steal::is_told().then(|| space.frames().zeroed()).transpose()?;
        all.push(&*Box::leak(Box::new(PerCpu::new(entry.id, entry.apic_id, &stacks, steal))));
    }
    PerCpu::publish(all.into());
    PerCpu::all()[roster.bsp.index()].load(features);
    Ok(())
}

/// What became of one CPU.
pub struct Started {
    /// Which.
    pub cpu: &'static PerCpu,
    /// What became of it.
    pub state: CpuState,
    /// Cycles from the first SIPI of all to its check-in.
    pub cycles: u64,
}

/// Starts every CPU but the BSP, and tells of all, in `CpuId` order.
///
/// # Errors
/// No page below 1 MiB for the trampoline, or no memory for page tables.
pub fn start_aps(
    roster: &Roster,
    space: &mut KernelSpace,
    features: Features,
    clock: &Clock,
) -> Result<Vec<Started>, OutOfMemory> {
    let aps: Vec<_> = PerCpu::all().iter().copied().filter(|cpu| cpu.id != roster.bsp).collect();
    let called: Vec<_> = aps.iter().copied().filter(|cpu| !control::skips_start(cpu.id)).collect();
    let checked_in = CHECKED_IN.call_once(|| PerCpu::all().iter().map(|_| AtomicU64::new(0)).collect());
    let first_sipi = if called.is_empty() { 0 } else { send_start(&called, space, features, clock)? };
    let up = |cpu: &&PerCpu| cpu.online.load(Ordering::Acquire);
    clock.spin_until(CHECK_IN_US, || aps.iter().all(up));
    CLOSED.store(true, Ordering::SeqCst);
    let tell = |cpu: &'static PerCpu| {
        let at = checked_in[cpu.id.index()].load(Ordering::Acquire);
        let (state, cycles) = match (cpu.id == roster.bsp, up(&cpu)) {
            (true, _) => (CpuState::Bsp, 0),
            (false, true) => (CpuState::Online, at.saturating_sub(first_sipi)),
            (false, false) => (CpuState::NoResponse, 0),
        };
        Started { cpu, state, cycles }
    };
    Ok(PerCpu::all().iter().copied().map(tell).collect())
}

/// Puts the trampoline in place and sends INIT, SIPI and SIPI to all; returns the TSC at the first SIPI.
fn send_start(
    aps: &[&'static PerCpu],
    space: &mut KernelSpace,
    features: Features,
    clock: &Clock,
) -> Result<u64, OutOfMemory> {
    let low = space.low_page()?;
    ORDERS.call_once(|| Orders { features, cr3: space.cr3() });
    // Leaked: a CPU that comes late still reads them.
    let apic_ids = Vec::leak(PerCpu::all().iter().map(|cpu| cpu.apic_id.0).collect());
    let stacks = Vec::leak(PerCpu::all().iter().map(|cpu| cpu.main_stack.as_u64()).collect());
    let cr3 = space.trampoline_tables(low)?;
    let page = trampoline::page(&Setup {
        at: low.address(),
        cr3,
        nxe: features.nx,
        apic_ids,
        stacks,
        entry: ap_entry,
    });
    phys::write_page(low.frame(), &page);

    for ap in aps {
        apic::send_init(ap.apic_id);
    }
    clock.spin_us(INIT_TO_SIPI_US);
    let first_sipi = tsc::read();
    for ap in aps {
        apic::send_sipi(ap.apic_id, low.vector());
    }
    clock.spin_us(SIPI_TO_SIPI_US);
    for ap in aps.iter().filter(|ap| !ap.online.load(Ordering::Acquire)) {
        apic::send_sipi(ap.apic_id, low.vector());
    }
    Ok(first_sipi)
}

/// Where an AP arrives from the trampoline, on its own stack, with its number.
extern "C" fn ap_entry(index: u64) -> ! {
    let cpu = usize::try_from(index).ok().and_then(|index| PerCpu::all().get(index)).copied();
    let (Some(cpu), Some(orders), Some(checked_in)) = (cpu, ORDERS.get(), CHECKED_IN.get()) else {
        idle::park();
    };
    if CLOSED.load(Ordering::SeqCst) {
        idle::park();
    }
    phys::set_cr3(orders.cr3);
    apic::enable();
    checked_in[CpuId::index(cpu.id)].store(tsc::read(), Ordering::Release);
    cpu.load(orders.features);
    idle::serve(cpu)
}
