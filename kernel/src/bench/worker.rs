//! One worker of a case, on its CPU: warm-up, meeting, timed run.

use abi::CpuId;
use abi::plan::Split;
use abi::syscall::Authority;
use abi::wire::record::{Gap, WorkerStatus};
use abi::worker::WorkerResult;
use alloc::sync::Arc;
use alloc::vec::Vec;
use spin::Mutex;

use super::emit::Told;
use super::{Outcome, Rendezvous};
use crate::clock::Clock;
use crate::control;
use crate::mem::{KernelSpace, phys};
use crate::smp::gaps::Seen;
use crate::smp::{PerCpu, gaps};
use crate::user::{self, AddressSpace, Counts, Exit, Terms};

/// How much longer than a worker's own time-out the kernel waits for its CPU.
const GRACE_US: u64 = 5_000_000;
/// How long a CPU watches for gaps, before its worker and after it.
pub const WATCHED_US: u64 = 500;
/// How many interrupts a control sends into a timed worker.
const DISTURBANCES: u16 = 3;

/// A worker with its place to run.
pub struct Worker {
    /// Its CPU.
    pub cpu: CpuId,
    /// What the plan gives it.
    pub split: Split,
    space: AddressSpace,
    outcome: Mutex<Option<Outcome>>,
    gaps: Mutex<Gaps>,
}

/// What a worker's CPU saw of its host.
#[derive(Clone, Copy, Debug, Default)]
struct Gaps {
    before: Seen,
    after: Seen,
    steal_ns: Option<u64>,
}

/// One iteration of a case: its workers, shared by the CPUs that run them.
pub struct Team {
    /// The workers, by number.
    pub workers: Vec<Worker>,
    /// Where they meet.
    pub rendezvous: Rendezvous,
    /// The syscalls they may make.
    pub authority: Authority,
    /// How long each may take.
    pub timeout_us: u64,
    /// Where the kernel's own page tables are.
    pub kernel_cr3: u64,
}

impl Worker {
    /// A worker that will run on `cpu`.
    #[must_use]
    pub const fn new(cpu: CpuId, split: Split, space: AddressSpace) -> Self {
        let unseen = Seen { longest: 0, reads: 0 };
        let gaps = Gaps { before: unseen, after: unseen, steal_ns: None };
        Self { cpu, split, space, outcome: Mutex::new(None), gaps: Mutex::new(gaps) }
    }

    /// What there is to say of it. It is lost where its CPU did not come back.
    #[must_use]
    pub fn tell(&self) -> Told {
        let outcome = self.outcome.lock().unwrap_or(Outcome::unfinished(WorkerStatus::Lost));
        Told { cpu: self.cpu, split: self.split, outcome }
    }
}

impl Worker {
    /// Gives its address space back. No CPU is in it.
    pub fn destroy(self, space: &mut KernelSpace) {
        self.space.destroy(space);
    }

    /// What its CPU saw of its host in iteration `iter` of `case`.
    #[must_use]
    pub fn tell_gap(&self, case: u16, iter: u16) -> Gap {
        let Gaps { before, after, steal_ns } = *self.gaps.lock();
        Gap {
            case,
            iter,
            worker: self.split.worker,
            cpu: self.cpu,
            before: before.longest,
            after: after.longest,
            reads_before: before.reads,
            reads_after: after.reads,
            steal_ns,
        }
    }
}

impl Team {
    /// How long to wait for all CPUs, from when the first has its job: a warm-up and a run, each to its time-out.
    #[must_use]
    pub const fn patience_us(&self) -> u64 {
        2 * self.timeout_us + GRACE_US
    }

    /// Runs the worker that belongs to `cpu`. Called on that CPU.
    pub fn run(&self, cpu: CpuId, clock: &Clock) {
        let here = PerCpu::current().filter(|here| here.id == cpu);
        let (Some(here), Some(worker)) = (here, self.workers.iter().find(|worker| worker.cpu == cpu)) else {
            return;
        };
        phys::set_cr3(worker.space.cr3());
        let (warmed_up, warm_up) = self.enter(here, worker, clock, 0, 0);
        // As near to the timed run as there is, and of no more memory than a stack's.
        let watched = clock.cycles(WATCHED_US);
        let (before, steal) = (gaps::watch(watched), here.steal_ns());
        let outcome = if warmed_up == Exit::Returned {
            self.run_timed(here, worker, clock, warm_up)
        } else {
            self.rendezvous.withdraw();
            Outcome::new(warmed_up, warm_up, WorkerResult::default())
        };
        let steal_ns = here.steal_ns().zip(steal).map(|(after, before)| after.saturating_sub(before));
        let after = gaps::watch(watched);
        phys::set_cr3(self.kernel_cr3);
        *worker.gaps.lock() = Gaps { before, after, steal_ns };
        *worker.outcome.lock() = Some(outcome);
    }

    /// The run that counts. The translations that the warm-up has brought into the TLB are still there.
    fn run_timed(&self, here: &'static PerCpu, worker: &Worker, clock: &Clock, warm_up: Counts) -> Outcome {
        let Some(start_tsc) = self.rendezvous.arrive(clock, self.patience_us()) else {
            return Outcome {
                counts: Counts::default().after(warm_up),
                ..Outcome::unfinished(WorkerStatus::Incomplete)
            };
        };
        let disturbances = if control::interrupts_worker(here.id) { DISTURBANCES } else { 0 };
        let (exit, counts) = self.enter(here, worker, clock, start_tsc, disturbances);
        let mut result = worker.space.result();
        let ahead = control::tsc_ahead(here.id);
        (result.begin_tsc, result.end_tsc) = (result.begin_tsc + ahead, result.end_tsc + ahead);
        Outcome::new(exit, counts.after(warm_up), result)
    }

    /// Goes to ring 3 with a fresh stack and slot, and comes back.
    fn enter(
        &self,
        here: &'static PerCpu,
        worker: &Worker,
        clock: &Clock,
        start_tsc: u64,
        disturbances: u16,
    ) -> (Exit, Counts) {
        let Split { p0, p1, p2, p3, .. } = worker.split;
        worker.space.prepare(start_tsc, worker.split.worker, [p0, p1, p2, p3]);
        let timeout = clock.timer_counts(clock.cycles(self.timeout_us));
        user::enter(here, &worker.space.entry(), Terms { authority: self.authority, timeout, disturbances })
    }

    /// Gives the address spaces back, unless a CPU may still be in one: then they stay for ever.
    pub fn disband(this: Arc<Self>, space: &mut KernelSpace) {
        let workers = Arc::into_inner(this).map(|team| team.workers).unwrap_or_default();
        workers.into_iter().for_each(|worker| worker.destroy(space));
    }
}
