//! The rows of the platform that only a kernel can measure: exits, interrupts, the timer, first touches of memory,
//! translations that other CPUs drop. What a process can measure too is `harness::platform`'s.
//!
//! All rows run after the cases, on a machine that is otherwise idle: every other CPU halts unless a row has work for it.

mod exits;
mod interrupts;
mod listener;
mod timer;
mod tlb;
mod touch;

use core::fmt;

use abi::CpuId;
use abi::plan::Platform;
use abi::series::Shortened;
use abi::wire::Record;
use alloc::vec::Vec;
use harness::Sink;
use harness::platform::{Disturbances, Field, Job, Pages, Words};
use harness::sampler::{Book, Sampler};

use crate::console;
use crate::cpu::counters::Available;
use crate::cpu::{PerCpu, Strays};
use crate::machine::Machine;
use crate::mem::frames;
use crate::smp::run_on;

/// The large pages of the window on physical memory.
const LARGE_PAGE: u64 = 2 << 20;
/// A row takes at most this part of the memory that is left.
const PART: u64 = 4;

/// A plan's line for a row that is sampled on a CPU with a sampler of its own.
fn asked(short: bool) -> Platform {
    let short = if short { Shortened::All } else { Shortened::None };
    Platform { noise_ms: 0, short, samples: false }
}

/// The machine, as the rows use it.
pub struct Floor<'a> {
    machine: &'a mut Machine,
    /// The non-maskable interrupts that were counted and taken so far.
    nmis: u32,
}

impl<'a> Floor<'a> {
    /// The rows' machine.
    #[must_use]
    pub const fn new(machine: &'a mut Machine) -> Self {
        Self { machine, nmis: 0 }
    }
}

impl Sink for Floor<'_> {
    fn record(&mut self, record: Record) {
        console::record(record);
    }

    fn progress(&mut self, text: fmt::Arguments<'_>) {
        console::text(text);
    }
}

impl Field for Floor<'_> {
    fn cpus(&self) -> Vec<CpuId> {
        PerCpu::free().iter().map(|cpu| cpu.id).collect()
    }

    fn run_on(&mut self, cpus: &[CpuId], timeout_us: u64, job: &Job) -> bool {
        let free = PerCpu::free();
        let chosen: Vec<_> = free.into_iter().filter(|cpu| cpus.contains(&cpu.id)).collect();
        chosen.len() == cpus.len() && run_on(&chosen, self.machine.clock, timeout_us, job).is_empty()
    }

    fn memory(&mut self, bytes: u64, pages: Pages) -> Option<Words> {
        let align = if pages == Pages::Large { LARGE_PAGE } else { 4096 };
        let words = frames().words(bytes.next_multiple_of(4096), align).ok()?;
        words.iter().for_each(|word| word.store(0, core::sync::atomic::Ordering::Relaxed));
        usize::try_from(bytes / 8).ok().and_then(|count| words.get(..count))
    }

    fn memory_twice(&mut self, bytes: u64) -> [Option<Words>; 2] {
        let most = frames().untouched_bytes() / PART;
        // A power of two that fits.
        let fits = most.checked_ilog2().map_or(0, |bits| 1 << bits);
        // The same memory, mapped twice.
        let large = self.memory(bytes.next_power_of_two().min(fits), Pages::Large);
        let small = large.and_then(|large| self.machine.space.map_small(large).ok());
        [small, large]
    }

    fn disturbances(&mut self) -> Disturbances {
        let here = PerCpu::current();
        let counts = PerCpu::all().iter().map(|cpu| &cpu.strays).chain([Strays::early()]);
        let nmis: u32 = counts.filter_map(Strays::take).map(|counted| counted.nmis).sum();
        self.nmis = self.nmis.saturating_add(nmis);
        Disturbances {
            steal_ns: here.and_then(PerCpu::steal_ns),
            smis: Available::here().read().smis,
            nmis: self.nmis,
        }
    }

    fn own_rows(&mut self, sampler: &mut Sampler<'_>, book: &mut Book) {
        let Some(here) = PerCpu::current() else { return };
        let (clock, pm_timer_port) = (self.machine.clock, self.machine.pm_timer_port);
        exits::rows(here.id, pm_timer_port, sampler, book, self);
        // First of all rows that take memory: what is left was not touched by this kernel.
        touch::rows(here.id, sampler, book, self);
        timer::rows(here, clock, sampler, book, self);
        let others: Vec<_> = PerCpu::free().into_iter().filter(|cpu| cpu.id != here.id).collect();
        interrupts::rows(here, &others, clock, sampler, book, self);
        tlb::rows(here, &others, clock, sampler, book, self);
    }
}
