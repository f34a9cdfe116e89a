//! What the workers of a case share, and the turns that they take at it: an atomic counter, counters in one line, counters
//! behind a ticket lock and an MCS lock, and a barrier.
//!
//! Pure: the reference's tests include this file and run it with threads.

use core::hint::spin_loop;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// The most workers of a case.
pub const MOST_WORKERS: usize = 256;

/// The most bytes between the counters of two workers.
pub const MOST_STRIDE: usize = 256;

/// A number that shares no line with another, nor with the line that is fetched beside it (Intel's Optimization Reference
/// Manual, "Spatial Prefetcher": lines come in pairs of 128 bytes).
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Alone(AtomicU64);

impl Alone {
    const fn zero() -> Self {
        Self(AtomicU64::new(0))
    }
}

/// A worker's place in the queue of the MCS lock.
#[derive(Debug)]
#[repr(C, align(128))]
struct Place {
    /// The number of the worker behind this one, plus 1; 0 if there is none.
    behind: AtomicU64,
    /// 1 until the lock is handed over.
    waits: AtomicU64,
}

/// The state of the barrier.
#[derive(Debug)]
#[repr(C)]
struct Barriers {
    /// The workers that each crossing waits for.
    members: Alone,
    /// Those that make their last crossing.
    leaving: Alone,
    /// Those that have arrived at the present crossing.
    arrived: Alone,
    /// The number of crossings that are over.
    over: Alone,
}

/// A worker of a case.
#[derive(Clone, Copy, Debug)]
pub struct Worker {
    /// Its number, from 0.
    pub number: usize,
    /// The number of workers.
    pub of: usize,
}

/// Everything shared, all zero at first.
#[derive(Debug)]
#[repr(C)]
pub struct Shared {
    /// What all turns count up.
    count: Alone,
    next_ticket: Alone,
    now_serving: Alone,
    /// The number of the last worker in the queue, plus 1; 0 if the lock is free.
    last: Alone,
    barrier: Barriers,
    places: [Place; MOST_WORKERS],
    /// How many turns each worker is to take.
    claims: [Alone; MOST_WORKERS],
    /// The workers' own counters, at a distance that the manifest chooses.
    own: [AtomicU64; MOST_WORKERS * MOST_STRIDE / 8],
}

/// A kind of turn.
pub trait Pattern {
    /// Takes `turns` turns as worker `worker`.
    fn turns(shared: &Shared, worker: Worker, turns: u64, stride: usize);

    /// How many turns all workers have taken.
    fn taken(shared: &Shared, _workers: usize, _stride: usize) -> u64 {
        shared.count.0.load(Acquire)
    }
}

/// Each turn is one locked instruction on the same line.
#[derive(Debug)]
pub struct SharedLine;

/// Each turn adds to the worker's own counter, which may be in one line with others.
#[derive(Debug)]
pub struct FalseSharing;

/// Each turn takes a ticket lock, in the order of arrival (Mellor-Crummey and Scott, "Algorithms for Scalable
/// Synchronization on Shared-Memory Multiprocessors", 1991, section 2.2). All waiting workers read one line.
#[derive(Debug)]
pub struct TicketLock;

/// Each turn takes an MCS lock (the same, section 2.4). Each waiting worker reads its own line.
#[derive(Debug)]
pub struct McsLock;

/// Each turn is a crossing of a barrier at which all workers wait for the last one: a counter of arrivals, and a word that
/// all waiting workers read (the same, section 3.1; instead of a sense, the number of the crossing).
#[derive(Debug)]
pub struct Barrier;

impl Pattern for SharedLine {
    fn turns(shared: &Shared, _: Worker, turns: u64, _: usize) {
        for _ in 0..turns {
            shared.count.0.fetch_add(1, Relaxed);
        }
    }
}

impl Pattern for FalseSharing {
    fn turns(shared: &Shared, worker: Worker, turns: u64, stride: usize) {
        let own = own(shared, worker.number, stride);
        for _ in 0..turns {
            // A load and a store: only this worker writes it.
            own.store(own.load(Relaxed) + 1, Relaxed);
        }
    }

    fn taken(shared: &Shared, workers: usize, stride: usize) -> u64 {
        (0..workers).map(|worker| own(shared, worker, stride).load(Acquire)).sum()
    }
}

impl Pattern for TicketLock {
    fn turns(shared: &Shared, _: Worker, turns: u64, _: usize) {
        for _ in 0..turns {
            let ticket = shared.next_ticket.0.fetch_add(1, Relaxed);
            while shared.now_serving.0.load(Acquire) != ticket {
                spin_loop();
            }
            count(shared);
            shared.now_serving.0.store(ticket + 1, Release);
        }
    }
}

impl Pattern for McsLock {
    fn turns(shared: &Shared, worker: Worker, turns: u64, _: usize) {
        let own = &shared.places[worker.number];
        let number = worker.number as u64 + 1;
        for _ in 0..turns {
            own.behind.store(0, Relaxed);
            own.waits.store(1, Relaxed);
            if let Some(ahead) = place(shared, shared.last.0.swap(number, AcqRel)) {
                ahead.behind.store(number, Release);
                while own.waits.load(Acquire) == 1 {
                    spin_loop();
                }
            }
            count(shared);
            let free = own.behind.load(Acquire) == 0
                && shared.last.0.compare_exchange(number, 0, Release, Relaxed).is_ok();
            if !free {
                hand_over(shared, own);
            }
        }
    }
}

impl Pattern for Barrier {
    fn turns(shared: &Shared, worker: Worker, turns: u64, _: usize) {
        // No crossing ends before this worker has arrived at it, so all begin with the same one.
        let first = shared.barrier.over.0.load(Acquire);
        let mut together = 0;
        for crossing in first..first + turns {
            shared.arrive(worker, crossing, crossing + 1 == first + turns);
            shared.wait(crossing);
            together += u64::from(shared.next_has_arrived(worker, crossing));
        }
        own(shared, worker.number, MOST_STRIDE).store(together, Release);
    }

    /// The crossings after which a worker found that the next one had arrived too.
    fn taken(shared: &Shared, workers: usize, _: usize) -> u64 {
        (0..workers).map(|worker| own(shared, worker, MOST_STRIDE).load(Acquire)).sum()
    }
}

/// What a lock protects: a load and a store, of which an update would be lost if two workers were in here.
fn count(shared: &Shared) {
    shared.count.0.store(shared.count.0.load(Relaxed) + 1, Relaxed);
}

/// The place of a number in the queue; `None` for 0.
fn place(shared: &Shared, number: u64) -> Option<&Place> {
    shared.places.get(usize::try_from(number.checked_sub(1)?).ok()?)
}

/// Lets the next worker go, once it has said that it is there.
fn hand_over(shared: &Shared, own: &Place) {
    loop {
        if let Some(behind) = place(shared, own.behind.load(Acquire)) {
            return behind.waits.store(0, Release);
        }
        spin_loop();
    }
}

/// The counter of a worker.
fn own(shared: &Shared, worker: usize, stride: usize) -> &AtomicU64 {
    &shared.own[worker * stride.clamp(8, MOST_STRIDE) / 8]
}

impl Shared {
    /// All zero.
    #[must_use]
    pub const fn zero() -> Self {
        Self {
            count: Alone::zero(),
            next_ticket: Alone::zero(),
            now_serving: Alone::zero(),
            last: Alone::zero(),
            barrier: Barriers {
                members: Alone::zero(),
                leaving: Alone::zero(),
                arrived: Alone::zero(),
                over: Alone::zero(),
            },
            places: [const { Place { behind: AtomicU64::new(0), waits: AtomicU64::new(0) } }; MOST_WORKERS],
            claims: [const { Alone::zero() }; MOST_WORKERS],
            own: [const { AtomicU64::new(0) }; MOST_WORKERS * MOST_STRIDE / 8],
        }
    }

    /// Notes how many turns a worker is to take. With any, it is a member of the barrier until it has taken them.
    pub fn claim(&self, worker: usize, turns: u64) {
        self.claims[worker].0.store(turns, Release);
        self.barrier.members.0.fetch_add(u64::from(turns > 0), Release);
    }

    /// Arrives at a crossing of the barrier. The last member that arrives ends it. A worker that takes fewer turns than
    /// others leaves with its last one, so none waits for it any more.
    pub fn arrive(&self, worker: Worker, crossing: u64, leaves: bool) {
        let Barriers { members, leaving, arrived, over } = &self.barrier;
        self.places[worker.number].waits.store(crossing + 1, Relaxed);
        if leaves {
            leaving.0.fetch_add(1, Relaxed);
        }
        // Each arrival releases what its worker wrote, and the last one acquires all of it.
        if arrived.0.fetch_add(1, AcqRel) + 1 == members.0.load(Relaxed) {
            members.0.fetch_sub(leaving.0.swap(0, Relaxed), Relaxed);
            arrived.0.store(0, Relaxed);
            over.0.store(crossing + 1, Release);
        }
    }

    /// Waits until a crossing is over.
    pub fn wait(&self, crossing: u64) {
        while self.barrier.over.0.load(Acquire) <= crossing {
            spin_loop();
        }
    }

    /// Whether the next worker has arrived at a crossing, or takes no part in it.
    pub fn next_has_arrived(&self, worker: Worker, crossing: u64) -> bool {
        let next = (worker.number + 1) % worker.of;
        let arrived = self.places[next].waits.load(Relaxed);
        arrived > crossing || arrived == self.claims[next].0.load(Relaxed)
    }

    /// The turns of worker 0 if the other workers took as many as they claimed: what all of them took, less those. So the
    /// answers of all workers add up to what was really counted.
    pub fn first_workers_turns<P: Pattern>(&self, workers: usize, stride: usize) -> u64 {
        let others = self.claims[1..workers].iter().map(|claim| claim.0.load(Acquire));
        others.fold(P::taken(self, workers, stride), u64::wrapping_sub)
    }
}
