//! What a machine must keep while it is saved and loaded: memory, the x87 and SSE state and the local APIC of every CPU, and
//! armed timers. `hold` puts it there, and `check` looks, on each CPU itself.
//!
//! The kernel is soft-float and enters no worker between the two, so nothing else changes a CPU's state. Every CPU but the one
//! that waits for commands is free for a timer: that one's own, by which it looks at the port, must fire for there to be an
//! answer at all. The memory is never given back.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::CpuId;
use abi::command::Hold;
use abi::random::{SplitMix64, mix};
use abi::wire::Hex64;
use abi::wire::record::{Clocks, Held as HeldRecord, Kept, KeptCpu, Spoilt, TimerState};
use alloc::sync::Arc;
use alloc::vec::Vec;
use harness::clock::Mark;
use harness::x86::tsc;
use spin::Mutex;

use crate::clock::MachineClock;
use crate::console;
use crate::cpu::{Job, PerCpu};
use crate::mem::{OutOfMemory, frames};
use crate::smp::run_on;
use crate::x86::apic;
use crate::x86::sse::FpuState;

/// How long a CPU may take for what is asked of it here, in microseconds.
const PATIENCE_US: u64 = 10_000_000;

/// What a machine holds.
pub struct Held {
    memory: &'static [AtomicU64],
    cpus: Arc<Mutex<Vec<HeldCpu>>>,
    random: SplitMix64,
}

/// What a CPU holds, and then what was found.
struct HeldCpu {
    cpu: CpuId,
    apic: apic::State,
    /// When its timer fires, and the signals that it had before; `None` without one.
    timer: Option<(u64, u64)>,
    found: Option<(u16, u16)>,
}

/// The word of the memory with this number.
fn word(at: usize) -> u64 {
    mix(at as u64)
}

impl Held {
    /// Has the machine hold what is asked for, and emits the record of it. `seed` is the boot's nonce.
    ///
    /// # Errors
    /// There is not as much memory in one piece.
    pub fn begin(asked: Hold, seed: Hex64, clock: &'static MachineClock) -> Result<Self, OutOfMemory> {
        let memory = frames().words(u64::from(asked.memory_mib) << 20, 4096)?;
        let mut digest = 0;
        for (at, place) in memory.iter().enumerate() {
            place.store(word(at), Ordering::Relaxed);
            digest ^= word(at);
        }
        let timer_us = u64::from(asked.timer_ms) * 1000;
        let here = PerCpu::current().map(|here| here.id);
        let cpus = Arc::new(Mutex::new(Vec::new()));
        on_all(clock, &cpus, move |cpus, cpu, clock| {
            FpuState::of(cpu.id.0).load();
            let ahead = clock.tsc.cycles(timer_us);
            let is_free = Some(cpu.id) != here && timer_us > 0;
            let timer = is_free.then(|| {
                let (due, before) = (tsc::read_ordered() + ahead, cpu.signal.count());
                // Later by more than the timer's calibration can be wrong, as in `costs::timer`.
                apic::set_signal(
                    due,
                    clock.timer_ticks_of(ahead.saturating_add(ahead / 2000)).saturating_add(2),
                );
                (due, before)
            });
            cpus.push(HeldCpu { cpu: cpu.id, apic: apic::state(), timer, found: None });
        });
        let (count, timers) = {
            let cpus = cpus.lock();
            (cpus.len(), cpus.iter().filter(|cpu| cpu.timer.is_some()).count())
        };
        report_clocks(clock);
        console::record(HeldRecord {
            bytes: bytes(memory),
            digest: Hex64(digest),
            cpus: u16::try_from(count).unwrap_or(u16::MAX),
            timers: u16::try_from(timers).unwrap_or(u16::MAX),
            timer_us,
        });
        Ok(Self { memory, cpus, random: SplitMix64::new(seed.0) })
    }

    /// Looks at what was kept, and emits the records. Waits until the timers have had time to fire.
    pub fn check(&mut self, spoilt: Spoilt, clock: &'static MachineClock) {
        report_clocks(clock);
        if spoilt == Spoilt::Memory
            && let Some(last) = self.memory.last()
        {
            last.fetch_xor(1 << 63, Ordering::Relaxed);
        }
        let (mut digest, mut wrong) = (0, 0);
        for (at, place) in self.memory.iter().enumerate() {
            let found = place.load(Ordering::Relaxed);
            digest ^= found;
            wrong += u64::from(found != word(at));
        }
        let last = PerCpu::online().last().map(|cpu| cpu.id);
        on_all(clock, &self.cpus, move |cpus, cpu, _| {
            let spoils = |what| spoilt == what && Some(cpu.id) == last;
            let Some(held) = cpus.iter_mut().find(|held| held.cpu == cpu.id) else { return };
            if spoils(Spoilt::Fpu) {
                FpuState::of(!cpu.id.0).load();
            }
            if spoils(Spoilt::Timer) {
                apic::set_timer(0);
            }
            let apic = apic::state();
            let expected = if spoils(Spoilt::Apic) { held.apic.spoilt() } else { held.apic };
            held.found = Some((FpuState::of(cpu.id.0).differences(), expected.differences(&apic)));
        });
        console::record(Kept {
            spoilt,
            bytes: bytes(self.memory),
            digest: Hex64(digest),
            wrong,
            kvmclock: clock.second.kvmclock(),
            random: Hex64(self.random.draw()),
        });
        let cpus = self.cpus.lock();
        for cpu in PerCpu::all() {
            let Some(held) = cpus.iter().find(|held| held.cpu == cpu.id) else { continue };
            let (timer, late_us) = timer(held, cpu, clock);
            let (fpu, apic) = held.found.unwrap_or((u16::MAX, u16::MAX));
            console::record(KeptCpu { cpu: held.cpu, fpu, apic, timer, late_us });
        }
    }
}

fn report_clocks(clock: &MachineClock) {
    let (Mark { tsc, count }, seconds) = (clock.mark(), clock.seconds());
    console::record(Clocks { tsc, count, seconds: seconds.map(|seconds| seconds.count) });
}

/// What became of the timer of a CPU. Waits until some time after it is due.
fn timer(held: &HeldCpu, cpu: &PerCpu, clock: &MachineClock) -> (TimerState, u64) {
    let Some((due, before)) = held.timer else { return (TimerState::None, 0) };
    let fired = || cpu.signal.count().wrapping_sub(before);
    let left_us = clock.tsc.micros(due.saturating_sub(tsc::read()));
    clock.tsc.spin_until(left_us.saturating_add(PATIENCE_US / 5), || fired() > 0);
    let stamp = cpu.signal.stamp();
    match fired() {
        0 => (TimerState::Lost, 0),
        1 if stamp >= due => (TimerState::Fired, clock.tsc.micros(stamp - due)),
        _ => (TimerState::Wrong, 0),
    }
}

/// Has every CPU do something with what is held, one after the other.
fn on_all(
    clock: &'static MachineClock,
    held: &Arc<Mutex<Vec<HeldCpu>>>,
    act: impl Fn(&mut Vec<HeldCpu>, &PerCpu, &MachineClock) + Send + Sync + 'static,
) {
    let cpus: Vec<_> = PerCpu::online().collect();
    let job: Job = {
        let held = Arc::clone(held);
        Arc::new(move |_| {
            if let Some(cpu) = PerCpu::current() {
                act(&mut held.lock(), cpu, clock);
            }
        })
    };
    run_on(&cpus, clock, PATIENCE_US, &job);
}

fn bytes(memory: &[AtomicU64]) -> u64 {
    size_of_val(memory) as u64
}
