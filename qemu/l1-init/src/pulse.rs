//! Whether L1's own CPUs run: a thread on each counts. If one stops, L1 hangs, and none of its guests is to blame.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use l1_init::{STUCK_AFTER_SECONDS, Said};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

const EVERY: Duration = Duration::from_secs(2);

/// The pulse of each CPU.
pub struct Pulse(Vec<Beat>);

struct Beat {
    cpu: usize,
    count: Arc<AtomicU64>,
    seen: u64,
    moved: Instant,
}

impl Pulse {
    /// Starts a thread on every CPU.
    pub fn of_every_cpu() -> Self {
        let allowed = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
        let cpus = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
        Self(cpus.map(Beat::on).collect())
    }

    /// Whether each of them has counted lately.
    pub fn check(&mut self) -> Said {
        for beat in &mut self.0 {
            let count = beat.count.load(Ordering::Relaxed);
            if count != beat.seen {
                (beat.seen, beat.moved) = (count, Instant::now());
            } else if beat.moved.elapsed() > Duration::from_secs(STUCK_AFTER_SECONDS) {
                return Said::Stuck(beat.cpu);
            }
        }
        Said::Alive
    }
}

impl Beat {
    fn on(cpu: usize) -> Self {
        let count = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&count);
        thread::spawn(move || {
            let mut only = CpuSet::new();
            only.set(cpu);
            // A CPU whose thread cannot be placed on it is not watched: the count goes on elsewhere.
            let _ = sched_setaffinity(None, &only);
            loop {
                counted.fetch_add(1, Ordering::Relaxed);
                thread::sleep(EVERY);
            }
        });
        Self { cpu, count, seen: 0, moved: Instant::now() }
    }
}
