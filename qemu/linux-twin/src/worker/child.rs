//! The course of a worker's process: set-up, warm-up, meeting, timed run.

use std::fs;
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use abi::plan::Split;
use kernel::bench::{Rendezvous, WATCHED_US};
use kernel::clock::Clock;
use kernel::smp::gaps;
use kernel::user::Exit;
use kernel::user::elf::Image;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Signal, set_parent_process_death_signal};

use super::slot::{Slot, Step, UNTOLD};
use super::space::{Pages, lay_out};
use super::{call, filter, traps};
use crate::cpus::{Cpu, pin};
use crate::linux::{interrupts, schedstat};

/// What one process is to do.
pub struct Assignment<'a> {
    /// Where.
    pub cpu: Cpu,
    /// What the plan gives its worker.
    pub split: Split,
    /// The worker.
    pub image: &'a Image<'a>,
    /// Its arguments and its result.
    pub pages: &'a Pages,
    /// Where all meet.
    pub rendezvous: &'a Rendezvous,
    /// What makes cycles of time.
    pub clock: &'a Clock,
    /// How long a call of the worker may take.
    pub timeout: Duration,
    /// How long to wait for the others.
    pub patience: Duration,
}

/// Does it. Returns how the worker came back, unless the slot already tells why there is nothing to say.
pub fn live(assignment: &Assignment<'_>, slot: &'static Slot) -> Option<Exit> {
    let lived = set_up(assignment, slot)
        .and_then(|()| both_calls(assignment, slot).map_err(|error| (Step::Call, error)));
    lived.unwrap_or_else(|(step, error)| {
        slot.cannot(step, error.raw_os_error().unwrap_or(0));
        None
    })
}

fn set_up(assignment: &Assignment<'_>, slot: &'static Slot) -> Result<(), (Step, io::Error)> {
    let at = |step| move |error: io::Error| (step, error);
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| (Step::Tie, error.into()))?;
    pin(assignment.cpu.linux).map_err(at(Step::Pin))?;
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE).map_err(|error| (Step::Lock, error.into()))?;
    lay_out(assignment.image, assignment.pages).map_err(at(Step::Map))?;
    traps::take(slot).map_err(at(Step::Signals))?;
    filter::install().map_err(at(Step::Filter))
}

/// Warm-up and timed run. `None` where no start was given.
fn both_calls(assignment: &Assignment<'_>, slot: &Slot) -> io::Result<Option<Exit>> {
    let Assignment { cpu, split, image, pages, rendezvous, clock, timeout, patience } = assignment;
    let call = |start_tsc| -> io::Result<()> {
        pages.prepare(start_tsc, split)?;
        traps::set_timer(*timeout)?;
        call::worker(image.entry);
        traps::set_timer(Duration::ZERO)
    };
    let watched = clock.cycles(WATCHED_US);
    call(0)?;
    slot.before.store(gaps::watch(watched));
    let before = (interrupts_of(cpu), schedstat::run_delay_ns());
    slot.arrived.store(true, Ordering::Release);
    let patience_us = u64::try_from(patience.as_micros()).unwrap_or(u64::MAX);
    let Some(start_tsc) = rendezvous.arrive(clock, patience_us) else {
        slot.no_start();
        return Ok(None);
    };
    call(start_tsc)?;
    let waited = schedstat::run_delay_ns().zip(before.1).map(|(after, before)| after.saturating_sub(before));
    slot.waited_ns.store(waited.unwrap_or(UNTOLD), Ordering::Relaxed);
    slot.irqs.store(interrupts_of(cpu).saturating_sub(before.0), Ordering::Relaxed);
    slot.after.store(gaps::watch(watched));
    Ok(Some(Exit::Returned))
}

/// What the CPU has taken so far. From the meeting to the worker's return it is some more than in the timed region.
fn interrupts_of(cpu: &Cpu) -> u64 {
    let file = fs::read_to_string("/proc/interrupts").unwrap_or_default();
    interrupts::of_cpu(&file, cpu.linux).unwrap_or(0)
}
