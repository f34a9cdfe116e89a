//! A task of a scene as a process.
//!
//! No filter is on its system calls, as one is on a worker's: Linux would run it at each call, and it would be part of every
//! figure. The program makes no system call but through the stubs, which a test of its bytes shows.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use abi::series::SeriesRow;
use abi::stub::STUBS;
use abi::task::{LAZY_AT, LAZY_PAGES};
use harness::mechanism::{Role, Scene};
use harness::user::Exit;
use harness::user::layout::{MEMORY, STUB};
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Signal, set_parent_process_death_signal};

use super::objects::Objects;
use super::{pager, ring, stubs};
use crate::cpus::{Cpu, pin};
use crate::linux::scheduler;
use crate::worker::map::{self, PAGE, Rights};
use crate::worker::{Pages, Slot, Step, call, lay_out, traps};

/// The priority of the tasks of `switch`, which take turns.
pub const PRIORITY: i32 = 1;

/// What a process is to do.
pub struct Assignment<'a> {
    /// The scene.
    pub scene: &'a Scene<'a>,
    /// Its part.
    pub role: &'a Role,
    /// Its CPU.
    pub cpu: Cpu,
    /// The objects of the scene.
    pub objects: &'a Objects,
    /// Its arguments and its result.
    pub pages: &'a Pages,
    /// The code of the stubs.
    pub stubs: &'a [u8],
    /// Where the first words of its memory go at its end, and how many.
    pub kept: &'a File,
    /// How many words.
    pub words: usize,
}

/// Does it. Returns how the task came back; `None` if the slot states why it did not run.
pub fn live(assignment: &Assignment<'_>, slot: &'static Slot) -> Option<Exit> {
    let ran = set_up(assignment, slot).and_then(|()| play(assignment).map_err(|error| (Step::Call, error)));
    match ran {
        Ok(()) => Some(Exit::Returned),
        Err((step, error)) => {
            slot.cannot(step, error.raw_os_error().unwrap_or(0));
            None
        }
    }
}

fn set_up(assignment: &Assignment<'_>, slot: &'static Slot) -> Result<(), (Step, io::Error)> {
    let Assignment { scene, role, cpu, objects, pages, stubs, .. } = *assignment;
    let at = |step| move |error: io::Error| (step, error);
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| (Step::Tie, error.into()))?;
    pin(cpu.linux).map_err(at(Step::Pin))?;
    lay_out(scene.program, pages).map_err(at(Step::Map))?;
    let offset = usize::try_from(STUBS - STUB).unwrap_or(PAGE);
    let with_ring = match scene.row {
        SeriesRow::RingNop => Some(stubs::with_ring(stubs, ring::set_up().map_err(at(Step::Objects))?)),
        _ => None,
    };
    let code = with_ring.as_deref().unwrap_or(stubs);
    map::private(STUB, PAGE, &[(offset, code)], Rights::Execute).map_err(at(Step::Map))?;
    // Not what is mapped later: a row is about pages that are not there yet.
    mlockall(MlockAllFlags::CURRENT).map_err(|error| (Step::Lock, error.into()))?;
    if scene.row == SeriesRow::FaultZero {
        let bytes = usize::try_from(LAZY_PAGES).unwrap_or(0) * PAGE;
        map::lazy(LAZY_AT, bytes).map_err(at(Step::Map))?;
    }
    objects.hand_over(scene.profile, role.name).map_err(at(Step::Objects))?;
    scheduler::set_least_slack().map_err(at(Step::RealTime))?;
    traps::take(slot).map_err(at(Step::Signals))?;
    if scene.row == SeriesRow::FaultServed {
        pager::take(role.args).map_err(at(Step::Signals))?;
    }
    if scene.row == SeriesRow::Switch {
        scheduler::become_fifo(PRIORITY).map_err(at(Step::RealTime))?;
    }
    Ok(())
}

/// Calls the program, and keeps what it left.
fn play(assignment: &Assignment<'_>) -> io::Result<()> {
    let Assignment { scene, role, pages, kept, words, .. } = *assignment;
    pages.prepare(&scene.program.granted().given_to(role.args))?;
    call::worker(scene.program.image.entry);
    if words > 0 {
        let bytes = map::content(MEMORY, words * 8);
        kept.write_all_at(&bytes, 0)?;
    }
    Ok(())
}
