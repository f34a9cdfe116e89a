//! Puts the registers of this CPU that firmware may have left in any state into a known one, if that is safe, and
//! reads back what is in force. Which registers a CPU has, and their known state, is `harness::registers`'.

use abi::wire::record::RegisterName;
use alloc::vec::Vec;
use harness::registers::{ModelSpecific, State, model_specific, settled};

use super::{probe, xstate};
use crate::x86::debug;

/// Settles the registers of the CPU that runs this. Needs the IDT in force: a hypervisor may refuse any of them.
#[must_use]
pub fn settle() -> Vec<State> {
    let found = debug::read();
    debug::reset();
    let now = debug::read();
    let mut states = Vec::from([
        State { name: RegisterName::Dr6, found: found.dr6, value: now.dr6 },
        State { name: RegisterName::Dr7, found: found.dr7, value: now.dr7 },
        State { name: RegisterName::Ldtr, found: found.ldtr, value: now.ldtr },
    ]);
    states.extend(xstate::settle());
    states.extend(model_specific().into_iter().filter_map(settle_one));
    states
}

/// Settles one register; `None` if it cannot be read.
#[expect(unsafe_code, reason = "WRMSR")]
fn settle_one(ModelSpecific { name, number }: ModelSpecific) -> Option<State> {
    let found = probe::read_msr(number)?;
    let wanted = settled(name, found);
    if wanted == found {
        return Some(State { name, found, value: found });
    }
    // SAFETY: `settled` changes only registers that the kernel does not use: the targets of SYSENTER, tracing, mitigations
    // of speculation, what RDTSCP reports; and it makes LFENCE stronger.
    let _taken = unsafe { probe::write_msr(number, wanted) };
    // What a hypervisor ignored or refused shows here.
    Some(State { name, found, value: probe::read_msr(number)? })
}
