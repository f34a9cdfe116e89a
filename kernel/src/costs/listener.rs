//! A CPU that takes the signal of another, spinning or halted, until it is let go.

use core::sync::atomic::{AtomicBool, Ordering};

use abi::CpuId;
use alloc::sync::Arc;
use alloc::vec::Vec;
use harness::platform::Job;
use harness::x86::tsc;
use x86_64::instructions::interrupts;

use crate::clock::MachineClock;
use crate::cpu::PerCpu;
use crate::smp::run_on;
use crate::x86::{apic, vectors};

/// How long an answer is waited for, in microseconds: the other vCPU may wait for a host CPU meanwhile.
pub const ANSWER_US: u64 = 1_000_000;
/// How long a row with listeners may take, in microseconds.
const PATIENCE_US: u64 = 60_000_000;

/// How a listener waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Waits {
    /// It spins with interrupts on.
    Spinning,
    /// It halts.
    Halted,
}

/// Runs `lead` on this CPU while `others` listen. Returns what it returns; `None` if a listener did not come back.
pub fn with_listeners<T: Send + 'static>(
    here: &'static PerCpu,
    others: &[&'static PerCpu],
    waits: Waits,
    clock: &'static MachineClock,
    lead: impl Fn() -> T + Send + Sync + 'static,
) -> Option<T> {
    let state = Arc::new(State { stop: AtomicBool::new(false) });
    let result = Arc::new(spin::Mutex::new(None));
    let waiting = others.to_vec();
    let job: Job = {
        let (state, result, waiting) = (Arc::clone(&state), Arc::clone(&result), waiting.clone());
        let here = here.id;
        Arc::new(move |cpu: CpuId| {
            if cpu != here {
                state.listen(waits, clock);
                return;
            }
            // A signal that is answered shows that the listener is there.
            if waiting.iter().all(|cpu| answers(cpu, clock).is_some()) {
                *result.lock() = Some(lead());
            }
            state.stop.store(true, Ordering::Release);
            for cpu in &waiting {
                apic::send_ipi(cpu.apic_id, vectors::SIGNAL);
            }
        })
    };
    let all: Vec<_> = core::iter::once(here).chain(waiting.iter().copied()).collect();
    let lost = run_on(&all, clock, ANSWER_US, &job);
    if lost.is_empty() { result.lock().take() } else { None }
}

/// What the CPUs share.
struct State {
    stop: AtomicBool,
}

impl State {
    /// Takes signals until the row is over, or for as long as a row may take.
    fn listen(&self, waits: Waits, clock: &MachineClock) {
        let deadline = tsc::read().saturating_add(clock.tsc.cycles(PATIENCE_US));
        let over = || self.stop.load(Ordering::Acquire) || tsc::read() > deadline;
        match waits {
            Waits::Spinning => {
                interrupts::enable();
                while !over() {
                    core::hint::spin_loop();
                }
                interrupts::disable();
            }
            Waits::Halted => {
                while !over() {
                    interrupts::enable_and_hlt();
                    interrupts::disable();
                }
            }
        }
    }
}

/// Sends `cpu` a signal and spins until it is answered. Returns the TSC just before the write of the command, and that when
/// the answer was seen; `None` if there was none in time.
pub fn answers(cpu: &PerCpu, clock: &MachineClock) -> Option<(u64, u64)> {
    let number = cpu.signal.answered().wrapping_add(1);
    cpu.signal.ask(number);
    let begin = tsc::read_ordered();
    apic::send_ipi(cpu.apic_id, vectors::SIGNAL);
    let answered = clock.tsc.spin_until(ANSWER_US, || cpu.signal.answered() == number);
    let end = tsc::read_ordered();
    answered.then_some((begin, end))
}
