//! The kernel's side of an experiment: teams of workers in ring 3, for the driver in `harness`.

mod backend;
mod team;

use abi::plan::Plan;
use harness::blob::BlobError;
use harness::phases::Phases;
use harness::run::Summary;
use harness::{Site, cpu_count, order};

use crate::cpu::PerCpu;
use crate::machine::Machine;

pub use backend::Bench;

/// Runs `plan` on the machine, which can use `memory_bytes`, and emits the records from `experiment` on but for the last.
///
/// # Errors
/// The ramdisk does not hold what the plan names.
pub fn run<'a>(
    machine: &mut Machine,
    memory_bytes: u64,
    plan: &'a Plan<'a>,
    ramdisk: &[u8],
    phases: &mut Phases,
) -> Result<Summary<'a>, BlobError> {
    let clock = machine.clock;
    let site = Site {
        clock: &clock.tsc,
        cores: order::cores(&machine.cpus),
        usable: cpu_count(machine.cpus.len()),
        online: cpu_count(PerCpu::online().count()),
        listed: cpu_count(PerCpu::all().len()),
        all_online: machine.all_online,
        memory_bytes,
    };
    harness::run(plan, ramdisk, site, phases, &mut Bench::new(machine))
}
