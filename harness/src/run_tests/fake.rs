//! A backend that runs nothing, and what it is given: plans, ramdisks, a clock.

use core::fmt;

use abi::plan::{Plan, Split};
use abi::wire::Record;
use abi::wire::record::{SkipReason, TscSource, WorkerStatus};
use abi::worker::{COMPLETE, WorkerResult};
use abi::{CpuId, Digest, ramdisk};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::agenda::Item;
use crate::backend::{Backend, TeamReport};
use crate::clock::{Choice, Clock, Mark};
use crate::conditions::Conditions;
use crate::emit::{Around, WorkerReport};
use crate::outcome::Outcome;
use crate::pace::HostGaps;
use crate::sink::Sink;
use crate::sink::tests::Kept;
use crate::user::Program;
use crate::user::elf::tests::worker_elf;
use crate::user::{Counts, Exit};
use crate::x86::tsc;

/// A backend whose workers answer as the plan expects, except in the ways set here.
#[derive(Default)]
pub struct Fake {
    pub kept: Kept,
    /// Cases that cannot be assembled.
    pub cannot_assemble: BTreeMap<u16, SkipReason>,
    /// Cases that fail once their team is to run.
    pub cannot_run: BTreeMap<u16, SkipReason>,
    /// An iteration in which every worker times out.
    pub times_out_in: Option<u16>,
    /// The common answer of a sweep's whole, shared out to the first worker.
    pub sweep_answer: u64,
    /// Teams that were assembled and have not run.
    pub teams: usize,
    /// Marks that were taken.
    pub marks: u64,
    /// What the real-time clock shows, if there is one.
    pub seconds: Option<u64>,
    /// What a person was progress.
    pub progress: Vec<String>,
}

impl Sink for Fake {
    fn record(&mut self, record: Record) {
        self.kept.record(record);
    }

    fn progress(&mut self, text: fmt::Arguments<'_>) {
        self.progress.push(text.to_string());
    }
}

impl Backend for Fake {
    type Team = Item;

    fn mark(&mut self) -> Mark {
        self.marks += 1;
        Mark { tsc: 1_000 * self.marks, count: self.marks }
    }

    fn seconds(&mut self) -> Option<Mark> {
        self.seconds.map(|count| Mark { tsc: tsc::read(), count })
    }

    fn assemble(
        &mut self,
        plan: &Plan<'_>,
        item: &Item,
        program: &Program<'_>,
    ) -> Result<Self::Team, SkipReason> {
        assert_eq!(plan.workload.name.as_str(), "primes");
        assert_eq!(program.image.entry, 0x1000);
        if let Some(&reason) = self.cannot_assemble.get(&item.case.workers) {
            return Err(reason);
        }
        self.teams += 1;
        Ok(item.clone())
    }

    fn run(&mut self, item: Item, _: &Program<'_>, iter: u16) -> Result<TeamReport, SkipReason> {
        self.teams -= 1;
        if let Some(&reason) = self.cannot_run.get(&item.case.workers) {
            return Err(reason);
        }
        let start_tsc = 1_000_000 * (u64::from(iter) + 1);
        let workers = item.splits.iter().map(|split| self.worker(split, start_tsc, iter)).collect();
        Ok(TeamReport {
            start_tsc,
            warm: Some(Mark { tsc: start_tsc - 2_000, count: 0 }),
            back: Some(Mark { tsc: start_tsc + 501_500, count: 0 }),
            workers,
            root: None,
        })
    }
}

impl Fake {
    fn worker(&self, split: &Split, start_tsc: u64, iter: u16) -> WorkerReport {
        let first = if split.worker == 0 { self.sweep_answer } else { 0 };
        let result = WorkerResult {
            begin_tsc: start_tsc + 10,
            end_tsc: start_tsc + 500_010,
            answer: split.answer + first,
            work: split.work,
            digest: split.digest.0,
            complete: COMPLETE,
            chunks: 0,
        };
        let outcome = if self.times_out_in == Some(iter) {
            Outcome::unfinished(WorkerStatus::Timeout)
        } else {
            Outcome::new(Exit::Returned, Counts::default(), result)
        };
        let around = Around { entered_tsc: start_tsc - 1_000, returned_tsc: start_tsc + 501_000 };
        WorkerReport {
            cpu: CpuId(split.worker),
            split: *split,
            outcome,
            chunks: None,
            around,
            gaps: HostGaps::default(),
            conditions: Conditions::default(),
        }
    }
}

/// A plain file of a tar archive.
fn tar_entry(name: &str, data: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// A ramdisk with one worker under this name.
pub fn ramdisk_with(name: &str, elf: &[u8]) -> Vec<u8> {
    tar_entry(&format!("{}{name}", ramdisk::WORKERS), elf)
}

/// A plan for the worker that `worker_elf` makes, with these cases or this sweep.
pub fn plan_text(work: &str) -> String {
    let sha256 = Digest::of(&worker_elf());
    let head = "ASSAY-PLAN2\nplan experiment=x linger_ms=0 challenge=00000000000000c5\n";
    format!("{head}workload name=primes sha256={sha256} authority=exit\ncontrol kind=none target=0\n{work}")
}

fn split_line(worker: u16) -> String {
    format!("split worker={worker} p0=2 p1=9 p2=0 p3=0 answer=4 work=7 digest={}\n", "0".repeat(16))
}

/// A case's lines.
pub fn case(workers: u16, iterations: u16) -> String {
    let splits: String = (0..workers).map(split_line).collect();
    format!("case workers={workers} iterations={iterations} timeout_ms=9\n{splits}")
}

pub fn clock() -> Clock {
    Clock::of(&Choice { source: TscSource::Hpet, khz: 1_000_000, sources: 1, spread_ppm: 0 })
}
