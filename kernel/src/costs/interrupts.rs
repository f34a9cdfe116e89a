//! Interrupts between CPUs: the round trip to a CPU that spins, and the wake-up of one that is halted.

use abi::series::place::IDLE_US;
use abi::series::{EVENTS, SeriesRow, Unavailable};
use alloc::vec::Vec;
use harness::platform::{buffer, unavailable};
use harness::sampler::{BUDGET_US, Book, Measured, Place, Sampler, Tally};

use super::Floor;
use super::listener::{Waits, answers, with_listeners};
use crate::clock::MachineClock;
use crate::cpu::PerCpu;

/// How long the row of the longest of them takes at most, in microseconds: 10,000 events of a millisecond, and the wake-ups
/// of a machine that has CPUs for all of its own.
const WAKE_BUDGET_US: u64 = 10_800_000;

pub fn rows(
    here: &'static PerCpu,
    others: &[&'static PerCpu],
    clock: &'static MachineClock,
    sampler: &mut Sampler<'_>,
    book: &mut Book,
    floor: &mut Floor<'_>,
) {
    let Some(&nearest) = others.first() else {
        let rows = [SeriesRow::IpiRt, SeriesRow::HltWake];
        return unavailable(&rows, here.id, Unavailable::OneCpu, book, floor);
    };
    for &peer in others {
        let place = Place::of(SeriesRow::IpiRt, here.id).with(peer.id);
        let event = Event { place, waits: Waits::Spinning, idle_us: 0, budget_us: BUDGET_US };
        measure(event, here, peer, clock, sampler, book, floor);
    }
    for idle_us in IDLE_US {
        let place = Place::of(SeriesRow::HltWake, here.id).with(nearest.id).arg(idle_us);
        let budget_us = if idle_us < 1000 { BUDGET_US } else { WAKE_BUDGET_US };
        let event = Event { place, waits: Waits::Halted, idle_us, budget_us };
        measure(event, here, nearest, clock, sampler, book, floor);
    }
}

/// A row of signals from this CPU to another.
#[derive(Clone, Copy)]
struct Event {
    place: Place,
    waits: Waits,
    idle_us: u64,
    budget_us: u64,
}

fn measure(
    event: Event,
    here: &'static PerCpu,
    peer: &'static PerCpu,
    clock: &'static MachineClock,
    sampler: &mut Sampler<'_>,
    book: &mut Book,
    floor: &mut Floor<'_>,
) {
    let (short, room) = (sampler.shortens(event.place.row), sampler.room());
    let lead = move || lead(event, short, room, peer, clock);
    match with_listeners(here, &[peer], event.waits, clock, lead) {
        Some(Ok((measured, mut samples))) => book.emit(floor, event.place, measured, &mut samples),
        Some(Err(reason)) => book.none(floor, event.place, reason),
        None => book.none(floor, event.place, Unavailable::CpuLost),
    }
}

/// Takes the samples. What was done is what the other CPU's handler counted.
fn lead(
    event: Event,
    short: bool,
    room: usize,
    peer: &PerCpu,
    clock: &MachineClock,
) -> Result<(Measured, Vec<u64>), Unavailable> {
    let asked = super::asked(short);
    let mut samples = buffer(room);
    let mut sampler = Sampler::new(&clock.tsc, &mut samples, &asked);
    let mut wrong = 0;
    let cold = sampler.warm_up(|| once(event, peer, clock, &mut wrong));
    wrong = 0;
    let before = peer.signal.count();
    let count =
        sampler.events(event.place.row, EVENTS, event.budget_us, || once(event, peer, clock, &mut wrong))?;
    let done = peer.signal.count().wrapping_sub(before);
    samples.truncate(count);
    Ok((Measured { n: 1, cold, due: count as u64, tally: Tally { done, wrong } }, samples))
}

/// One signal. Spinning: until its answer is seen. Halted: until the first reading of the clock in the handler.
fn once(event: Event, peer: &PerCpu, clock: &MachineClock, wrong: &mut u64) -> Option<u64> {
    if event.idle_us > 0 {
        clock.tsc.spin_us(event.idle_us);
    }
    let Some((begin, seen)) = answers(peer, clock) else {
        *wrong += 1;
        return None;
    };
    let end = if event.waits == Waits::Halted { peer.signal.stamp() } else { seen };
    *wrong += u64::from(end < begin);
    Some(end.saturating_sub(begin))
}
