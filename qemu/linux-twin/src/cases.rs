//! The plan's cases, one after the other, as the kernel runs them.

use std::io;

use abi::plan::{self, Case, Plan, Split};
use abi::wire::record::{
    Blob, CaseReady, CaseSkipped, Experiment, SkipReason, Split as SplitRecord, Sweep, SystemName,
};
use abi::{Digest, ramdisk};
use kernel::bench::agenda::Item;
use kernel::bench::{Agenda, Row, emit};
use kernel::clock::Clock;
use kernel::smp::order;
use kernel::user::elf::Image;
use kernel::user::layout;

use crate::console::Console;
use crate::cpus::Cpu;
use crate::phases::Phases;
use crate::refusal::Refusal;
use crate::worker::Team;

/// Where cases are run.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Guest or host.
    pub system: SystemName,
    /// Its CPUs.
    pub cpus: &'a [Cpu],
    /// Its clock.
    pub clock: &'a Clock,
}

impl Place<'_> {
    /// How many cores the CPUs are.
    pub fn cores(&self) -> u16 {
        order::cores(&self.cpus.iter().map(|cpu| cpu.located).collect::<Vec<_>>())
    }
}

/// Runs all of `agenda`, which is what `plan` comes to here, on the first CPUs; returns a row for each iteration, and none
/// for one that was skipped.
///
/// # Errors
/// The ramdisk lacks the workload's ELF, or has another than the plan names, or one that cannot be loaded.
pub fn run(
    plan: &Plan<'_>,
    agenda: &Agenda,
    ramdisk: &[u8],
    place: Place<'_>,
    phases: &mut Phases,
    console: &mut Console,
) -> Result<Vec<Row>, Refusal> {
    console.record(Experiment {
        name: plan.head.experiment,
        workload: plan.workload.name,
        authority: plan.workload.authority,
    });
    let image = load_blob(plan, ramdisk, console)?;
    let online = u16::try_from(place.cpus.len()).unwrap_or(u16::MAX);
    if let Some((plan::Sweep { iterations, seed, .. }, _)) = plan.sweep() {
        console.record(Sweep { iterations, seed, cores: place.cores(), cpus: online });
    }
    let (mut told, mut skipped) = (Vec::new(), Vec::new());
    let mut rows = Vec::new();
    for (item, iteration) in agenda.turns() {
        let case = item.case.workers;
        if !told.contains(&case) {
            told.push(case);
            tell_splits(item, console);
        }
        if skipped.contains(&case) {
            continue;
        }
        match run_iteration(item, iteration, &image, place, console) {
            Ok(row) => {
                if rows.is_empty() {
                    phases.print_until("first-worker", row.start_tsc, console);
                }
                rows.push(row);
            }
            Err(reason) => {
                skipped.push(case);
                console.record(CaseSkipped { case, reason, online });
            }
        }
    }
    Ok(rows)
}

fn load_blob<'a>(plan: &Plan<'_>, ramdisk: &'a [u8], console: &mut Console) -> Result<Image<'a>, Refusal> {
    let found = ramdisk::find(ramdisk, ramdisk::WORKERS, plan.workload.name.as_str());
    let file = found.map_err(Refusal::Damaged)?.ok_or(Refusal::NoBlob)?;
    let sha256 = Digest::of(file);
    let bytes = u32::try_from(file.len()).unwrap_or(u32::MAX);
    console.record(Blob { name: plan.workload.name, bytes, sha256 });
    if sha256 != plan.workload.sha256 {
        return Err(Refusal::OtherBlob);
    }
    Image::parse(file, layout::IMAGE_LIMIT - layout::IMAGE).map_err(Refusal::Elf)
}

fn tell_splits(item: &Item, console: &mut Console) {
    let case = item.case.workers;
    for &Split { worker, p0, p1, p2, p3, .. } in &item.splits {
        console.record(SplitRecord { case, worker, p0, p1, p2, p3 });
    }
}

/// Runs a case once: one process on each of the first CPUs, all started together.
fn run_iteration(
    item: &Item,
    iter: u16,
    image: &Image<'_>,
    place: Place<'_>,
    console: &mut Console,
) -> Result<Row, SkipReason> {
    let Place { system, cpus, clock } = place;
    let Case { workers: case, timeout_ms, .. } = item.case;
    let cpus = cpus.get(..usize::from(case)).ok_or(SkipReason::Cpus)?;
    let team = Team::assemble(cpus, &item.splits, timeout_ms).map_err(|error| skip(&error, console))?;
    console.record(CaseReady { case, iter });
    // The UART's interrupts for what was printed must not fall into the timed region.
    console.drain();
    let report = team.run(image, clock).map_err(|error| skip(&error, console))?;
    let tell = &mut |record| console.record(record);
    let row = emit::iteration(item, iter, report.start_tsc, report.workers.into_iter(), tell);
    for gap in team.gaps(case, iter, system) {
        console.record(gap);
    }
    Ok(row)
}

/// Tells why a worker has no process to run in.
fn skip(error: &io::Error, console: &mut Console) -> SkipReason {
    console.problem("worker-process", format_args!("{error}"));
    SkipReason::Memory
}
