//! The rows of the mechanisms: this kernel's tasks and objects, as the driver asks for them.

mod scene;
mod stubs;

use core::fmt;

use abi::CpuId;
use abi::object::{Kind, Status};
use abi::series::{SeriesRow, Unavailable};
use abi::stub::Op;
use abi::wire::Record;
use alloc::sync::Arc;
use alloc::vec::Vec;
use harness::Sink;
use harness::mechanism::{Played, Scene, System};

use crate::checks::{self, LEFT_OUT};
use crate::console;
use crate::cpu::PerCpu;
use crate::machine::Machine;

/// The machine, as the rows use it.
pub struct Theatre<'a> {
    machine: &'a mut Machine,
    /// The program of all tasks, for those that tasks start.
    elf: Arc<[u8]>,
}

impl<'a> Theatre<'a> {
    /// The rows' machine, and the program of all tasks.
    #[must_use]
    pub fn new(machine: &'a mut Machine, elf: &[u8]) -> Self {
        Self { machine, elf: elf.into() }
    }
}

impl Sink for Theatre<'_> {
    fn record(&mut self, record: Record) {
        console::record(record);
    }

    fn progress(&mut self, text: fmt::Arguments<'_>) {
        console::text(text);
    }
}

impl System for Theatre<'_> {
    fn cpus(&self) -> Vec<CpuId> {
        PerCpu::free().iter().map(|cpu| cpu.id).collect()
    }

    fn offers(&self, row: SeriesRow, arg: u64) -> Result<(), Unavailable> {
        /// Of `cap_refused`: the places of the reasons in `abi::series::place::REASONS`.
        const STALE: u64 = 2;
        const RIGHT: u64 = 4;
        match row {
            // What is not refused has no row.
            SeriesRow::Attack | SeriesRow::AttackCross if !LEFT_OUT.is_empty() => {
                Err(Unavailable::NotOffered)
            }
            SeriesRow::CapRefused if arg == STALE && !checks::GENERATION => Err(Unavailable::NotOffered),
            SeriesRow::CapRefused if arg == RIGHT && !checks::RIGHTS => Err(Unavailable::NotOffered),
            SeriesRow::OverheadStub
            | SeriesRow::NullEnter
            | SeriesRow::RefusedNumber
            | SeriesRow::CapOk
            | SeriesRow::CapRefused
            | SeriesRow::CallSame
            | SeriesRow::CallCross
            | SeriesRow::NotifyNone
            | SeriesRow::NotifyWake
            | SeriesRow::Switch
            | SeriesRow::TimerWake
            | SeriesRow::SpawnWait
            | SeriesRow::SpawnRefused
            | SeriesRow::FaultZero
            | SeriesRow::FaultServed
            | SeriesRow::Map
            | SeriesRow::Protect
            | SeriesRow::Unmap
            | SeriesRow::MapTouch
            | SeriesRow::RingNop
            | SeriesRow::ShmXfer
            | SeriesRow::Attack
            | SeriesRow::AttackCross => Ok(()),
            _ => Err(Unavailable::NotOffered),
        }
    }

    fn right_answer(&self, op: Op) -> u64 {
        match op {
            Op::NoCall => Status::NoCall.value(),
            Op::BadMethod => Status::Method.value(),
            Op::Identify => Kind::Endpoint as u64,
            // Bits are kept.
            Op::Wait => 1,
            _ => Status::Ok.value(),
        }
    }

    fn refusal(&self, _: Op, reason: Status) -> Option<u64> {
        Some(reason.value())
    }

    fn stub(&self, op: Op) -> &[u8] {
        stubs::of(op)
    }

    fn run(&mut self, scene: &Scene<'_>, results: &mut [u64]) -> Result<Played, Unavailable> {
        scene::play(self.machine, &self.elf, scene, results)
    }
}
