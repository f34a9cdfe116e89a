//! The kernel's entry point, and the boot order.

#![no_std]
#![no_main]

extern crate alloc;

use core::convert::Infallible;

use abi::config::Serial;
use abi::exit::GuestExit;
use abi::plan::Plan;
use abi::wire::record::{RunStatus, Stage};
use abi::{Digest, ramdisk};
use bootloader_api::BootInfo as LoaderInfo;
use harness::Sink;
use harness::phases::Phases;
use harness::x86::tsc;
use kernel::bench;
use kernel::boot::command_line::CommandLine;
use kernel::boot::{BootError, BootInfo, build_id, direct, loader};
use kernel::console::{Candidates, Records};
use kernel::cpu::{PerCpu, probe};
use kernel::machine::{About, Refusal, bring_up};
use kernel::mem::memory_map::MemoryMap;
use kernel::mem::{self, Frames, KernelSpace, LowPage, phys};
use kernel::settings::Settings;
use kernel::x86::features::{Features, pages_have_five_levels};
use kernel::x86::{confidential, pic};
use kernel::{command, console, control, display, machine, power, shutdown, trap};

mod pvh_entry;

/// How long the machine stays after its last record, in microseconds, so that the host can take its last readings.
const SHUTDOWN_DELAY_US: u64 = 10_000;

bootloader_api::entry_point!(from_loader, config = &loader::CONFIG);

/// The entry from the loader.
fn from_loader(info: &'static mut LoaderInfo) -> ! {
    start(|| loader::take(info), || CommandLine::EMPTY)
}

/// The entry from a VMM, by `pvh_entry`, with the physical address of its start info.
extern "C" fn from_vmm(start_info: u64) -> ! {
    start(|| direct::take(start_info, pvh_entry::image()), || direct::command_line(start_info))
}

/// The common part of both entries. `line` reads the command line, for a kernel that cannot use its boot information.
fn start(take: impl FnOnce() -> Result<BootInfo, BootError>, line: impl FnOnce() -> CommandLine) -> ! {
    let epoch = tsc::read();
    trap::prepare();
    console::init(epoch, build_id::own());
    match take() {
        Ok(boot) => run(boot, Phases::from(epoch)),
        Err(error) => {
            let line = line();
            let settings = Settings::read(&[], line.bytes());
            Candidates::new(settings.serial(), None).open();
            shutdown::set_ending(settings.ending(0, &console::listeners()));
            console::begin(Digest::of(&[]));
            refuse(&Refusal { code: "boot-info", detail: error.message() })
        }
    }
}

/// The boot order, from the state in which the loader or the entry code left the machine.
fn run(boot: BootInfo, mut phases: Phases) -> ! {
    let BootInfo { firmware, mut memory, low_page, rsdp, ramdisk, command_line, framebuffer, .. } = boot;
    window::open(boot.window_offset, boot.window_end);
    mem::devices::init(&memory);
    let settings = Settings::read(ramdisk, command_line.bytes());
    let plan_bytes = ramdisk::find(ramdisk, "", ramdisk::PLAN).ok().flatten().unwrap_or_default();
    let plan = Plan::parse(plan_bytes);
    let linger_ms = plan.as_ref().map_or(0, |plan| plan.head.linger_ms);
    shutdown::set_ending(settings.ending(linger_ms, &console::listeners()));
    if let Ok(plan) = &plan {
        control::init(plan.control);
    }
    control::enter(Stage::Entry);
    let root = machine::root_pointer(rsdp, firmware);
    let rsdp = root.address();
    mem::reserve::firmware_tables(&mut memory, &phys::Firmware, rsdp);
    let named = machine::console_port(rsdp);
    let confidential = confidential::kind(probe::read_msr);
    let ports = match confidential {
        Some(kind) if kind.traps_ports() => Candidates::NONE,
        _ => Candidates::new(settings.serial(), named),
    };
    ports.open();
    control::enter(Stage::Console);
    console::begin(Digest::of(plan_bytes));
    let heap_bytes = machine::heap_bytes(rsdp);
    let about = About::new(firmware, &memory, root, heap_bytes);
    about.report();
    if let Some(screen) = framebuffer.filter(|_| settings.display()).and_then(display::open) {
        console::show(screen);
    }
    console::text(format_args!("  Assay {}\n", env!("CARGO_PKG_VERSION")));

    if let Some(kind) = confidential {
        refuse(&Refusal { code: "confidential-vm", detail: kind.message() });
    }
    control::enter(Stage::Memory);
    let space = take_memory(memory, heap_bytes, low_page, ports, &mut phases);
    let port_answers = console::listeners().has_serial;
    if !port_answers && matches!(settings.serial(), Some(Serial::Uart(_))) {
        Candidates::new(None, named).open();
    }
    let listeners = console::listeners();
    let ending = settings.ending(linger_ms, &listeners);
    shutdown::set_ending(ending);
    settings.report(ending, &listeners, port_answers);
    console::settle();
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => {
            Records.problem("plan", format_args!("{error}"));
            console::end(RunStatus::Failed);
            shutdown::end(GuestExit::Refused, &format_args!("\n  cannot run: {error}\n"))
        }
    };
    control::report();
    let Err(refusal) = space.and_then(|space| experiment(space, about, rsdp, &plan, ramdisk, &mut phases));
    refuse(&refusal)
}

/// Takes over memory, and opens the serial ports that had to wait for that.
fn take_memory(
    mut memory: MemoryMap,
    heap_bytes: u64,
    low_page: Option<LowPage>,
    ports: Candidates,
    phases: &mut Phases,
) -> Result<KernelSpace, Refusal> {
    if pages_have_five_levels() {
        return Err(Refusal {
            code: "la57",
            detail: "firmware left 5-level paging (LA57) on, and this kernel's pages have 4 levels",
        });
    }
    if !Features::detect().nx {
        return Err(Refusal {
            code: "no-nx",
            detail: "the CPU has no no-execute pages, or firmware hides them",
        });
    }
    pic::mask_all();
    mem::init_heap(&mut memory, heap_bytes)?;
    let mut space = KernelSpace::new(Frames::new(memory), low_page)?;
    ports.open_mapped(&mut space)?;
    phases.end("memory");
    Ok(space)
}

/// Brings the machine up, runs the plan and ends.
fn experiment(
    space: KernelSpace,
    about: About,
    rsdp: Option<u64>,
    plan: &Plan<'_>,
    ramdisk: &[u8],
    phases: &mut Phases,
) -> Result<Infallible, Refusal> {
    let mut machine = bring_up(space, rsdp, phases)?;
    control::enter(Stage::Run);
    let (online, listed) = (PerCpu::online().count(), PerCpu::all().len());
    console::text(format_args!("  {online} of {listed} CPUs up: running\n"));
    let clock = machine.clock;
    let summary = bench::run(&mut machine, about.memory_bytes, plan, ramdisk, phases)?;
    console::end(summary.status());
    clock.tsc.spin_us(SHUTDOWN_DELAY_US);
    if let Some(stay_ms) = shutdown::stay_ms() {
        console::text(format_args!("{summary}"));
        let exit = summary.exit();
        power::off(command::serve(&mut machine, about, ramdisk, stay_ms, exit))
    }
    shutdown::end(summary.exit(), &summary)
}

/// Reports why there is nothing to run, and ends.
fn refuse(refusal: &Refusal) -> ! {
    let Refusal { code, detail } = *refusal;
    Records.problem(code, format_args!("{detail}"));
    console::end(RunStatus::Failed);
    shutdown::end(GuestExit::Refused, &format_args!("\n  cannot run: {detail} ({code})\n"))
}

mod window {
    //! The one promise that needs knowledge of both entries.
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
