//! A translation that other CPUs have to drop.
#![expect(unsafe_code, reason = "reads a page that may not be mapped")]

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use abi::series::place::counts;
use abi::series::{SeriesRow, Unavailable};
use alloc::sync::Arc;
use alloc::vec::Vec;
use harness::platform::{Job, buffer};
use harness::sampler::{Book, Measured, Place, Sampler, Tally};
use harness::x86::tsc;
use spin::Mutex;
use x86_64::instructions::interrupts;

use super::Floor;
use super::listener::ANSWER_US;
use crate::clock::MachineClock;
use crate::cpu::{PerCpu, probe};
use crate::mem::LonePage;
use crate::smp::run_on;
use crate::x86::{apic, vectors};

/// The samples of a row: each needs three meetings of its CPUs besides what is timed.
const SAMPLES: u32 = 1_000;
/// How long a row takes, in microseconds.
const TLB_BUDGET_US: u64 = 1_500_000;

pub fn rows(
    here: &'static PerCpu,
    others: &[&'static PerCpu],
    clock: &'static MachineClock,
    sampler: &mut Sampler<'_>,
    book: &mut Book,
    floor: &mut Floor<'_>,
) {
    let row = SeriesRow::TlbShoot;
    if others.is_empty() {
        return book.none(floor, Place::of(row, here.id), Unavailable::OneCpu);
    }
    let Ok(page) = floor.machine.space.lone_page() else {
        return book.none(floor, Place::of(row, here.id), Unavailable::Memory);
    };
    for count in counts(others.len()) {
        let place = Place::of(row, here.id).arg(count as u64);
        let (short, room) = (sampler.shortens(row), sampler.room());
        match measure(page, short, room, here, &others[..count], clock) {
            Ok((measured, mut samples)) => book.emit(floor, place, measured, &mut samples),
            Err(reason) => book.none(floor, place, reason),
        }
    }
}

/// What the CPUs of a row share.
struct Shoot {
    page: LonePage,
    cpus: u64,
    /// The step that the first CPU asks for: odd to load the translation, even to try it; [`u64::MAX`] to end.
    step: AtomicU64,
    /// How often a CPU has done a step.
    done: AtomicU64,
    /// CPUs that could still read the page after it was taken away, or not while it was there.
    wrong: AtomicU64,
}

type Brought = Result<(Measured, Vec<u64>), Unavailable>;

fn measure(
    page: LonePage,
    short: bool,
    room: usize,
    here: &'static PerCpu,
    others: &[&'static PerCpu],
    clock: &'static MachineClock,
) -> Brought {
    let (step, done, wrong) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let shoot = Arc::new(Shoot { page, cpus: others.len() as u64, step, done, wrong });
    let brought = Arc::new(Mutex::new(Err(Unavailable::CpuLost)));
    let all: Vec<_> = core::iter::once(here).chain(others.iter().copied()).collect();
    let job: Job = {
        let (shoot, brought, others) = (Arc::clone(&shoot), Arc::clone(&brought), others.to_vec());
        Arc::new(move |cpu| {
            if cpu == here.id {
                *brought.lock() = shoot.lead(short, room, &others, clock);
                shoot.step.store(u64::MAX, Ordering::Release);
            } else {
                shoot.follow(clock);
            }
        })
    };
    others.iter().for_each(|cpu| cpu.signal.drop_translation(page.address()));
    let lost = run_on(&all, clock, 10 * ANSWER_US, &job);
    others.iter().for_each(|cpu| cpu.signal.drop_translation(0));
    page.set_present(true);
    if lost.is_empty() {
        core::mem::replace(&mut *brought.lock(), Err(Unavailable::CpuLost))
    } else {
        Err(Unavailable::CpuLost)
    }
}

impl Shoot {
    fn lead(&self, short: bool, room: usize, others: &[&'static PerCpu], clock: &MachineClock) -> Brought {
        let asked = super::asked(short);
        let mut samples = buffer(room);
        let mut sampler = Sampler::new(&clock.tsc, &mut samples, &asked);
        let cold = sampler.warm_up(|| self.once(others, clock));
        self.wrong.store(0, Ordering::Release);
        let counted = || others.iter().fold(0, |sum: u64, cpu| sum.wrapping_add(cpu.signal.count()));
        let before = counted();
        let count =
            sampler.events(SeriesRow::TlbShoot, SAMPLES, TLB_BUDGET_US, || self.once(others, clock))?;
        let done = counted().wrapping_sub(before);
        let wrong = self.wrong.load(Ordering::Acquire);
        samples.truncate(count);
        let due = self.cpus * count as u64;
        Ok((Measured { n: 1, cold, due, tally: Tally { done, wrong } }, samples))
    }

    /// Loads the translation everywhere, takes the page away (timed), and has every CPU try it.
    fn once(&self, others: &[&'static PerCpu], clock: &MachineClock) -> Option<u64> {
        self.page.set_present(true);
        self.ask_all(clock)?;
        let answered: Vec<u64> = others.iter().map(|cpu| cpu.signal.answered().wrapping_add(1)).collect();
        others.iter().zip(&answered).for_each(|(cpu, &number)| cpu.signal.ask(number));
        let begin = tsc::read_ordered();
        self.page.set_present(false);
        drop_own(self.page.address());
        others.iter().for_each(|cpu| apic::send_ipi(cpu.apic_id, vectors::SIGNAL));
        let all = || others.iter().zip(&answered).all(|(cpu, &number)| cpu.signal.answered() == number);
        let dropped = clock.tsc.spin_until(ANSWER_US, all);
        let end = tsc::read_ordered();
        self.ask_all(clock)?;
        dropped.then_some(end.saturating_sub(begin))
    }

    /// Has the other CPUs do the next step, and waits for all of them.
    fn ask_all(&self, clock: &MachineClock) -> Option<()> {
        let due = self.done.load(Ordering::Acquire) + self.cpus;
        self.step.fetch_add(1, Ordering::AcqRel);
        clock.tsc.spin_until(ANSWER_US, || self.done.load(Ordering::Acquire) >= due).then_some(())
    }

    /// Another CPU: takes signals, and reads the page when it is asked to.
    fn follow(&self, clock: &MachineClock) {
        let mut last = 0;
        interrupts::enable();
        loop {
            let changed = clock.tsc.spin_until(10 * ANSWER_US, || self.step.load(Ordering::Acquire) != last);
            let step = self.step.load(Ordering::Acquire);
            if !changed || step == u64::MAX {
                break;
            }
            last = step;
            let wanted = step % 2 == 1;
            // SAFETY: the page is the kernel's own, mapped or not.
            let found = unsafe { probe::can_read(self.page.address()) };
            self.wrong.fetch_add(u64::from(found != wanted), Ordering::AcqRel);
            self.done.fetch_add(1, Ordering::AcqRel);
        }
        interrupts::disable();
    }
}

/// Drops this CPU's own translation.
fn drop_own(address: u64) {
    // SAFETY: dropping a translation changes no memory.
    unsafe { asm!("invlpg [{}]", in(reg) address, options(nostack, preserves_flags)) };
}
