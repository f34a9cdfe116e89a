//! Starting the application processors: all at once, every wait bounded (Intel SDM vol. 3A, "MP Initialization
//! Protocol Algorithm for MP Systems"; the waits are those of its INIT-SIPI-SIPI sequence).

use core::sync::atomic::{AtomicU64, Ordering};

use abi::CpuId;
use abi::wire::record::CpuState;
use alloc::boxed::Box;
use alloc::vec::Vec;
use harness::clock::Clock;
use harness::x86::tsc;
use spin::Once;

use super::trampoline::{self, Setup};
use super::{PATIENCE_US, Roster};
use crate::control;
use crate::cpu::{Fate, PerCpu, has_steal_account, idle};
use crate::mem::{KernelSpace, OutOfMemory, frames, kernel_cr3, phys};
use crate::trap;
use crate::x86::apic;
use crate::x86::features::Features;

/// INIT to SIPI, in microseconds.
const INIT_TO_SIPI_US: u64 = 10_000;
/// SIPI to the second SIPI, in microseconds.
const SIPI_TO_SIPI_US: u64 = 200;

/// What an AP needs besides its own data.
struct Orders {
    features: Features,
    cr3: u64,
}

static ORDERS: Once<Orders> = Once::new();
/// By `CpuId`: the TSC at check-in.
static CHECKED_IN: Once<Box<[AtomicU64]>> = Once::new();

/// Makes the data of every CPU of the roster, and brings the BSP online.
///
/// # Errors
/// No memory for a CPU's stacks.
pub fn adopt_bsp(roster: &Roster, space: &mut KernelSpace, features: Features) -> Result<(), OutOfMemory> {
    let mut all = Vec::with_capacity(roster.used.len());
    // Asked once: it is a search of all of a hypervisor's leaves, each an exit.
    let has_account = has_steal_account();
    for entry in &roster.used {
        let stacks = space.cpu_stacks()?;
        let steal = has_account.then(|| frames().zeroed()).transpose()?;
        all.push(&*Box::leak(Box::new(PerCpu::new(entry.id, entry.apic_id, &stacks, steal))));
    }
    PerCpu::publish(all.into());
    let bsp = PerCpu::all()[roster.bsp.index()];
    trap::adopt(bsp);
    trap::enable_ring_3(features);
    bsp.go_online();
    Ok(())
}

/// The start of one CPU.
pub struct Started {
    /// The CPU.
    pub cpu: &'static PerCpu,
    /// Whether it came online.
    pub state: CpuState,
    /// Cycles from the first SIPI of all to its check-in.
    pub cycles: u64,
}

/// Starts every CPU but the BSP. Returns the state of all, in `CpuId` order.
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
    clock.spin_until(PATIENCE_US, || aps.iter().all(|cpu| cpu.is_online()));
    for cpu in aps {
        cpu.decide(Fate::Missing);
    }
    let started = PerCpu::all().iter().copied().map(|cpu| {
        let checked_in = checked_in[cpu.id.index()].load(Ordering::Acquire);
        let (state, cycles) = match (cpu.id == roster.bsp, cpu.is_online()) {
            (true, _) => (CpuState::Bsp, 0),
            (false, true) => (CpuState::Online, checked_in.saturating_sub(first_sipi)),
            (false, false) => (CpuState::NoResponse, 0),
        };
        Started { cpu, state, cycles }
    });
    Ok(started.collect())
}

/// Writes the trampoline and sends INIT, SIPI and SIPI to all. Returns the TSC at the first SIPI.
fn send_start(
    aps: &[&'static PerCpu],
    space: &mut KernelSpace,
    features: Features,
    clock: &Clock,
) -> Result<u64, OutOfMemory> {
    let low = space.low_page()?;
    ORDERS.call_once(|| Orders { features, cr3: kernel_cr3() });
    // Leaked: a CPU that starts late still reads them.
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
    for ap in aps.iter().filter(|ap| !ap.is_online()) {
        apic::send_sipi(ap.apic_id, low.vector());
    }
    Ok(first_sipi)
}

/// The trampoline calls this on the AP's own stack, with its number.
extern "C" fn ap_entry(index: u64) -> ! {
    let cpu = usize::try_from(index).ok().and_then(|index| PerCpu::all().get(index)).copied();
    let (Some(cpu), Some(orders), Some(checked_in)) = (cpu, ORDERS.get(), CHECKED_IN.get()) else {
        idle::park();
    };
    trap::adopt(cpu);
    phys::set_cr3(orders.cr3);
    control::enter_ap(cpu.id);
    apic::enable();
    checked_in[CpuId::index(cpu.id)].store(tsc::read(), Ordering::Release);
    trap::enable_ring_3(orders.features);
    if cpu.go_online() { idle::serve(cpu) } else { idle::park() }
}
