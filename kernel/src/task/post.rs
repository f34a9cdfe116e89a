//! Calls to a server on another CPU. Caller and server share one [`Slot`], and an interrupt is sent only if the other CPU is
//! halted.

use core::sync::atomic::Ordering;

use super::notification::Void;
use super::slot::{NoAnswer, Slot};
use crate::cpu::PerCpu;
use crate::x86::{apic, vectors};

/// The slot of one caller at one endpoint, and the CPUs on both sides.
#[repr(C)]
pub struct Post {
    /// Whether every handle to the endpoint is void. The server's CPU sees it here and revokes the endpoint, or has done so.
    pub void: Void,
    slot: Slot,
    caller: &'static PerCpu,
    server: &'static PerCpu,
}

impl Post {
    /// An empty slot between two CPUs.
    #[must_use]
    pub fn new(caller: &'static PerCpu, server: &'static PerCpu) -> Self {
        Self { void: Void::default(), slot: Slot::default(), caller, server }
    }

    /// The server's CPU.
    #[must_use]
    pub const fn server(&self) -> &'static PerCpu {
        self.server
    }

    /// Leaves a call for the server.
    ///
    /// # Errors
    /// It cannot be left.
    pub fn ask(&self, words: [u64; 4]) -> Result<(), NoAnswer> {
        self.slot.ask(words)?;
        nudge(self.server);
        Ok(())
    }

    /// Takes the call, if there is one.
    pub fn take(&self) -> Option<[u64; 4]> {
        self.slot.take()
    }

    /// Leaves the answer for the caller.
    pub fn answer(&self, words: [u64; 4]) {
        self.slot.answer(words);
        nudge(self.caller);
    }

    /// Leaves word that the call that was taken has no answer.
    pub fn refuse(&self) {
        self.slot.refuse();
        nudge(self.caller);
    }

    /// Leaves word that no call is taken any more.
    pub fn close(&self) {
        self.slot.close();
        nudge(self.caller);
    }

    /// Takes the answer, if it is there: `Err` if none will come.
    pub fn poll(&self) -> Option<Result<[u64; 4], NoAnswer>> {
        self.slot.poll()
    }

    /// Takes back the call of a thread that was ended.
    pub fn take_back(&self) {
        self.slot.take_back();
    }

    /// Whether every handle to the endpoint is void.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.void.is_seen()
    }

    /// Voids the handles of the caller's CPU. The server's CPU voids all others.
    pub fn revoke(&self) {
        self.void.set();
        nudge(self.server);
    }
}

/// Interrupts a CPU that halts until there is something to do. What it is to find must have been stored before, in
/// sequentially consistent order: it announces that it halts, and then looks once more.
pub fn nudge(cpu: &PerCpu) {
    if cpu.worker.asleep.load(Ordering::SeqCst) {
        apic::send_ipi(cpu.apic_id, vectors::WAKE);
    }
}
