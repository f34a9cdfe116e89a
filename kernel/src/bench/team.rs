//! The workers of one iteration, each on its CPU: prepare, warm-up, rendezvous, timed run, verify.

use abi::CpuId;
use abi::plan::{Needs, Split};
use abi::syscall::Authority;
use abi::wire::record::WorkerStatus;
use abi::worker::{Phase, WorkerArgs, WorkerResult};
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use harness::backend::patience_us;
use harness::chunks::Roots;
use harness::conditions::Conditions;
use harness::emit::{Around, WorkerReport};
use harness::outcome::Outcome;
use harness::pace::{self, HostGaps};
use harness::rendezvous::Rendezvous;
use harness::user::layout::Granted;
use harness::user::{Counts, Exit};
use harness::warm_up;
use harness::watch::Seen;
use harness::x86::tsc;
use spin::Mutex;

use crate::clock::MachineClock;
use crate::control;
use crate::cpu::PerCpu;
use crate::cpu::counters::Available;
use crate::mem::frames;
use crate::task::{self, Island, RunLimits, Space, Thread};
use crate::user::AddressSpace;

/// How many interrupts a negative control sends into a timed worker.
const DISTURBANCES: u16 = 3;

/// A worker: its CPU, its address space, and what its CPU reports of it.
pub struct Worker {
    cpu: CpuId,
    split: Split,
    space: AddressSpace,
    /// `None` until its CPU is done.
    reported: Mutex<Option<Reported>>,
}

/// What a worker's CPU reports.
#[derive(Clone, Copy)]
struct Reported {
    outcome: Outcome,
    around: Around,
    gaps: HostGaps,
    conditions: Conditions,
}

/// One iteration of a case: its workers, shared by the CPUs that run them.
pub struct Team {
    /// The CPUs that run the workers.
    pub cpus: Vec<&'static PerCpu>,
    /// The workers, by number.
    pub workers: Vec<Worker>,
    /// The rendezvous before the timed run.
    pub rendezvous: Rendezvous,
    /// The syscalls that the workers may make.
    pub authority: Authority,
    /// How long each call of a worker may take.
    pub timeout_us: u64,
    /// What each worker needs.
    pub needs: Needs,
    /// What each worker is granted.
    pub granted: Granted,
    /// The plan's challenge.
    pub challenge: u64,
    /// How long each worker is warmed up, in milliseconds.
    pub warm_up_ms: u32,
    /// Free memory before the team was built, in bytes.
    pub free_bytes: u64,
}

/// A worker on its CPU.
struct Seat<'a> {
    here: &'static PerCpu,
    worker: &'a Worker,
    clock: &'a MachineClock,
    island: Island,
    thread: Rc<Thread>,
}

impl Worker {
    /// A worker that will run on `cpu`.
    #[must_use]
    pub const fn new(cpu: CpuId, split: Split, space: AddressSpace) -> Self {
        Self { cpu, split, space, reported: Mutex::new(None) }
    }

    /// Its report; the digests that it left are added to `roots`, if the plan has any. A worker is lost if its CPU did not
    /// come back.
    #[must_use]
    pub fn report(&self, room: u16, roots: &mut Roots) -> WorkerReport {
        let outcome = Outcome::unfinished(WorkerStatus::Lost);
        let lost = Reported {
            outcome,
            around: Around::default(),
            gaps: HostGaps::default(),
            conditions: Conditions::default(),
        };
        let Reported { outcome, around, gaps, conditions } = self.reported.lock().unwrap_or(lost);
        let has_chunks = room > 0 && outcome.status == WorkerStatus::Done;
        let chunks = has_chunks
            .then(|| roots.add(outcome.result.chunks, room, |bytes, see| self.space.see_chunks(bytes, see)));
        WorkerReport { cpu: self.cpu, split: self.split, outcome, chunks, around, gaps, conditions }
    }

    /// Its address space.
    #[must_use]
    pub const fn space(&self) -> &AddressSpace {
        &self.space
    }

    /// Gives its address space back. No CPU is in it.
    pub fn destroy(self) {
        self.space.destroy();
    }
}

impl Team {
    /// How long to wait for all CPUs, from when the first has its job.
    #[must_use]
    pub const fn patience_us(&self) -> u64 {
        patience_us(&self.needs, self.timeout_us)
    }

    /// Runs the worker that belongs to `cpu`. Called on that CPU.
    pub fn run(&self, cpu: CpuId, clock: &MachineClock) {
        let here = PerCpu::current().filter(|here| here.id == cpu);
        let (Some(here), Some(worker)) = (here, self.workers.iter().find(|worker| worker.cpu == cpu)) else {
            return;
        };
        let seat = Seat {
            here,
            worker,
            clock,
            island: Island::new(here, 0, true),
            thread: Thread::new(Space::of_worker(&worker.space), None),
        };
        seat.thread.authority.set(self.authority);
        let reported = self.calls(&seat);
        seat.island.end();
        *worker.reported.lock() = Some(reported);
    }

    /// All calls of a worker, in the order of `abi::worker`.
    fn calls(&self, seat: &Seat<'_>) -> Reported {
        let &Seat { here, clock, .. } = seat;
        let (prepared, earlier) = self.prepare(seat);
        let (warmed_up, earlier, took) = match prepared {
            Exit::Returned => self.warm_up(seat, earlier),
            failed => (failed, earlier, 0),
        };
        let mut conditions = Conditions { warm_up: took, ..Conditions::default() };
        // As close to the timed run as possible, and touching no more memory than a stack.
        let (before, steal) = (pace::check(&clock.tsc), here.steal_ns());
        let (outcome, around) = if warmed_up == Exit::Returned {
            self.run_timed(seat, earlier, &mut conditions)
        } else {
            self.rendezvous.withdraw();
            self.rendezvous.come_back(|| clock.mark());
            (Outcome::new(warmed_up, earlier, WorkerResult::default()), Around::default())
        };
        let steal_ns = here.steal_ns().zip(steal).map(|(after, before)| after.saturating_sub(before));
        let after = pace::check(&clock.tsc);
        let outcome = if self.needs.verify && outcome.status == WorkerStatus::Done {
            self.verify(seat, outcome)
        } else {
            outcome
        };
        Reported { outcome, around, gaps: HostGaps { before, after, steal_ns }, conditions }
    }

    /// The prepare call, if the plan asks for one.
    fn prepare(&self, seat: &Seat<'_>) -> (Exit, Counts) {
        if !self.needs.prepare {
            return (Exit::Returned, Counts::default());
        }
        let args = WorkerArgs::for_phase(Phase::Prepare);
        let (exit, counts, _) = self.enter(seat, args, 0, |_| {});
        (exit, counts)
    }

    /// The verify call, when all timed calls are over. Its answer is the worker's.
    fn verify(&self, seat: &Seat<'_>, timed: Outcome) -> Outcome {
        // A CPU that does not come back is reported as lost; the others have an answer all the same.
        let _all = self.rendezvous.await_all_back(&seat.clock.tsc, self.patience_us());
        let args = WorkerArgs::for_phase(Phase::Verify);
        let (exit, counts, _) = self.enter(seat, args, 0, |_| {});
        timed.verified_by(exit, counts, seat.worker.space.result())
    }

    /// The warm-up. Returns how it ended, what was counted until then, and how long it took, in cycles.
    fn warm_up(&self, seat: &Seat<'_>, mut counts: Counts) -> (Exit, Counts, u64) {
        let (ended, took) =
            warm_up::run(&seat.clock.tsc, self.warm_up_ms, seat.worker.split.worker, |until| {
                let args = WorkerArgs { warm_until_tsc: until, ..WorkerArgs::for_phase(Phase::WarmUp) };
                let (exit, more, _) = self.enter(seat, args, 0, |_| {});
                counts = more.after(counts);
                if exit == Exit::Returned { ControlFlow::Continue(()) } else { ControlFlow::Break(exit) }
            });
        (ended.break_value().unwrap_or(Exit::Returned), counts, took)
    }

    /// The timed run. The translations that the warm-up brought into the TLB are still there.
    fn run_timed(&self, seat: &Seat<'_>, warm_up: Counts, conditions: &mut Conditions) -> (Outcome, Around) {
        let &Seat { here, worker, clock, .. } = seat;
        let available = Available::here();
        let Some(start_tsc) = self.rendezvous.arrive(&clock.tsc, self.patience_us(), || clock.mark()) else {
            self.rendezvous.come_back(|| clock.mark());
            let counts = Counts::default().after(warm_up);
            let outcome = Outcome { counts, ..Outcome::unfinished(WorkerStatus::Incomplete) };
            return (outcome, Around::default());
        };
        let disturbances = if control::interrupts_worker(here.id) { DISTURBANCES } else { 0 };
        let args = WorkerArgs { start_tsc, ..WorkerArgs::for_phase(Phase::Timed) };
        let counters = available.read();
        let entered_tsc = tsc::read_ordered();
        let (exit, counts, seen) = self.enter(seat, args, disturbances, control::disturb);
        let returned_tsc = tsc::read_ordered();
        conditions.counters = available.read().since(counters);
        self.rendezvous.come_back(|| clock.mark());
        conditions.watch = Some(seen);
        let ahead = control::tsc_ahead(here.id);
        let around = Around { entered_tsc: entered_tsc + ahead, returned_tsc: returned_tsc + ahead };
        let mut result = worker.space.result();
        (result.begin_tsc, result.end_tsc) = (result.begin_tsc + ahead, result.end_tsc + ahead);
        if control::halves_times(self.workers.len()) {
            result.end_tsc -= result.end_tsc.saturating_sub(result.begin_tsc) / 2;
        }
        (Outcome::new(exit, counts.after(warm_up), result), around)
    }

    /// Calls the worker: goes to ring 3 with a fresh stack and slot, and comes back. The split and the challenge complete `args`.
    // Once in the kernel, not once for each phase.
    #[inline(never)]
    fn enter(
        &self,
        seat: &Seat<'_>,
        args: WorkerArgs,
        disturbances: u16,
        before: fn(&PerCpu),
    ) -> (Exit, Counts, Seen) {
        let &Seat { here, worker, clock, ref island, ref thread } = seat;
        let (split, challenge) = (worker.split, self.challenge);
        let args = WorkerArgs { workers: self.workers.len() as u64, ..self.granted.given_to(args) };
        worker.space.prepare(&args.of(&split, challenge));
        let limits = RunLimits { timeout_us: self.timeout_us, disturbances };
        thread.begin(worker.space.entry());
        island.make_ready(Rc::clone(thread));
        let (counts, seen) = task::enter(island, clock, limits, || before(here));
        (thread.exit.get().unwrap_or(Exit::Timeout), counts, seen)
    }

    /// Gives the address spaces back, unless a CPU may still be in one: then they are never given back. Returns the bytes
    /// that are missing afterwards although all was given back.
    pub fn disband(this: Arc<Self>) -> u64 {
        let Some(Self { workers, free_bytes, .. }) = Arc::into_inner(this) else { return 0 };
        workers.into_iter().for_each(|worker| worker.destroy());
        free_bytes.saturating_sub(frames().free_bytes())
    }
}
