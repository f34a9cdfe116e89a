//! The life of a worker's process: set-up, prepare, warm-up, rendezvous, timed run, verify.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Duration;

use abi::plan::Split;
use abi::worker::{Phase, WorkerArgs};
use harness::clock::Clock;
use harness::conditions::Conditions;
use harness::emit::Around;
use harness::pace;
use harness::rendezvous::Rendezvous;
use harness::user::{Exit, Program};
use harness::warm_up;
use harness::watch::Seen;
use harness::x86::{features, tsc};
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Signal, set_parent_process_death_signal};

use super::slot::{NOT_REPORTED, Slot, Step};
use super::space::{Pages, lay_out};
use super::team::Limits;
use super::{call, filter, traps};
use crate::cpus::{Cpu, pin};
use crate::linux::{interrupts, msr, schedstat};
use crate::second::SecondClock;
use crate::tuning;

/// The task of one process.
pub struct Assignment<'a> {
    /// Its CPU.
    pub cpu: Cpu,
    /// What the plan gives its worker.
    pub split: Split,
    /// The worker.
    pub program: &'a Program<'a>,
    /// The number of workers in the case.
    pub workers: u32,
    /// Whether it is a real-time process.
    pub tuned: bool,
    /// Its arguments and its result.
    pub pages: &'a Pages,
    /// The rendezvous of all workers.
    pub rendezvous: &'a Rendezvous,
    /// The clock.
    pub clock: &'a Clock,
    /// The second clock.
    pub second: SecondClock,
    /// The plan's challenge.
    pub challenge: u64,
    /// How long the calls of the worker take.
    pub limits: Limits,
    /// How long to wait for the others.
    pub patience: Duration,
}

/// Runs the task. Returns how the worker came back; `None` if the slot already states why it did not run.
pub fn live(assignment: &Assignment<'_>, slot: &'static Slot) -> Option<Exit> {
    let ran = set_up(assignment, slot)
        .and_then(|()| all_calls(assignment, slot).map_err(|error| (Step::Call, error)));
    ran.unwrap_or_else(|(step, error)| {
        slot.cannot(step, error.raw_os_error().unwrap_or(0));
        None
    })
}

fn set_up(assignment: &Assignment<'_>, slot: &'static Slot) -> Result<(), (Step, io::Error)> {
    let at = |step| move |error: io::Error| (step, error);
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| (Step::Tie, error.into()))?;
    pin(assignment.cpu.linux).map_err(at(Step::Pin))?;
    if assignment.tuned {
        tuning::become_worker().map_err(at(Step::RealTime))?;
    }
    if !features::of_this_cpu().has_all(assignment.program.needs.requires) {
        return Err((Step::Features, io::ErrorKind::Unsupported.into()));
    }
    lay_out(assignment.program, assignment.pages).map_err(|error| match error.kind() {
        io::ErrorKind::Unsupported => (Step::Pages, error),
        _ => (Step::Map, error),
    })?;
    // After the mapping: locked memory is filled at once, before it could have been advised on.
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE).map_err(|error| (Step::Lock, error.into()))?;
    traps::take(slot).map_err(at(Step::Signals))?;
    filter::install().map_err(at(Step::Filter))
}

/// All calls of the worker, in the order of `abi::worker`. `None` if there was no common start.
fn all_calls(assignment: &Assignment<'_>, slot: &Slot) -> io::Result<Option<Exit>> {
    let Assignment { cpu, rendezvous, clock, second, patience, limits, program, .. } = assignment;
    if program.needs.prepare {
        call(assignment, WorkerArgs::for_phase(Phase::Prepare))?;
    }
    let (ended, took) = warm_up::run(clock, limits.warm_up_ms, assignment.split.worker, |until| {
        let args = WorkerArgs { warm_until_tsc: until, ..WorkerArgs::for_phase(Phase::WarmUp) };
        call(assignment, args).map_or_else(ControlFlow::Break, |_| ControlFlow::Continue(()))
    });
    if let ControlFlow::Break(error) = ended {
        return Err(error);
    }
    let registers = msr::Registers::of(cpu.linux);
    let count = || registers.as_ref().map(msr::Registers::counters).unwrap_or_default();
    slot.before.store(pace::check(clock));
    let before = (interrupts_of(cpu), schedstat::run_delay_ns());
    slot.arrived.store(true, Ordering::Release);
    let patience_us = u64::try_from(patience.as_micros()).unwrap_or(u64::MAX);
    let Some(start_tsc) = rendezvous.arrive(clock, patience_us, || second.mark()) else {
        slot.no_start();
        slot.come_back(rendezvous, *second);
        return Ok(None);
    };
    let counted = count();
    let (around, seen) = call(assignment, WorkerArgs { start_tsc, ..WorkerArgs::for_phase(Phase::Timed) })?;
    let counters = count().since(counted);
    slot.come_back(rendezvous, *second);
    slot.conditions.store(&Conditions { warm_up: took, watch: Some(seen), counters });
    slot.entered_tsc.store(around.entered_tsc, Ordering::Relaxed);
    slot.returned_tsc.store(around.returned_tsc, Ordering::Relaxed);
    let waited = schedstat::run_delay_ns().zip(before.1).map(|(after, before)| after.saturating_sub(before));
    slot.waited_ns.store(waited.unwrap_or(NOT_REPORTED), Ordering::Relaxed);
    slot.irqs.store(interrupts_of(cpu).saturating_sub(before.0), Ordering::Relaxed);
    slot.after.store(pace::check(clock));
    if program.needs.verify {
        slot.keep_timed(&assignment.pages.result()?);
        // A process that does not come back is reported as lost; the others have an answer all the same.
        let _all = rendezvous.await_all_back(clock, patience_us);
        call(assignment, WorkerArgs::for_phase(Phase::Verify))?;
    }
    Ok(Some(Exit::Returned))
}

/// Calls the worker once, within its time-out. Returns when it was entered and when it came back, and what the watch over it
/// saw.
fn call(assignment: &Assignment<'_>, args: WorkerArgs) -> io::Result<(Around, Seen)> {
    let Assignment { program, workers, .. } = assignment;
    let args = WorkerArgs { workers: u64::from(*workers), ..program.granted().given_to(args) };
    assignment.pages.prepare(&args.of(&assignment.split, assignment.challenge))?;
    traps::watch(assignment.clock, u64::from(assignment.limits.timeout_ms) * 1_000)?;
    let entered_tsc = tsc::read_ordered();
    call::worker(program.image.entry);
    let returned_tsc = tsc::read_ordered();
    Ok((Around { entered_tsc, returned_tsc }, traps::end_watch()?))
}

/// The interrupts that the CPU has taken so far. From the rendezvous to the worker's return there are a few more than in
/// the timed region.
fn interrupts_of(cpu: &Cpu) -> u64 {
    let file = fs::read_to_string("/proc/interrupts").unwrap_or_default();
    interrupts::of_cpu(&file, cpu.linux).unwrap_or(0)
}
