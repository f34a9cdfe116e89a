//! The plan's cases, one after the other.

use abi::plan::{self, Plan, Split};
use abi::wire::record::{Blob, CaseReady, CaseSkipped, Experiment, SkipReason, Split as SplitRecord, Sweep};
use abi::{CpuId, Digest, ramdisk};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use super::agenda::{Agenda, Item};
use super::emit;
use super::rendezvous::Rendezvous;
use super::table::Row;
use super::worker::{Team, Worker};
use crate::console;
use crate::control;
use crate::machine::{Machine, Refusal};
use crate::mem::OutOfMemory;
use crate::phases::Phases;
use crate::smp::{Job, PerCpu, order, run_on};
use crate::user::elf::Image;
use crate::user::{AddressSpace, layout};

/// Runs all of `agenda`, which is what `plan` comes to here; returns a row for each iteration, and none for one that was
/// skipped. The boot's last phase ends where the first iteration's workers start; all phases are printed after it.
///
/// # Errors
/// The ramdisk lacks the workload's ELF, or has another than the plan names, or one that cannot be loaded.
pub fn run(
    machine: &mut Machine,
    plan: &Plan<'_>,
    agenda: &Agenda,
    ramdisk: &[u8],
    phases: &mut Phases,
) -> Result<Vec<Row>, Refusal> {
    console::record(Experiment {
        name: plan.head.experiment,
        workload: plan.workload.name,
        authority: plan.workload.authority,
    });
    let image = load_blob(plan, ramdisk)?;
    let online = u16::try_from(PerCpu::online().count()).unwrap_or(u16::MAX);
    if let Some((plan::Sweep { iterations, seed, .. }, _)) = plan.sweep() {
        let cores = order::cores(&machine.cpus);
        console::record(Sweep { iterations, seed, cores, cpus: online });
    }
    let cpus = order::worker_order(&machine.cpus);
    let (mut told, mut skipped) = (Vec::new(), Vec::new());
    let mut rows = Vec::new();
    for (item, iteration) in agenda.turns() {
        let case = item.case.workers;
        if !told.contains(&case) {
            told.push(case);
            tell_splits(item);
        }
        if skipped.contains(&case) {
            continue;
        }
        match run_iteration(machine, plan, item, iteration, &cpus, &image) {
            Ok(row) => {
                if rows.is_empty() {
                    phases.print_until("first-worker", row.start_tsc);
                }
                rows.push(row);
            }
            Err(reason) => {
                skipped.push(case);
                console::record(CaseSkipped { case, reason, online });
            }
        }
    }
    Ok(rows)
}

fn tell_splits(item: &Item) {
    let case = item.case.workers;
    for &Split { worker, p0, p1, p2, p3, .. } in &item.splits {
        console::record(SplitRecord { case, worker, p0, p1, p2, p3 });
    }
}

fn load_blob<'a>(plan: &Plan<'_>, ramdisk: &'a [u8]) -> Result<Image<'a>, Refusal> {
    let refuse = |detail| Refusal { code: "blob", detail };
    let found = ramdisk::find(ramdisk, ramdisk::WORKERS, plan.workload.name.as_str());
    let file = found.map_err(|error| refuse(error.message()))?;
    let file = file.ok_or(refuse("the ramdisk has no such worker"))?;
    let sha256 = Digest::of(file);
    let bytes = u32::try_from(file.len()).unwrap_or(u32::MAX);
    console::record(Blob { name: plan.workload.name, bytes, sha256 });
    if sha256 != plan.workload.sha256 {
        return Err(refuse("the worker's sha256 is not the plan's"));
    }
    let limit = layout::IMAGE_LIMIT - layout::IMAGE;
    Image::parse(file, limit).map_err(|error| refuse(error.message()))
}

/// Runs a case once: one worker on each of the first of `cpus`, all started together.
fn run_iteration(
    machine: &mut Machine,
    plan: &Plan<'_>,
    item: &Item,
    iter: u16,
    cpus: &[CpuId],
    image: &Image<'_>,
) -> Result<Row, SkipReason> {
    let case = item.case.workers;
    let cpus = choose_cpus(case, cpus)?;
    let workers =
        build_workers(machine, &cpus, &item.splits, image).map_err(|OutOfMemory| SkipReason::Memory)?;
    let team = Arc::new(Team {
        workers,
        rendezvous: Rendezvous::new(u32::from(case)),
        authority: plan.workload.authority,
        timeout_us: u64::from(item.case.timeout_ms) * 1000,
        kernel_cr3: machine.space.cr3(),
    });
    let clock = machine.clock;
    let job: Job = {
        let team = Arc::clone(&team);
        Arc::new(move |cpu| team.run(cpu, clock))
    };
    console::record(CaseReady { case, iter });
    run_on(&cpus, clock, team.patience_us(), &job);
    drop(job);
    control::on_case(iter);
    let start_tsc = team.rendezvous.start_tsc().unwrap_or(0);
    let told = team.workers.iter().map(Worker::tell);
    let row = emit::iteration(item, iter, start_tsc, told, &mut |record| console::record(record));
    for worker in &team.workers {
        console::record(worker.tell_gap(case, iter));
    }
    Team::disband(team, &mut machine.space);
    Ok(row)
}

/// The first of `order` that are up and free.
fn choose_cpus(workers: u16, order: &[CpuId]) -> Result<Vec<&'static PerCpu>, SkipReason> {
    let workers = usize::from(workers);
    let up = order.iter().filter_map(|id| PerCpu::online().find(|cpu| cpu.id == *id));
    let free = up.filter(|cpu| !cpu.busy.load(Ordering::Acquire));
    let cpus: Vec<_> = free.take(workers).collect();
    match (cpus.len() >= workers, PerCpu::online().count() >= workers) {
        (true, _) => Ok(cpus),
        (false, true) => Err(SkipReason::CpuLost),
        (false, false) => Err(SkipReason::Cpus),
    }
}

/// A worker for each of `cpus`.
///
/// # Errors
/// No memory; what was taken is given back.
fn build_workers(
    machine: &mut Machine,
    cpus: &[&'static PerCpu],
    splits: &[Split],
    image: &Image<'_>,
) -> Result<Vec<Worker>, OutOfMemory> {
    let mut workers = Vec::with_capacity(cpus.len());
    let built = cpus.iter().zip(splits).try_for_each(|(cpu, split)| {
        let space = AddressSpace::new(&mut machine.space, image)?;
        workers.push(Worker::new(cpu.id, *split, space));
        Ok(())
    });
    // A case that does not fit leaves the memory to those that do.
    if let Err(error) = built {
        workers.into_iter().for_each(|worker| worker.destroy(&mut machine.space));
        return Err(error);
    }
    Ok(workers)
}
