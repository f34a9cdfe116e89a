//! The rows of the platform on Linux: the CPUs are pinned threads, and memory is mapped. Rows that only a kernel can measure
//! are reported as not applicable.

mod memory;

use std::thread;

use abi::CpuId;
use abi::series::{SeriesRow, Tier, Unavailable};
use abi::wire::Record;
use harness::Sink;
use harness::platform::{Disturbances, Field, Job, Pages, Words, unavailable};
use harness::sampler::{Book, Sampler};

use crate::console::Console;
use crate::cpus::{Cpu, pin};
use crate::linux::msr::Registers;

/// The CPUs and the console, as the rows use them.
pub struct Threads<'a> {
    /// The CPUs, in worker order.
    pub cpus: &'a [Cpu],
    /// The output.
    pub console: &'a mut Console,
}

impl Sink for Threads<'_> {
    fn record(&mut self, record: Record) {
        self.console.record(record);
    }
}

impl Field for Threads<'_> {
    fn cpus(&self) -> Vec<CpuId> {
        self.cpus.iter().map(|cpu| cpu.id).collect()
    }

    fn run_on(&mut self, cpus: &[CpuId], _: u64, job: &Job) -> bool {
        // Every job ends by itself: each of its waits has a bound.
        self.console.drain();
        thread::scope(|scope| {
            let chosen = self.cpus.iter().filter(|cpu| cpus.contains(&cpu.id));
            let threads: Vec<_> = chosen
                .map(|cpu| {
                    let run = move || pin(cpu.linux).map(|()| job(cpu.id)).is_ok();
                    thread::Builder::new().spawn_scoped(scope, run)
                })
                .collect();
            let started = threads.len() == cpus.len();
            let ran =
                threads.into_iter().map(|thread| thread.is_ok_and(|thread| thread.join().unwrap_or(false)));
            ran.fold(started, |all, one| all && one)
        })
    }

    fn memory(&mut self, bytes: u64, pages: Pages) -> Option<Words> {
        memory::map(bytes, pages).ok()
    }

    fn memory_twice(&mut self, bytes: u64) -> [Option<Words>; 2] {
        let bytes = memory::fits(bytes);
        [Pages::Small, Pages::Large].map(|pages| self.memory(bytes, pages))
    }

    fn disturbances(&mut self) -> Disturbances {
        let first = self.cpus.first().and_then(|cpu| Registers::of(cpu.linux));
        Disturbances { steal_ns: None, smis: first.and_then(|registers| registers.counters().smis), nmis: 0 }
    }

    fn own_rows(&mut self, _: &mut Sampler<'_>, book: &mut Book) {
        let all = SeriesRow::of_tier(Tier::Platform);
        let rows: Vec<_> = all.filter(|row| !row.spec().not_on_linux.is_empty()).collect();
        let here = self.cpus.first().map_or(CpuId(0), |cpu| cpu.id);
        unavailable(&rows, here, Unavailable::NotApplicable, book, self);
    }
}
