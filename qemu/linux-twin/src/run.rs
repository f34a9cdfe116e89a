//! The whole run, in the kernel's order: start, machine, plan, clock, cases, end.

use std::io;

use abi::control::ControlKind;
use abi::exit::GuestExit;
use abi::plan::Plan;
use abi::wire::Hex64;
use abi::wire::record::{PROTOCOL, RunStatus, Start, SystemName};
use abi::{Digest, ramdisk};
use kernel::bench::{Agenda, Table};
use kernel::clock::{Choice, Clock};
use kernel::x86::random;

use crate::cases::Place;
use crate::clock::{Stamp, readings};
use crate::console::Console;
use crate::cpus::Roster;
use crate::linux::{self, log};
use crate::phases::Phases;
use crate::refusal::Refusal;
use crate::{cases, machine, warp};

/// Where the plan is run, and what it comes in.
pub struct Setting {
    /// Guest or host.
    pub system: SystemName,
    /// This program's first moment.
    pub epoch: Stamp,
    /// The ramdisk.
    pub ramdisk: io::Result<Vec<u8>>,
    /// The CPUs.
    pub roster: io::Result<Roster>,
}

/// Runs all of it.
pub fn all(setting: Setting, console: &mut Console) -> GuestExit {
    let Setting { system, epoch, ramdisk, roster } = setting;
    let (ramdisk, unread) = match ramdisk {
        Ok(ramdisk) => (ramdisk, None),
        Err(error) => (Vec::new(), Some(Refusal::Ramdisk(error))),
    };
    let plan_bytes = ramdisk::find(&ramdisk, "", ramdisk::PLAN).ok().flatten().unwrap_or_default();
    console.record(Start {
        proto: PROTOCOL,
        nonce: Hex64(random::nonce()),
        plan: Digest::of(plan_bytes),
        build: Hex64(linux::build_id()),
    });
    machine::describe(system, console);
    let refusal = match (unread, Plan::parse(plan_bytes)) {
        (Some(unread), _) => unread,
        (None, Err(error)) => Refusal::Plan(error),
        (None, Ok(plan)) => match experiment(system, &epoch, roster, &plan, &ramdisk, console) {
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
    plan: &Plan<'_>,
    ramdisk: &[u8],
    console: &mut Console,
) -> Result<RunStatus, Refusal> {
    if plan.control.kind != ControlKind::None {
        return Err(Refusal::Control);
    }
    let roster = roster.map_err(Refusal::Cpus)?;
    let mut phases = Phases::from(epoch.tsc);
    phases.end("init");

    let log = log::read();
    let readings = readings(epoch, log.as_deref());
    let choice = Choice::among(&readings).ok_or(Refusal::NoClock)?;
    let clock = Clock::of(&choice);
    if system == SystemName::Linux {
        phases.before("linux", clock.cycles(epoch.since_boot_us()));
    }
    phases.end("clock");
    let warp = warp::test(&roster.online, &clock);
    phases.end("warp");

    machine::tell_features(log.as_deref(), console);
    machine::tell_cpus(system, &roster, console);
    machine::tell_clock(&choice, &readings, console);
    machine::tell_warp(&warp, console);
    phases.end("records");

    let place = Place { system, cpus: &roster.online, clock: &clock };
    let cores = place.cores();
    let agenda = Agenda::new(plan, cores, u16::try_from(roster.online.len()).unwrap_or(u16::MAX));
    let rows = cases::run(plan, &agenda, ramdisk, place, &mut phases, console)?;
    let held = roster.missing.is_empty() && rows.len() == agenda.len() && rows.iter().all(|row| row.verified);
    let status = if held { RunStatus::Ok } else { RunStatus::Failed };
    console.end(status);
    let (online, listed) = (roster.online.len(), roster.online.len() + roster.missing.len());
    console.text(format_args!("{}", Table { plan, rows: &rows, clock: &clock, cores, online, listed }));
    Ok(status)
}
