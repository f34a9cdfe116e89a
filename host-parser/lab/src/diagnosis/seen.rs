//! Converts QEMU's trace and registers of a guest into the types of a diagnosis.

use evidence::gate::Ended;
use qemu::CpuState;
use qemu::trace::{Delivery, Origin, Trace};
use results::diagnosis::{Address, CpuSeen, Exception, PanicSeen, Raised, Seen};

/// Collects how a guest `ended`, its log, QEMU's trace (empty if there is none) and its CPUs' registers.
pub fn seen(ended: Ended, log: &[u8], trace: &[u8], cpus: &[CpuState]) -> Seen {
    let trace = Trace::read(trace);
    Seen {
        ended,
        triple_fault: trace.triple_fault().map(|chain| exceptions(&chain)),
        in_kernel: exceptions(&trace.first_in_kernel()),
        cpus: cpus.iter().map(cpu).collect(),
        panic: PanicSeen::in_log(log),
    }
}

fn exceptions(chain: &[Delivery]) -> Vec<Exception> {
    chain.iter().map(exception).collect()
}

fn exception(delivery: &Delivery) -> Exception {
    Exception {
        vector: delivery.vector,
        raised: match delivery.origin {
            Origin::Exception { .. } => Raised::ByFault,
            Origin::Instruction => Raised::ByInstruction,
            Origin::Interrupt | Origin::Unknown => Raised::FromOutside,
        },
        error_code: delivery.error_code,
        address: delivery.cr2.map(Address),
        rip: Address(delivery.rip),
        rsp: Address(delivery.rsp),
    }
}

fn cpu(state: &CpuState) -> CpuSeen {
    CpuSeen {
        cpu: state.cpu,
        rip: Address(state.rip),
        rsp: Address(state.rsp),
        ring: state.cpl,
        halted: state.halted,
        takes_interrupts: state.takes_interrupts(),
    }
}
