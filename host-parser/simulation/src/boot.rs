//! One boot on a simulated host: what its workers' CPUs do, and the log and the evidence that follow.

use evidence::gate::{HostEvidence, VcpuDelay};
use test_support::guest::{Guest, KHZ, Turn};

use crate::host::{Host, Stay};
use crate::session::Shape;
use crate::timeline::normal;

/// How long a pace check takes, in ms.
const CHECK: f64 = 0.5;
/// The readings of an undisturbed CPU in that time, and the spread of both readings and times.
const READS: f64 = 12_000.0;
const READS_SPREAD: f64 = 0.004;
const TIME_SPREAD: f64 = 0.003;
/// Between two iterations, and to boot, in ms.
const BETWEEN: f64 = 1.5;
const BOOT: f64 = 250.0;
/// From the common start back to `case-ready`, and from the end of the last worker to `case-begin`, in ms, as in the log.
const AROUND: f64 = 4.2;

/// An iteration that takes this many times as long as its work was slowed.
const MET: f64 = 1.02;

/// What a boot did.
pub(crate) struct Boot {
    /// By iteration, then by worker.
    pub turns: Vec<Vec<Turn>>,
    /// By iteration, then by worker: for how long its CPU was taken away, in ms.
    taken: Vec<Vec<f64>>,
    /// What slowed it: the stays in iterations that took longer than their work does on an undisturbed CPU.
    pub met: Vec<Stay>,
    /// When it was over, in ms.
    pub over: f64,
}

impl Boot {
    /// Boots at `start` and runs `case`.
    pub fn of(host: &mut Host, case: u16, shape: Shape, start: f64) -> Self {
        let mut at = start + BOOT;
        let share = shape.whole_ms / f64::from(case);
        let mut boot = Self { turns: Vec::new(), taken: Vec::new(), met: Vec::new(), over: at };
        for _ in 0..shape.iterations {
            host.cover(at, at + 1_000.0 + 40.0 * share);
            let from = at + CHECK;
            let (mut turns, mut taken, mut last) = (Vec::new(), Vec::new(), from);
            for cpu in 0..case {
                let (before, taken_before) = reads(host, cpu, case, at);
                let work = share * (TIME_SPREAD * normal(host.random())).exp();
                let end = host.end(cpu, case, from, work);
                let (after, taken_after) = reads(host, cpu, case, end);
                if end - from > work * MET {
                    boot.met.extend(host.stays(cpu, case, from, end));
                }
                taken.push(host.work(cpu, case, from, end).1);
                turns.push(Turn {
                    cycles: whole((end - from) * KHZ as f64),
                    reads_before: before,
                    reads_after: after,
                    taken: [taken_before, taken_after],
                });
                last = last.max(end);
            }
            boot.turns.push(turns);
            boot.taken.push(taken);
            at = last + CHECK + BETWEEN;
        }
        boot.over = at;
        boot
    }

    /// The time of each iteration, in ms.
    pub fn times(&self) -> impl Iterator<Item = f64> {
        let longest = |turns: &Vec<Turn>| turns.iter().map(|turn| turn.cycles).max().unwrap_or(0);
        self.turns.iter().map(move |turns| longest(turns) as f64 / KHZ as f64)
    }

    /// Its log.
    pub fn log(&self, case: u16, nonce: u64) -> Vec<u8> {
        let iterations = u16::try_from(self.turns.len()).unwrap_or(u16::MAX);
        let guest = Guest {
            nonce,
            iterations,
            // The answers are worked out by the reference: little work, since no rule knows how long it should take.
            whole: [2, 400, 0, 0],
            played: self.turns.clone(),
            ..Guest::of(case)
        };
        guest.log()
    }

    /// What the host saw.
    pub fn evidence(&self, case: u16) -> HostEvidence {
        let mut delays = Vec::new();
        for ((iteration, taken), took) in (0..).zip(&self.taken).zip(self.times()) {
            let wall = took + AROUND;
            delays.extend((0..).zip(taken).map(|(vcpu, taken)| VcpuDelay {
                case,
                iteration,
                vcpu,
                wall_ns: whole(wall * 1e6),
                run_ns: whole((wall - taken) * 1e6),
                delay_ns: whole(taken * 1e6),
                involuntary_switches: u64::from(*taken > 0.0),
            }));
        }
        HostEvidence {
            vcpus: Some(case),
            host_cpus: Some(case.max(2)),
            watched: true,
            delays,
            ..HostEvidence::default()
        }
    }
}

/// The readings of a pace check that begins at `at`, at least one, and for how long its CPU was taken away in it, in
/// cycles.
fn reads(host: &mut Host, cpu: u16, case: u16, at: f64) -> (u32, u64) {
    let (done, taken) = host.work(cpu, case, at, at + CHECK);
    let pace = done / CHECK;
    let reads = READS * pace * (READS_SPREAD * normal(host.random())).exp();
    (u32::try_from(whole(reads)).unwrap_or(u32::MAX).max(1), whole(taken * KHZ as f64))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and far below 2^64"
)]
fn whole(number: f64) -> u64 {
    number.max(0.0).round() as u64
}
