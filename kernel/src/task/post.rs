//! Calls to a server on another CPU. Caller and server share one slot, a [`Post`]: no lock, no queue, and an interrupt only
//! if the other CPU is halted.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use crate::cpu::PerCpu;
use crate::x86::{apic, vectors};

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
enum Turn {
    /// The caller's: the slot is empty.
    Caller = 0,
    /// The server's: the slot has a call.
    Asked = 1,
    /// The server's: it has taken the call.
    Taken = 2,
    /// The caller's: the slot has the answer.
    Answered = 3,
    /// The caller's: there is no server any more.
    Gone = 4,
}

/// The slot of one caller at one endpoint.
pub struct Post {
    turn: AtomicU8,
    words: [AtomicU64; 4],
    caller: &'static PerCpu,
    server: &'static PerCpu,
    /// Whether every handle to it is void.
    pub revoked: AtomicBool,
}

impl Post {
    /// An empty slot between two CPUs.
    #[must_use]
    pub fn new(caller: &'static PerCpu, server: &'static PerCpu) -> Self {
        let words = [const { AtomicU64::new(0) }; 4];
        Self {
            turn: AtomicU8::new(Turn::Caller as u8),
            words,
            caller,
            server,
            revoked: AtomicBool::new(false),
        }
    }

    /// The server's CPU.
    #[must_use]
    pub const fn server(&self) -> &'static PerCpu {
        self.server
    }

    /// Leaves a call for the server. Returns whether the slot was empty.
    pub fn ask(&self, words: [u64; 4]) -> bool {
        if !self.is(Turn::Caller) {
            return false;
        }
        self.pass(words, Turn::Asked, self.server);
        true
    }

    /// Takes the call, if there is one.
    pub fn take(&self) -> Option<[u64; 4]> {
        self.is(Turn::Asked).then(|| {
            self.turn.store(Turn::Taken as u8, Ordering::Relaxed);
            self.read()
        })
    }

    /// Leaves the answer for the caller.
    pub fn answer(&self, words: [u64; 4]) {
        self.pass(words, Turn::Answered, self.caller);
    }

    /// Leaves word that there is no answer, now or later.
    pub fn leave(&self) {
        self.pass([0; 4], Turn::Gone, self.caller);
    }

    /// Takes the answer, if it is there: `Err` if none will come.
    pub fn take_answer(&self) -> Option<Result<[u64; 4], ()>> {
        if self.is(Turn::Gone) {
            return Some(Err(()));
        }
        self.is(Turn::Answered).then(|| {
            let words = self.read();
            self.turn.store(Turn::Caller as u8, Ordering::Relaxed);
            Ok(words)
        })
    }

    fn is(&self, turn: Turn) -> bool {
        self.turn.load(Ordering::Acquire) == turn as u8
    }

    fn read(&self) -> [u64; 4] {
        core::array::from_fn(|i| self.words[i].load(Ordering::Relaxed))
    }

    /// Fills the slot and passes the turn to the other side.
    fn pass(&self, words: [u64; 4], turn: Turn, to: &PerCpu) {
        self.words.iter().zip(words).for_each(|(place, word)| place.store(word, Ordering::Relaxed));
        self.turn.store(turn as u8, Ordering::SeqCst);
        nudge(to);
    }
}

/// Interrupts a CPU that halts until there is something to do. What it is to find must have been stored before, in
/// sequentially consistent order: it announces that it halts, and then looks once more.
pub fn nudge(cpu: &PerCpu) {
    if cpu.worker.asleep.load(Ordering::SeqCst) {
        apic::send_ipi(cpu.apic_id, vectors::WAKE);
    }
}
