//! The kernel's entry point, and the boot order.

#![no_std]
#![no_main]

extern crate alloc;

use core::convert::Infallible;

use abi::config::Serial;
use abi::exit::GuestExit;
use abi::plan::Plan;
use abi::wire::record::{PROTOCOL, RunStatus, Start};
use abi::wire::{Hex64, Text};
use abi::{Digest, ramdisk};
use bootloader_api::BootInfo as LoaderInfo;
use kernel::bench::{self, Agenda};
use kernel::boot::memory_map::MemoryMap;
use kernel::boot::{BootError, BootInfo, build_id, direct, loader};
use kernel::console::Candidates;
use kernel::machine::{Refusal, bring_up, describe, tell_problem};
use kernel::mem::{self, Frames, KernelSpace, LowPage, phys};
use kernel::phases::Phases;
use kernel::settings::{Ending, Settings};
use kernel::smp::{PerCpu, order};
use kernel::x86::features::Features;
use kernel::x86::{confidential, pic, random, tsc};
use kernel::{console, control, display, farewell, machine};

mod pvh_entry;

/// How long the machine stays after its last record, besides what is asked for.
const FAREWELL_US: u64 = 10_000;

bootloader_api::entry_point!(from_loader, config = &loader::CONFIG);

/// The loader's way in.
fn from_loader(info: &'static mut LoaderInfo) -> ! {
    start(|| loader::take(info))
}

/// The way in of a VMM, by `pvh_entry`, with the physical address of its start info.
extern "C" fn from_vmm(start_info: u64) -> ! {
    start(|| direct::take(start_info, pvh_entry::image()))
}

/// From either to the end.
fn start(take: impl FnOnce() -> Result<BootInfo, BootError>) -> ! {
    let epoch = tsc::read();
    console::init(epoch);
    match take() {
        Ok(boot) => run(boot, Phases::from(epoch)),
        Err(error) => {
            Candidates::new(None, None).open();
            tell_start(&[]);
            refuse(Ending::Poweroff, &Refusal { code: "boot-info", detail: error.message() })
        }
    }
}

/// Everything, with the machine's state as the loader or the entry code left it.
fn run(boot: BootInfo, mut phases: Phases) -> ! {
    let BootInfo { firmware, memory, low_page, rsdp, ramdisk, command_line, framebuffer, .. } = boot;
    window::open(boot.window_offset, boot.window_end);
    let settings = Settings::read(ramdisk, command_line.bytes());
    let named = machine::console_port(rsdp);
    let confidential = confidential::kind();
    let ports = match confidential {
        Some(kind) if kind.traps_ports() => Candidates::NONE,
        _ => Candidates::new(settings.serial(), named).outside(&memory),
    };
    ports.open();
    let plan_bytes = ramdisk::find(ramdisk, "", ramdisk::PLAN).ok().flatten().unwrap_or_default();
    tell_start(plan_bytes);
    describe(firmware, &memory);
    if let Some(screen) = framebuffer.filter(|_| settings.display()).and_then(display::open) {
        console::show(screen);
    }
    console::text(format_args!("  Assay {}\n", env!("CARGO_PKG_VERSION")));

    if let Some(kind) = confidential {
        refuse(Ending::Poweroff, &Refusal { code: "confidential-vm", detail: kind.message() });
    }
    let space = take_memory(memory, low_page, ports, &mut phases);
    let port_is_there = console::listeners().has_serial;
    if !port_is_there && matches!(settings.serial(), Some(Serial::Uart(_))) {
        Candidates::new(None, named).open();
    }
    let plan = Plan::parse(plan_bytes);
    let listeners = console::listeners();
    let ending = settings.ending(plan.as_ref().map_or(0, |plan| plan.head.linger_ms), &listeners);
    settings.tell(ending, &listeners, port_is_there);
    console::settle();
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => {
            tell_problem("plan", Text::format(format_args!("{error}")));
            console::end(RunStatus::Failed);
            farewell::end(ending, GuestExit::Refused, &format_args!("\n  cannot run: {error}\n"))
        }
    };
    control::init(plan.control);
    let Err(refusal) = space.and_then(|space| experiment(space, rsdp, &plan, ramdisk, ending, &mut phases));
    refuse(ending, &refusal)
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

/// Makes memory the kernel's own, and talks to the serial ports that had to wait for that.
fn take_memory(
    mut memory: MemoryMap,
    low_page: Option<LowPage>,
    ports: Candidates,
    phases: &mut Phases,
) -> Result<KernelSpace, Refusal> {
    if !Features::detect().nx {
        return Err(Refusal {
            code: "no-nx",
            detail: "the CPU has no no-execute pages, or firmware hides them",
        });
    }
    pic::mask_all();
    mem::init_heap(&mut memory)?;
    let mut space = KernelSpace::new(Frames::new(memory), low_page)?;
    ports.open_mapped(&mut space)?;
    phases.end("memory");
    Ok(space)
}

/// Brings the machine up, runs the plan and ends.
fn experiment(
    space: KernelSpace,
    rsdp: Option<u64>,
    plan: &Plan<'_>,
    ramdisk: &[u8],
    ending: Ending,
    phases: &mut Phases,
) -> Result<Infallible, Refusal> {
    let mut machine = bring_up(space, rsdp, phases)?;
    let (online, listed) = (PerCpu::online().count(), PerCpu::all().len());
    console::text(format_args!("  {online} of {listed} CPUs up: running\n"));
    let cores = order::cores(&machine.cpus);
    let agenda = Agenda::new(plan, cores, u16::try_from(machine.cpus.len()).unwrap_or(u16::MAX));
    let rows = bench::run(&mut machine, plan, &agenda, ramdisk, phases)?;
    let held = machine.all_cpus_up && rows.len() == agenda.len() && rows.iter().all(|row| row.verified);
    let (status, exit) = match held {
        true => (RunStatus::Ok, GuestExit::Success),
        false => (RunStatus::Failed, GuestExit::Failed),
    };
    console::end(status);
    // So that whoever watches from the host's side can take the last readings before there is nothing left to read.
    machine.clock.spin_us(FAREWELL_US);
    let table = bench::Table { plan, rows: &rows, clock: machine.clock, cores, online, listed };
    farewell::end(ending, exit, &table)
}

/// Says why there is nothing to run, and ends.
fn refuse(ending: Ending, refusal: &Refusal) -> ! {
    let Refusal { code, detail } = *refusal;
    tell_problem(code, Text::new(detail));
    console::end(RunStatus::Failed);
    farewell::end(ending, GuestExit::Refused, &format_args!("\n  cannot run: {detail} ({code})\n"))
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
