//! The kernel as the driver's backend.

use core::fmt;
use core::sync::atomic::Ordering;

use abi::CpuId;
use abi::grant::FeatureSet;
use abi::plan::{Plan, Platform, Split};
use abi::wire::Record;
use abi::wire::record::SkipReason;
use alloc::sync::Arc;
use alloc::vec::Vec;
use harness::agenda::Item;
use harness::chunks::Roots;
use harness::clock::{Clock, Mark};
use harness::mechanism::{self, Errand};
use harness::order;
use harness::rendezvous::Rendezvous;
use harness::sampler::{Book, Figure};
use harness::user::Program;
use harness::{Backend, Interrupted, Sink, TeamReport};

use super::team::{Team, Worker};
use crate::console;
use crate::control;
use crate::costs::Floor;
use crate::cpu::{Counted, Job, PerCpu, Strays};
use crate::machine::Machine;
use crate::mechanism::Theatre;
use crate::mem::{OutOfMemory, frames, heap_has_room_for};
use crate::smp::run_on;
use crate::user::AddressSpace;

/// The machine, and its CPUs in worker order.
pub struct Bench<'a> {
    machine: &'a mut Machine,
    order: Vec<CpuId>,
}

impl<'a> Bench<'a> {
    /// A bench on all CPUs of `machine` whose place is known.
    #[must_use]
    pub fn new(machine: &'a mut Machine) -> Self {
        let order = order::worker_order(&machine.cpus);
        Self { machine, order }
    }
}

impl Sink for Bench<'_> {
    fn record(&mut self, record: Record) {
        console::record(record);
    }

    fn progress(&mut self, text: fmt::Arguments<'_>) {
        console::text(text);
    }
}

impl Backend for Bench<'_> {
    type Team = Arc<Team>;

    fn take_interrupts(&mut self) -> Vec<Interrupted> {
        let own = PerCpu::all().iter().map(|cpu| (cpu.id, &cpu.strays));
        let early = (self.machine.bsp, Strays::early());
        let counted =
            core::iter::once(early).chain(own).filter_map(|(cpu, strays)| Some((cpu, strays.take()?)));
        counted
            .map(|(cpu, Counted { nmis, count: unexpected, vectors })| Interrupted {
                cpu,
                unexpected,
                vectors,
                nmis,
            })
            .collect()
    }

    fn mark(&mut self) -> Mark {
        self.machine.clock.mark()
    }

    fn seconds(&mut self) -> Option<Mark> {
        self.machine.clock.seconds()
    }

    fn platform(&mut self, asked: &Platform, samples: u32, clock: &Clock) -> Vec<Figure> {
        harness::platform::run(asked, samples, clock, &mut Floor::new(self.machine))
    }

    fn mechanisms(&mut self, errand: &Errand<'_>, book: &mut Book) {
        mechanism::run(errand, book, &mut Theatre::new(self.machine, errand.elf));
    }

    fn assemble(
        &mut self,
        plan: &Plan<'_>,
        item: &Item,
        program: &Program<'_>,
    ) -> Result<Arc<Team>, SkipReason> {
        let case = item.case.workers;
        let cpus = choose_cpus(case, plan.needs.requires, &self.order)?;
        let free_bytes = frames().free_bytes();
        let built = build_workers(&cpus, &item.splits, program);
        let workers = built.map_err(|OutOfMemory| {
            let missing = free_bytes.saturating_sub(frames().free_bytes());
            self.report_leak(missing);
            SkipReason::Memory
        })?;
        Ok(Arc::new(Team {
            cpus,
            workers,
            rendezvous: Rendezvous::new(u32::from(case)),
            authority: plan.workload.authority,
            timeout_us: u64::from(item.case.timeout_ms) * 1000,
            needs: plan.needs,
            granted: program.granted(),
            challenge: plan.head.challenge.0,
            warm_up_ms: plan.warm_up_ms,
            free_bytes,
        }))
    }

    fn run(&mut self, team: Arc<Team>, _: &Program<'_>, iter: u16) -> Result<TeamReport, SkipReason> {
        let clock = self.machine.clock;
        let job: Job = {
            let team = Arc::clone(&team);
            Arc::new(move |cpu| team.run(cpu, clock))
        };
        run_on(&team.cpus, clock, team.patience_us(), &job);
        drop(job);
        control::on_case(iter);
        let start_tsc = team.rendezvous.start_tsc().unwrap_or(0);
        let (warm, back) = (team.rendezvous.warm(), team.rendezvous.back());
        let (mut roots, room) = (Roots::default(), team.needs.chunks);
        let workers = team.workers.iter().map(|worker| worker.report(room, &mut roots)).collect();
        let root = (room > 0).then(|| roots.all());
        let missing = Team::disband(team);
        self.report_leak(missing);
        Ok(TeamReport { start_tsc, warm, back, workers, root })
    }
}

impl Bench<'_> {
    /// Reports memory that was not given back: a defect of this kernel.
    fn report_leak(&mut self, bytes: u64) {
        if bytes > 0 {
            self.problem("frames-leaked", format_args!("{bytes} bytes of a team were not given back"));
        }
    }
}

/// The first CPUs of `order` that are online, have no unfinished job, and have all features that the plan requires.
fn choose_cpus(
    workers: u16,
    requires: FeatureSet,
    order: &[CpuId],
) -> Result<Vec<&'static PerCpu>, SkipReason> {
    let workers = usize::from(workers);
    let online = order.iter().filter_map(|id| PerCpu::online().find(|cpu| cpu.id == *id));
    let free: Vec<_> = online.filter(|cpu| !cpu.busy.load(Ordering::Acquire)).collect();
    let enough_online = PerCpu::online().count() >= workers;
    let cpus: Vec<_> =
        free.iter().copied().filter(|cpu| cpu.features().has_all(requires)).take(workers).collect();
    match (cpus.len() >= workers, free.len() >= workers) {
        (true, _) => Ok(cpus),
        (false, true) => Err(SkipReason::Unsupported),
        (false, false) if enough_online => Err(SkipReason::CpuLost),
        (false, false) => Err(SkipReason::Cpus),
    }
}

/// A worker for each of `cpus`.
///
/// # Errors
/// No memory. Everything that was taken is given back: a case that does not fit leaves the memory to cases that do.
fn build_workers(
    cpus: &[&'static PerCpu],
    splits: &[Split],
    program: &Program<'_>,
) -> Result<Vec<Worker>, OutOfMemory> {
    // Asked again for the reports: an allocation that fails is a panic.
    let has_room = || if heap_has_room_for(cpus.len()) { Ok(()) } else { Err(OutOfMemory) };
    let taken = control::take_heap(cpus);
    has_room()?;
    drop(taken);
    let mut workers = Vec::with_capacity(cpus.len());
    let built = cpus.iter().zip(splits).try_for_each(|(cpu, split)| {
        let first = workers.first().map(Worker::space);
        let space = AddressSpace::new(program, first)?;
        workers.push(Worker::new(cpu.id, *split, space));
        Ok(())
    });
    if let Err(error) = built.and_then(|()| has_room()) {
        workers.into_iter().for_each(Worker::destroy);
        return Err(error);
    }
    Ok(workers)
}
