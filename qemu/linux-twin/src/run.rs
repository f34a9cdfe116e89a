//! The whole run of a plan, in the kernel's order: start, machine, plan, clock, cases, end.

use std::cell::OnceCell;
use std::io;

use abi::control::ControlKind;
use abi::exit::GuestExit;
use abi::plan::Plan;
use abi::wire::Hex64;
use abi::wire::record::{CommandTaken, PROTOCOL, RunStatus, Start, SystemName};
use abi::{Digest, ramdisk};
use harness::clock::{Choice, Clock, Reading};
use harness::phases::Phases;
use harness::x86::{random, tsc};
use harness::{Sink, Site, cpu_count, emit, order, registers};

use crate::backend::Processes;
use crate::clock::{Stamp, readings};
use crate::console::Console;
use crate::cpus::Roster;
use crate::linux::{self, log, msr};
use crate::refusal::Refusal;
use crate::second::SecondClock;
use crate::{machine, tuning, warp};

/// The system that runs plans, and the ramdisk that holds what they need.
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
    /// What was found when the first plan was run.
    pub found: OnceCell<Found>,
}

/// What Linux's log and the clocks say.
pub struct Found {
    log: Option<String>,
    readings: Vec<Reading>,
}

/// What a stream is of.
#[derive(Clone, Copy)]
pub enum Cause<'a> {
    /// The start of the program: the plan of the ramdisk.
    Boot,
    /// A command, which has this plan.
    Command(CommandTaken, &'a [u8]),
}

/// A stream that has ended.
pub struct Ended {
    /// How the plan ended.
    pub exit: GuestExit,
    /// The stream's nonce.
    pub nonce: Hex64,
}

/// Runs a plan, and prints all its records and the table.
pub fn all(setting: &Setting, cause: Cause<'_>, console: &mut Console) -> Ended {
    let ramdisk = setting.ramdisk.as_deref().unwrap_or_default();
    let planned = || ramdisk::find(ramdisk, "", ramdisk::PLAN).ok().flatten().unwrap_or_default();
    let plan_bytes = match cause {
        Cause::Boot => planned(),
        Cause::Command(_, plan) => plan,
    };
    let nonce = begin(Digest::of(plan_bytes), console);
    if let Cause::Command(taken, _) = cause {
        console.record(taken.into());
    }
    machine::describe(setting.system, console);
    let unread = setting.ramdisk.as_ref().err().map(|error| Refusal::Ramdisk(error.to_string()));
    let refusal = match (unread, Plan::parse(plan_bytes)) {
        (Some(unread), _) => unread,
        (None, Err(error)) => Refusal::Plan(error),
        (None, Ok(plan)) => match experiment(setting, cause, &plan, ramdisk, console) {
            Ok(RunStatus::Ok) => return Ended { exit: GuestExit::Success, nonce },
            Ok(RunStatus::Failed) => return Ended { exit: GuestExit::Failed, nonce },
            Err(refusal) => refusal,
        },
    };
    console.problem(refusal.code(), format_args!("{refusal}"));
    console.end(RunStatus::Failed);
    console.text(format_args!("\n  cannot run: {refusal} ({})\n", refusal.code()));
    Ended { exit: GuestExit::Refused, nonce }
}

/// Begins a stream. Returns its nonce.
pub fn begin(plan: Digest, console: &mut Console) -> Hex64 {
    let nonce = Hex64(random::nonce());
    console.begin();
    console.record(Start { proto: PROTOCOL, nonce, plan, build: Hex64(linux::build_id()) }.into());
    nonce
}

fn experiment(
    setting: &Setting,
    cause: Cause<'_>,
    plan: &Plan<'_>,
    ramdisk: &[u8],
    console: &mut Console,
) -> Result<RunStatus, Refusal> {
    if plan.control.kind != ControlKind::None {
        return Err(Refusal::Control);
    }
    let &Setting { system, ref epoch, tuned, .. } = setting;
    let roster = setting.roster.as_ref().map_err(|error| Refusal::Cpus(error.to_string()))?;
    let mut phases = match cause {
        Cause::Boot => Phases::from(epoch.tsc()),
        Cause::Command(..) => Phases::from(tsc::read()),
    };
    phases.end("init");

    let Found { log, readings } = setting.found.get_or_init(|| {
        let log = log::read();
        Found { readings: readings(epoch, log.as_deref()), log }
    });
    let choice = Choice::among(readings).ok_or_else(|| Refusal::NoClock(readings.clone()))?;
    let clock = Clock::of(&choice);
    if system == SystemName::Linux && matches!(cause, Cause::Boot) {
        phases.before("linux", clock.cycles(epoch.since_boot_us()));
    }
    phases.end("clock");
    let warp = warp::test(&roster.online, &clock);
    phases.end("warp");

    machine::report_features(log.as_deref(), console);
    if tuned {
        console.record(tuning::report().into());
    }
    machine::report_cpus(system, roster, console);
    registers::report(&msr::states(&roster.online), console);
    emit::clock(&choice, readings, console);
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
