//! The driver: every case of a plan, and their records, in one order for both systems.

use abi::exit::GuestExit;
use abi::plan::{self, Needs, Plan, Platform, Split};
use abi::series::Tier;
use abi::wire::record::{
    CaseReady, CaseSkipped, Challenge, Experiment, Grant, InterruptVector, Interrupts, RunStatus,
    Seconds as SecondsRecord, SkipReason, Split as SplitRecord, Sweep, WarmUp,
};
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use crate::agenda::{Agenda, Item};
use crate::backend::{Backend, Interrupted, VectorCount};
use crate::blob::{self, BlobError};
use crate::clock::{Clock, Mark};
use crate::emit::{self, Marks};
use crate::mechanism::Errand;
use crate::pace;
use crate::phases::Phases;
use crate::platform::page::{Facts, Page};
use crate::sampler::{Book, Figure};
use crate::table::{Row, Table};
use crate::user::Program;
use crate::x86::{cpuid, tsc};

/// The machine that a plan runs on.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Its clock.
    pub clock: &'a Clock,
    /// Cores among the CPUs that are online, as far as the topology distinguishes them.
    pub cores: u16,
    /// CPUs that workers can run on: those online whose place is known.
    pub usable: u16,
    /// CPUs that are online.
    pub online: u16,
    /// CPUs that the machine lists.
    pub listed: u16,
    /// Whether every CPU that should be online is.
    pub all_online: bool,
    /// The memory that it can use, in bytes.
    pub memory_bytes: u64,
}

/// A number of CPUs as records have it.
#[must_use]
pub fn cpu_count(cpus: usize) -> u16 {
    u16::try_from(cpus).unwrap_or(u16::MAX)
}

/// A plan that has run. Displayed, it is the table for a person.
#[derive(Clone, Debug)]
pub struct Summary<'a> {
    plan: &'a Plan<'a>,
    site: Site<'a>,
    /// A row for each iteration that ran.
    pub rows: Vec<Row>,
    /// The figures of the rows of the platform and of the mechanisms; empty if the plan asks for none.
    pub figures: Vec<Figure>,
    /// Whether all iterations ran, every worker answered what the plan expects, and all CPUs were online.
    pub holds: bool,
}

impl Summary<'_> {
    /// The status of the `end` record.
    #[must_use]
    pub const fn status(&self) -> RunStatus {
        if self.holds { RunStatus::Ok } else { RunStatus::Failed }
    }

    /// How the system ends.
    #[must_use]
    pub const fn exit(&self) -> GuestExit {
        if self.holds { GuestExit::Success } else { GuestExit::Failed }
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, rows, .. } = self;
        let Site { clock, cores, online, listed, .. } = self.site;
        Table { plan, rows, clock, cores, online, listed }.fmt(f)?;
        if self.figures.iter().all(|figure| figure.place.row.tier() != Tier::Platform) {
            return Ok(());
        }
        let (brand, hypervisor) = (cpuid::brand().to_string(), cpuid::hypervisor_signature().to_string());
        let facts = Facts::of(&self.figures, clock);
        let memory_bytes = self.site.memory_bytes;
        Page { cpu: &brand, hypervisor: &hypervisor, cpus: online, memory_bytes, facts }.fmt(f)
    }
}

/// Runs every case of `plan` on `site`, and emits the records from `experiment` to the last `gap` or `case-skipped`. The
/// caller emits `end`. The last of `phases`, `first-worker`, ends at the common start of the first iteration; all phases
/// are emitted after that iteration.
///
/// # Errors
/// The ramdisk does not hold the workload's ELF or its corpus, or holds another than the plan names, or one that cannot
/// be loaded.
pub fn run<'a>(
    plan: &'a Plan<'a>,
    ramdisk: &[u8],
    site: Site<'a>,
    phases: &mut Phases,
    backend: &mut impl Backend,
) -> Result<Summary<'a>, BlobError> {
    let agenda = Agenda::new(plan, site.cores, site.usable);
    let (name, plan::Workload { name: workload, authority, .. }) = (plan.head.experiment, plan.workload);
    backend.record(Experiment { name, workload, authority }.into());
    backend.record(Challenge { value: plan.head.challenge, work: plan.work_digest() }.into());
    backend.record(WarmUp { ms: plan.warm_up_ms }.into());
    if plan.needs != Needs::NONE {
        backend.record(granted(&plan.needs).into());
    }
    let program = blob::load(plan, ramdisk, backend)?;
    let tasks = plan.mechanisms.map(|asked| blob::load_tasks(&asked, ramdisk, backend)).transpose()?;
    if let Some((plan::Sweep { iterations, seed, .. }, _)) = plan.sweep() {
        backend.record(Sweep { iterations, seed, cores: site.cores, cpus: site.online }.into());
    }
    let mut seconds = Seconds { clock: site.clock, last: None };
    seconds.emit(backend);
    pace::settle(site.clock);
    let rows = run_agenda(plan, &agenda, &program, &site, phases, &mut seconds, backend);
    seconds.emit(backend);
    let mut figures =
        plan.platform.map(|asked| measure_platform(&asked, plan.samples, &site, backend)).unwrap_or_default();
    if let Some((asked, (program, elf))) = plan.mechanisms.as_ref().zip(tasks.as_ref()) {
        backend.progress(format_args!("assay: the kernel's mechanisms: up to 90 s\n"));
        let (samples, challenge) = (plan.samples, plan.head.challenge.0);
        let (profile, clock) = (&plan.profile, site.clock);
        let errand = Errand { asked, profile, program, elf, samples, challenge, clock };
        let mut book = Book::after(figures, asked.samples);
        backend.mechanisms(&errand, &mut book);
        figures = book.into_figures();
    }
    let complete = site.all_online && rows.len() == agenda.len();
    let holds = complete && rows.iter().all(|row| row.verified);
    Ok(Summary { plan, site, rows, figures, holds })
}

/// Measures the rows of the platform.
fn measure_platform(
    asked: &Platform,
    samples: u32,
    site: &Site<'_>,
    backend: &mut impl Backend,
) -> Vec<Figure> {
    let seconds = asked.noise_ms / 1000;
    backend.progress(format_args!(
        "assay: the platform's own costs: up to 90 s, {seconds} s of them for gaps\n"
    ));
    backend.platform(asked, samples, site.clock)
}

/// What each worker is granted.
const fn granted(needs: &Needs) -> Grant {
    let Needs { prepare, verify, memory_mib, stack_kib, pages, requires, shared_kib, chunks } = *needs;
    Grant { prepare, verify, memory_mib, stack_kib, pages, requires, shared_kib, chunks }
}

/// The readings of the real-time clock. It counts whole seconds, so more than one in a second would show nothing.
struct Seconds<'a> {
    clock: &'a Clock,
    /// The TSC at the last reading.
    last: Option<u64>,
}

impl Seconds<'_> {
    fn emit(&mut self, backend: &mut impl Backend) {
        if let Some(Mark { tsc, count }) = backend.seconds() {
            self.last = Some(tsc);
            backend.record(SecondsRecord { tsc, count }.into());
        }
    }

    /// Emits a reading if a second has passed since the last one.
    fn emit_if_due(&mut self, backend: &mut impl Backend) {
        if self.last.is_some_and(|last| self.clock.micros(tsc::read().saturating_sub(last)) >= 1_000_000) {
            self.emit(backend);
        }
    }
}

/// Runs all turns. A case that cannot run once is skipped from then on.
fn run_agenda(
    plan: &Plan<'_>,
    agenda: &Agenda,
    program: &Program<'_>,
    site: &Site<'_>,
    phases: &mut Phases,
    seconds: &mut Seconds<'_>,
    backend: &mut impl Backend,
) -> Vec<Row> {
    let (mut announced, mut skipped) = (Vec::new(), Vec::new());
    let mut rows = Vec::new();
    let turns = agenda.turns().count();
    for (done, (item, iter)) in agenda.turns().enumerate() {
        let case = item.case.workers;
        report_progress(done, turns, item, iter, backend);
        if !announced.contains(&case) {
            announced.push(case);
            emit_splits(item, backend);
        }
        if skipped.contains(&case) {
            continue;
        }
        match run_iteration(plan, item, iter, program, backend) {
            Ok(row) => {
                if rows.is_empty() {
                    phases.emit_until("first-worker", row.start_tsc, backend);
                }
                rows.push(row);
                seconds.emit_if_due(backend);
            }
            Err(reason) => {
                skipped.push(case);
                backend.record(CaseSkipped { case, reason, online: site.online }.into());
            }
        }
    }
    rows
}

/// How often the progress of the run is printed for a person.
const REPORTS: usize = 20;

/// Prints how far a run of several iterations is, at most [`REPORTS`] times.
fn report_progress(done: usize, turns: usize, item: &Item, iter: u16, backend: &mut impl Backend) {
    let step = turns.div_ceil(REPORTS);
    if turns > 1 && done.is_multiple_of(step) {
        let (case, iteration, of) = (item.case.workers, iter + 1, item.case.iterations);
        let left = turns - done;
        backend.progress(format_args!("assay: case {case}, iteration {iteration} of {of}; {left} to go\n"));
    }
}

fn emit_splits(item: &Item, backend: &mut impl Backend) {
    let case = item.case.workers;
    for &Split { worker, p0, p1, p2, p3, .. } in &item.splits {
        backend.record(SplitRecord { case, worker, p0, p1, p2, p3 }.into());
    }
}

/// Runs a case once.
fn run_iteration(
    plan: &Plan<'_>,
    item: &Item,
    iter: u16,
    program: &Program<'_>,
    backend: &mut impl Backend,
) -> Result<Row, SkipReason> {
    let team = backend.assemble(plan, item, program)?;
    emit_interrupts(0, 0, backend);
    backend.record(CaseReady { case: item.case.workers, iter }.into());
    let ready = backend.mark();
    let report = backend.run(team, program, iter)?;
    let marks = Marks { ready, warm: report.warm, back: report.back, done: backend.mark() };
    let row = emit::iteration(item, iter, &report, marks, backend);
    emit_interrupts(item.case.workers, iter, backend);
    Ok(row)
}

/// Emits what each CPU counted of interrupts that its system did not ask for.
fn emit_interrupts(case: u16, iter: u16, backend: &mut impl Backend) {
    for Interrupted { cpu, unexpected, vectors, nmis } in backend.take_interrupts() {
        let vector = vectors[0].vector.into();
        backend.record(Interrupts { case, iter, cpu, unexpected, vector, nmis }.into());
        // With one vector, `interrupts` says it all.
        let kept = vectors.into_iter().filter(|of| of.count > 0);
        for VectorCount { vector, count } in kept.filter(|of| of.count < unexpected) {
            let vector = vector.into();
            backend.record(InterruptVector { case, iter, cpu, vector, count }.into());
        }
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
