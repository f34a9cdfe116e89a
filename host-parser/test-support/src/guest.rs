//! A guest that did everything right, with plausible numbers, and its log.

mod case;
mod chance;
mod machine;
mod time;

use std::collections::HashSet;

use abi::plan::WARM_UP_MS;
use abi::syscall::{Authority, Right};
use abi::wire::record::{Blob, Challenge, Experiment, RunStatus, Seconds, Split, Sweep, WarmUp};
use abi::wire::{Hex64, Label, Record, StreamWriter, Timestamp};
use abi::{CpuId, Digest, sweep};
use workloads::{Workload, by_name};

pub use time::PER_MICRO;
use time::place_in_time;

/// The whole that every case of the tests' experiment works on.
pub const WHOLE: [u64; 4] = [2, 300_000, 0, 0];

/// The challenge of the plan.
pub const CHALLENGE: u64 = 0x0bad_cafe_0bad_cafe;

/// The frequency of its TSC, unless another is given.
pub const KHZ: u64 = 2_100_000;

/// A guest.
pub struct Guest {
    /// How many CPUs it has.
    pub cpus: u16,
    /// The cases it runs.
    pub cases: Vec<u16>,
    /// How often it runs each.
    pub iterations: u16,
    /// Its boot's nonce.
    pub nonce: u64,
    /// How long the whole work takes on one CPU, in cycles.
    pub work_cycles: u64,
    /// How many of the first iterations take another time than the others, and what they take of it in percent.
    pub first: (u16, u64),
    /// How many times as fast the cases of several workers are as they should be, in thousandths.
    pub boost: u64,
    /// The whole that the parts of each case make up.
    pub whole: [u64; 4],
    /// Whether each worker does the whole.
    pub weak: bool,
    /// How many threads each of its cores has; `None` if the guest does not report it.
    pub threads: Option<u16>,
    /// The challenge of its plan.
    pub challenge: u64,
    /// The frequency of its TSC.
    pub khz: u64,
    /// Set for a sweep: the seed of the order of its cases. The cases then follow from its cores and CPUs.
    pub sweep: Option<u64>,
    /// What its CPUs do in each iteration, by iteration and worker, if not what `work_cycles` says. Of one case.
    pub played: Vec<Vec<Turn>>,
}

/// The nonce of a guest for which none is chosen, without its number of CPUs.
const NONCE: u64 = 0x5eed_0000_0000_0000;

/// One worker's timed call, and the pace checks of its CPU.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// How long it takes, in cycles.
    pub cycles: u64,
    /// How often its CPU reads the TSC in the check before.
    pub reads_before: u32,
    /// The same in the check after.
    pub reads_after: u32,
    /// For how long its CPU was taken away in the check before and in that after, in cycles.
    pub taken: [u64; 2],
}

impl Guest {
    /// A guest that runs one case once, with as many workers as it has CPUs.
    pub fn of(cpus: u16) -> Self {
        let nonce = NONCE | u64::from(cpus);
        Self {
            cpus,
            cases: vec![cpus],
            iterations: 1,
            nonce,
            work_cycles: 1_718_000_000,
            first: (0, 100),
            boost: 1_000,
            whole: WHOLE,
            weak: false,
            threads: None,
            challenge: CHALLENGE,
            khz: KHZ,
            sweep: None,
            played: Vec::new(),
        }
    }

    /// What a worker's CPU does in an iteration, if that is given.
    fn turn(&self, iter: u16, worker: u16) -> Option<Turn> {
        self.played.get(usize::from(iter))?.get(usize::from(worker)).copied()
    }

    /// A guest that sweeps, with this many threads on each core.
    pub fn sweeping(cpus: u16, threads: u16) -> Self {
        let cases = sweep::cases(cpus / threads, cpus).map(|case| case.workers).collect();
        Self { cases, iterations: 5, threads: Some(threads), sweep: Some(0x0dd5_eed5), ..Self::of(cpus) }
    }

    /// Its cases, each with its iteration, in the order in which they run.
    fn turns(&self) -> Vec<(u16, u16)> {
        if self.sweep.is_none() {
            let of_case = |&case: &u16| (0..self.iterations).map(move |iter| (case, iter));
            return self.cases.iter().flat_map(of_case).collect();
        }
        let order = |iter| {
            let mut cases = self.cases.clone();
            sweep::shuffle(&mut cases, self.sweep.unwrap_or(0), iter);
            cases.into_iter().map(move |case| (case, iter))
        };
        (0..self.iterations).flat_map(order).collect()
    }

    /// The splits of a case.
    fn splits(&self, case: u16) -> Vec<[u64; 4]> {
        if self.weak {
            return vec![self.whole; case.into()];
        }
        if self.sweep.is_none() {
            return primes().split(self.whole, case);
        }
        let cut_points = primes().cut_points(self.whole).expect("primes can be shared out");
        let bounds = (0..case).map(|worker| sweep::bounds(&cut_points, case, worker).expect("a share"));
        bounds.map(|(from, to)| [from, to, self.whole[2], self.whole[3]]).collect()
    }

    /// The CPUs in the order in which they get workers: one CPU of each core, then the second CPU of each core.
    fn cpu_of(&self, worker: u16) -> CpuId {
        let threads = self.threads.unwrap_or(1);
        let cores = self.cpus / threads;
        CpuId(worker % cores * threads + worker / cores)
    }

    /// Its records, except `end`.
    pub fn records(&self) -> Vec<Record> {
        let mut records = self.boot();
        records.extend(self.clock());
        records.extend(self.plan());
        records.push(Seconds { tsc: 0, count: 0 }.into());
        let mut reported = HashSet::new();
        for (case, iter) in self.turns() {
            if self.sweep.is_some() && reported.insert(case) {
                records.extend(self.split_records(case));
            }
            self.case(case, iter, &mut records);
        }
        records.push(Seconds { tsc: 0, count: 0 }.into());
        place_in_time(&mut records, self);
        records
    }

    /// Its log as it arrives from the serial line.
    pub fn log(&self) -> Vec<u8> {
        let mut writer = StreamWriter::default();
        let mut log =
            b"SeaBIOS (version 1.16.2-debian-1.16.2-1)\r\n\r\nBooting from Hard Disk...\r\n".to_vec();
        let mut records = self.records();
        let stamps = place_in_time(&mut records, self);
        let clock = records.iter().position(|record| matches!(record, Record::Tsc(_))).unwrap_or(0);
        for (at, (&record, &micros)) in records.iter().zip(&stamps).enumerate() {
            let ts = if at >= clock { Timestamp::from_micros(micros) } else { Timestamp::UNKNOWN };
            log.extend_from_slice(writer.line(ts, record).as_bytes());
            log.extend_from_slice(b"\r\n");
        }
        let micros = stamps.last().copied().unwrap_or(0);
        log.extend_from_slice(writer.end(Timestamp::from_micros(micros + 9), RunStatus::Ok).as_bytes());
        log.extend_from_slice(b"\r\n\r\nassay: all workers verified\r\n workers  scaled cycles\r\n");
        log
    }

    fn plan(&self) -> Vec<Record> {
        let authority = Authority::NONE.with(Right::Exit);
        let experiment =
            Experiment { name: label("smp-process-scale"), workload: label("primes"), authority };
        let blob = Blob { name: label("primes"), bytes: 9_640, sha256: Digest::of(b"the worker's program") };
        let work = Digest::of(format!("work {:?}", self.cases).as_bytes());
        let challenge = Challenge { value: Hex64(self.challenge), work };
        let warm_up = WarmUp { ms: WARM_UP_MS };
        let mut records: Vec<Record> = vec![experiment.into(), challenge.into(), warm_up.into(), blob.into()];
        if let (Some(seed), Some(threads)) = (self.sweep, self.threads) {
            let (cores, cpus) = (self.cpus / threads, self.cpus);
            records.push(Sweep { iterations: self.iterations, seed: Hex64(seed), cores, cpus }.into());
        } else {
            records.extend(self.cases.iter().flat_map(|&case| self.split_records(case)));
        }
        records
    }

    fn split_records(&self, case: u16) -> impl Iterator<Item = Record> {
        let numbered = (0..).zip(self.splits(case));
        numbered.map(move |(worker, [p0, p1, p2, p3])| Split { case, worker, p0, p1, p2, p3 }.into())
    }
}

/// A label from a constant that is valid.
pub fn label(text: &str) -> Label {
    Label::new(text).expect("a label")
}

/// The workload of the tests' experiment.
pub fn primes() -> &'static dyn Workload {
    by_name("primes").expect("the workload is known")
}
