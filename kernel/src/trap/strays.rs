//! Interrupts that nothing in this kernel asked for: another device's line or message that firmware left live, a spurious
//! interrupt, an NMI of a watchdog or of a management controller. They are counted and acknowledged, whatever ran.

use crate::cpu::{PerCpu, Strays};
use crate::panic;
use crate::x86::{apic, vectors};

/// Takes a trap that is none of a worker's and none of the kernel's. Returns whether it was one.
pub fn take(vector: u64) -> bool {
    match u8::try_from(vector) {
        Ok(vectors::NMI) => {
            if panic::stops_this_cpu() {
                panic::stop();
            }
            counts().count_nmi();
            true
        }
        Ok(vectors::TIMER | vectors::WAKE | vectors::SIGNAL) | Err(_) => false,
        Ok(vector) if vectors::is_exception(vector) && !is_sent(vector) => false,
        Ok(vector) => {
            counts().count(vector);
            // A spurious interrupt, of this vector or any other, has no in-service bit and gets no EOI: that would end
            // another interrupt.
            apic::end_of_interrupt_if_in_service(vector);
            true
        }
    }
}

/// Whether a device sent an interrupt with the vector of this exception. Its in-service bit shows that: it is set from the
/// delivery to the EOI, which the handler writes before it returns, and the handler itself raises no such exception.
fn is_sent(exception: u8) -> bool {
    vectors::may_be_sent(exception) && apic::is_in_service(exception)
}

fn counts() -> &'static Strays {
    PerCpu::current().map_or(Strays::early(), |cpu| &cpu.strays)
}
