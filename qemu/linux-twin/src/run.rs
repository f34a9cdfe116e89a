//! The whole run, in the kernel's order: start, machine, plan, clock, cases, end.

use std::io;

use abi::control::ControlKind;
use abi::exit::GuestExit;
use abi::plan::Plan;
use abi::wire::Hex64;
use abi::wire::record::{PROTOCOL, RunStatus, Start, SystemName};
use abi::{Digest, ramdisk};
use harness::clock::{Choice, Clock};
use harness::phases::Phases;
use harness::x86::random;
use harness::{Sink, Site, cpu_count, emit, order, registers};

use crate::backend::Processes;
use crate::clock::{Stamp, readings};
use crate::console::Console;
use crate::cpus::Roster;
use crate::linux::{self, log, msr};
use crate::refusal::Refusal;
use crate::second::SecondClock;
use crate::{machine, tuning, warp};

/// The system that runs a plan, and the ramdisk that holds it.
pub struct Setting {
    /// Guest or host.
    pub system: SystemName,
    /// The time of this program's start.
    pub epoch: Stamp,
    /// The ramdisk.
    pub ramdisk: io::Result<Vec<u8>>,
    /// The CPUs.
    pub roster: io::Result<Roster>,
    /// Whether the workers are real-time processes.
    pub tuned: bool,
}

/// Runs the plan, and prints all its records and the table.
pub fn all(setting: Setting, console: &mut Console) -> GuestExit {
    let Setting { system, epoch, ramdisk, roster, tuned } = setting;
    let (ramdisk, unread) = match ramdisk {
        Ok(ramdisk) => (ramdisk, None),
        Err(error) => (Vec::new(), Some(Refusal::Ramdisk(error))),
    };
    let plan_bytes = ramdisk::find(&ramdisk, "", ramdisk::PLAN).ok().flatten().unwrap_or_default();
    let start = Start {
        proto: PROTOCOL,
        nonce: Hex64(random::nonce()),
        plan: Digest::of(plan_bytes),
        build: Hex64(linux::build_id()),
    };
    console.record(start.into());
    machine::describe(system, console);
    let refusal = match (unread, Plan::parse(plan_bytes)) {
        (Some(unread), _) => unread,
        (None, Err(error)) => Refusal::Plan(error),
        (None, Ok(plan)) => match experiment(system, &epoch, roster, tuned, &plan, &ramdisk, console) {
            Ok(RunStatus::Ok) => return GuestExit::Success,
            Ok(RunStatus::Failed) => return GuestExit::Failed,
            Err(refusal) => refusal,
        },
    };
    console.problem(refusal.code(), format_args!("{refusal}"));
    console.end(RunStatus::Failed);
    console.text(format_args!("\n  cannot run: {refusal} ({})\n", refusal.code()));
    GuestExit::Refused
}

fn experiment(
    system: SystemName,
    epoch: &Stamp,
    roster: io::Result<Roster>,
    tuned: bool,
    plan: &Plan<'_>,
    ramdisk: &[u8],
    console: &mut Console,
) -> Result<RunStatus, Refusal> {
    if plan.control.kind != ControlKind::None {
        return Err(Refusal::Control);
    }
    let roster = roster.map_err(Refusal::Cpus)?;
    let mut phases = Phases::from(epoch.tsc());
    phases.end("init");

    let log = log::read();
    let readings = readings(epoch, log.as_deref());
    let choice = Choice::among(&readings).ok_or_else(|| Refusal::NoClock(readings.clone()))?;
    let clock = Clock::of(&choice);
    if system == SystemName::Linux {
        phases.before("linux", clock.cycles(epoch.since_boot_us()));
    }
    phases.end("clock");
    let warp = warp::test(&roster.online, &clock);
    phases.end("warp");

    machine::report_features(log.as_deref(), console);
    if tuned {
        console.record(tuning::report().into());
    }
    machine::report_cpus(system, &roster, console);
    registers::report(&msr::states(&roster.online), console);
    emit::clock(&choice, &readings, console);
    let second = SecondClock::of(system);
    console.record(second.record().into());
    warp.report(&clock, console);
    phases.end("records");

    let located: Vec<_> = roster.online.iter().map(|cpu| cpu.located).collect();
    let online = cpu_count(roster.online.len());
    let site = Site {
        clock: &clock,
        cores: order::cores(&located),
        usable: online,
        online,
        listed: online.saturating_add(cpu_count(roster.missing.len())),
        all_online: roster.missing.is_empty(),
        memory_bytes: machine::usable_memory().bytes,
    };
    // Not before the warp test, whose threads would keep this process from its CPU.
    if tuned {
        tuning::begin().map_err(Refusal::RealTime)?;
    }
    let mut backend =
        Processes { system, cpus: &roster.online, tuned, clock: &clock, second, console, has_begun: false };
    let summary = harness::run(plan, ramdisk, site, &mut phases, &mut backend).map_err(Refusal::Blob)?;
    console.end(summary.status());
    console.text(format_args!("{summary}"));
    Ok(summary.status())
}
