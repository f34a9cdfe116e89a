//! What a CPU counts while it runs a worker: its actual clock (Intel SDM vol. 3B, "Hardware Coordination Feedback and
//! Performance"; AMD64 APM vol. 2, "Effective Frequency") and system-management interrupts (Intel SDM vol. 4,
//! `MSR_SMI_COUNT`).

use harness::conditions::{Counters, IA32_APERF, IA32_MPERF, MSR_SMI_COUNT};
use harness::x86::cpuid::{self, bit, leaf};

use super::probe;

/// CPUID.6:ECX: IA32_APERF and IA32_MPERF.
const EFFECTIVE_FREQUENCY: u32 = 0;

/// Which counts this CPU has.
#[derive(Clone, Copy, Debug)]
pub struct Available {
    frequency: bool,
    smis: bool,
}

impl Available {
    /// Asks this CPU.
    #[must_use]
    pub fn here() -> Self {
        Self {
            frequency: bit(leaf(6, 0).ecx, EFFECTIVE_FREQUENCY),
            smis: cpuid::vendor().as_str() == "GenuineIntel",
        }
    }

    /// Reads the counts of this CPU. A hypervisor may refuse any of them.
    #[must_use]
    pub fn read(self) -> Counters {
        let read = |there: bool, register| if there { probe::read_msr(register) } else { None };
        Counters {
            aperf: read(self.frequency, IA32_APERF),
            mperf: read(self.frequency, IA32_MPERF),
            smis: read(self.smis, MSR_SMI_COUNT),
        }
    }
}
