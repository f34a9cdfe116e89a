//! The kernel's entry point, and the boot order.

#![no_std]
#![no_main]

extern crate alloc;

use abi::exit::GuestExit;
use abi::plan::Plan;
use abi::wire::record::{PROTOCOL, RunStatus, Start};
use abi::wire::{Hex64, Text};
use abi::{Digest, ramdisk};
use bootloader_api::BootInfo as LoaderInfo;
use kernel::bench::{self, Agenda};
use kernel::boot::{BootError, BootInfo, build_id, direct, loader};
use kernel::clock::Clock;
use kernel::machine::{Refusal, bring_up, describe, tell_problem};
use kernel::mem::{self, Frames, KernelSpace, phys};
use kernel::phases::Phases;
use kernel::smp::{PerCpu, idle, order};
use kernel::x86::features::Features;
use kernel::x86::{pic, random, tsc};
use kernel::{console, control, power};

mod pvh_entry;

/// How long the machine stays after its last record, besides what the plan asks for.
const FAREWELL_US: u64 = 10_000;
/// How often the table is repeated while the machine lingers.
const LINGER_STEP_US: u64 = 10_000_000;

bootloader_api::entry_point!(from_loader, config = &loader::CONFIG);

/// The loader's way in.
fn from_loader(info: &'static mut LoaderInfo) -> ! {
    start(|| loader::take(info))
}

/// The way in of a VMM, by `pvh_entry`, with the physical address of its start info.
extern "C" fn from_vmm(start_info: u64) -> ! {
    start(|| direct::take(start_info, pvh_entry::image()))
}

/// From either to power-off.
fn start(take: impl FnOnce() -> Result<BootInfo, BootError>) -> ! {
    let epoch = tsc::read();
    console::init(epoch);
    let exit = match take() {
        Ok(boot) => run(boot, Phases::from(epoch)),
        Err(error) => {
            tell_start(&[]);
            refuse(&Refusal { code: "boot-info", detail: error.message() });
            GuestExit::Refused
        }
    };
    power::off(exit)
}

/// Everything, with the machine's state as the loader or the entry code left it.
fn run(boot: BootInfo, mut phases: Phases) -> GuestExit {
    let plan_bytes = ramdisk::find(boot.ramdisk, "", ramdisk::PLAN).ok().flatten().unwrap_or_default();
    tell_start(plan_bytes);
    describe(boot.firmware, &boot.memory);
    let plan = match Plan::parse(plan_bytes) {
        Ok(plan) => plan,
        Err(error) => {
            tell_problem("plan", Text::format(format_args!("{error}")));
            console::end(RunStatus::Failed);
            return GuestExit::Refused;
        }
    };
    control::init(plan.control);
    let ramdisk = boot.ramdisk;
    match experiment(boot, &plan, ramdisk, &mut phases) {
        Ok(RunStatus::Ok) => GuestExit::Success,
        Ok(RunStatus::Failed) => GuestExit::Failed,
        Err(refusal) => {
            refuse(&refusal);
            GuestExit::Refused
        }
    }
}

/// The first record.
fn tell_start(plan_bytes: &[u8]) {
    console::record(Start {
        proto: PROTOCOL,
        nonce: Hex64(random::nonce()),
        plan: Digest::of(plan_bytes),
        build: Hex64(build_id::own()),
    });
}

/// Brings the machine up and runs the plan.
fn experiment(
    boot: BootInfo,
    plan: &Plan<'_>,
    ramdisk: &[u8],
    phases: &mut Phases,
) -> Result<RunStatus, Refusal> {
    if !Features::detect().nx {
        return Err(Refusal {
            code: "no-nx",
            detail: "the CPU has no no-execute pages, or firmware hides them",
        });
    }
    pic::mask_all();
    let BootInfo { mut memory, low_page, rsdp, window_offset, window_end, .. } = boot;
    window::open(window_offset, window_end);
    mem::init_heap(&mut memory)?;
    let space = KernelSpace::new(Frames::new(memory), low_page)?;
    phases.end("memory");
    let mut machine = bring_up(space, rsdp, phases)?;
    let cores = order::cores(&machine.cpus);
    let agenda = Agenda::new(plan, cores, u16::try_from(machine.cpus.len()).unwrap_or(u16::MAX));
    let rows = bench::run(&mut machine, plan, &agenda, ramdisk, phases)?;
    let held = machine.all_cpus_up && rows.len() == agenda.len() && rows.iter().all(|row| row.verified);
    let status = if held { RunStatus::Ok } else { RunStatus::Failed };
    console::end(status);
    // So that whoever watches from the host's side can take the last readings before there is nothing left to read.
    machine.clock.spin_us(FAREWELL_US);
    let (online, listed) = (PerCpu::online().count(), PerCpu::all().len());
    let table = bench::Table { plan, rows: &rows, clock: machine.clock, cores, online, listed };
    console::text(format_args!("{table}"));
    linger(plan.head.linger_ms, machine.clock, &table);
    Ok(status)
}

/// Stays up for as long as the plan asks, for consoles that keep only what a running machine prints, and repeats the
/// table meanwhile.
fn linger(ms: u32, clock: &Clock, table: &bench::Table<'_>) {
    let mut left_us = u64::from(ms) * 1000;
    while left_us > 0 {
        let step = left_us.min(LINGER_STEP_US);
        idle::wait_until(clock, step, || false);
        left_us -= step;
        console::text(format_args!("{table}"));
    }
}

/// Says why there is nothing to run.
fn refuse(refusal: &Refusal) {
    tell_problem(refusal.code, Text::new(refusal.detail));
    console::end(RunStatus::Failed);
    console::text(format_args!("\n  cannot run: {} ({})\n", refusal.detail, refusal.code));
}

mod window {
    //! The one promise that only who knows both ways in can make.
    use super::phys;

    /// Opens the window that the loader mapped, or the entry code and [`kernel::boot::direct`].
    #[expect(unsafe_code, reason = "vouches for them")]
    pub fn open(offset: u64, end: u64) {
        // SAFETY: `loader::CONFIG` asks for this mapping, and `direct::take` makes it; the kernel's address spaces
        // keep the upper half.
        unsafe { phys::init(offset, end) };
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    kernel::panic::on_panic(info)
}
