//! The rows of the platform that both systems measure with the same code: readings of the clock, CPUID, transfers between
//! CPUs, memory, and gaps. A system supplies CPUs and memory ([`Field`]), and the rows that are its own.
//!
//! Memory is shared as atomics that are read and written in relaxed order: on x86 these are plain moves of 8 bytes, so no
//! row uses vectors, on either system.

mod bandwidth;
mod chain;
mod memory;
mod noise;
pub mod page;
mod pair;
pub mod single;

use abi::CpuId;
use abi::plan::Platform;
use abi::series::{SeriesRow, Unavailable};
use abi::wire::record::{PlatformNote, PlatformRows};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::AtomicU64;

use crate::clock::Clock;
use crate::sampler::{Book, Figure, Place, Sampler};
use crate::sink::Sink;
use crate::x86::{cpuid, tsc};

/// Work for CPUs, called on each with its number.
pub type Job = Arc<dyn Fn(CpuId) + Send + Sync>;

/// Memory that several CPUs can use at once.
pub type Words = &'static [AtomicU64];

/// The cache that is taken for the last one if the CPU reports none, in bytes.
const LLC_BYTES: u64 = 16 << 20;
/// The memory rows use a buffer of this many times the last cache.
const OF_LLC: u64 = 4;

/// The pages that memory is mapped with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pages {
    /// 4 KiB.
    Small,
    /// 2 MiB or more.
    Large,
}

/// What a CPU counted of what disturbs it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Disturbances {
    /// The time that the hypervisor took from the first CPU, by its own account, in ns.
    pub steal_ns: Option<u64>,
    /// System-management interrupts on the first CPU.
    pub smis: Option<u64>,
    /// Non-maskable interrupts on any CPU.
    pub nmis: u32,
}

/// What a system supplies to the rows.
pub trait Field: Sink {
    /// The CPUs that rows can run on. The first is the one that calls.
    fn cpus(&self) -> Vec<CpuId>;

    /// Runs `job` on `cpus` at once, the calling one among them or not, with interrupts off or as a thread of its own.
    /// Returns whether all came back within `timeout_us`.
    fn run_on(&mut self, cpus: &[CpuId], timeout_us: u64, job: &Job) -> bool;

    /// Memory of `bytes` that nothing else uses, written once, in such pages. It is not given back. `None` if there is not
    /// enough, or the system cannot have such pages.
    fn memory(&mut self, bytes: u64, pages: Pages) -> Option<Words>;

    /// As many bytes as fit, at most `bytes`, in both kinds of pages, small first.
    fn memory_twice(&mut self, bytes: u64) -> [Option<Words>; 2];

    /// What was counted of disturbances since the boot.
    fn disturbances(&mut self) -> Disturbances;

    /// Measures the rows that are this system's alone, in `own` of their order.
    fn own_rows(&mut self, sampler: &mut Sampler<'_>, book: &mut Book);
}

/// Measures every row with at most `samples` samples, and emits their records.
pub fn run(asked: &Platform, samples: u32, clock: &Clock, field: &mut impl Field) -> Vec<Figure> {
    let begin = tsc::read();
    let before = field.disturbances();
    field.record(PlatformRows { noise_ms: asked.noise_ms, short: asked.short }.into());
    let (mut book, mut samples) = (Book::new(asked), buffer(usize::try_from(samples).unwrap_or(0)));
    let mut sampler = Sampler::new(clock, &mut samples, asked);
    let cpus = field.cpus();
    let Some(&here) = cpus.first() else { return Vec::new() };
    single::rows(here, &mut sampler, &mut book, field);
    field.own_rows(&mut sampler, &mut book);
    pair::rows(&cpus, &mut sampler, &mut book, field);
    let llc_bytes = cpuid::last_level_cache().unwrap_or(0);
    let buffer = field.memory_twice(OF_LLC * if llc_bytes == 0 { LLC_BYTES } else { llc_bytes });
    memory::rows(here, buffer, &mut sampler, &mut book, field);
    bandwidth::rows(&cpus, buffer[1], &mut sampler, &mut book, field);
    noise::rows(&cpus, asked, clock, &mut book, field);
    let after = field.disturbances();
    let since = |after: Option<u64>, before: Option<u64>| Some(after?.saturating_sub(before?));
    let took_us = clock.micros(tsc::read().saturating_sub(begin));
    field.record(
        PlatformNote {
            llc_bytes,
            steal_ns: since(after.steal_ns, before.steal_ns),
            smis: since(after.smis, before.smis),
            nmis: after.nmis.saturating_sub(before.nmis),
            took_ms: took_us / 1000,
        }
        .into(),
    );
    book.figures().to_vec()
}

/// Memory for the samples of a series. A sampler touches it before it fills it.
#[must_use]
pub fn buffer(samples: usize) -> Vec<u64> {
    vec![0; samples]
}

/// Emits rows that a system does not have.
pub fn unavailable<S: Sink + ?Sized>(
    rows: &[SeriesRow],
    here: CpuId,
    reason: Unavailable,
    book: &mut Book,
    sink: &mut S,
) {
    for &row in rows {
        book.none(sink, Place::of(row, here), reason);
    }
}

#[cfg(test)]
mod tests;
