//! The conditions under which a CPU ran a worker, and what it counted meanwhile.

use abi::CpuId;
use abi::wire::record::{Conditions as ConditionsRecord, Counters as CountersRecord};

use crate::watch::Seen;

/// Model-specific registers (Intel SDM vol. 4; AMD64 APM vol. 2, appendix A).
pub const IA32_MPERF: u32 = 0xe7;
/// Counts at the actual clock of the CPU.
pub const IA32_APERF: u32 = 0xe8;
/// System-management interrupts since the reset: Intel's alone.
pub const MSR_SMI_COUNT: u32 = 0x34;

/// The conditions of one worker.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Conditions {
    /// The length of its warm-up, in cycles.
    pub warm_up: u64,
    /// What the watch over its timed call has seen; `None` if nothing watched.
    pub watch: Option<Seen>,
    /// What its CPU counted.
    pub counters: Counters,
}

/// Counts of a CPU at a moment, or their differences between two moments.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counters {
    /// IA32_APERF; `None` if the CPU has none.
    pub aperf: Option<u64>,
    /// IA32_MPERF; `None` if the CPU has none.
    pub mperf: Option<u64>,
    /// MSR_SMI_COUNT; `None` if the CPU has none.
    pub smis: Option<u64>,
}

impl Counters {
    /// What was counted since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        let difference =
            |now: Option<u64>, before| now.zip(before).map(|(now, before)| now.wrapping_sub(before));
        Self {
            aperf: difference(self.aperf, before.aperf),
            mperf: difference(self.mperf, before.mperf),
            // The register has 32 bits.
            smis: difference(self.smis, before.smis).map(|smis| smis & 0xffff_ffff),
        }
    }

    /// Whether any count is there.
    #[must_use]
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// The record of iteration `iter` of `case`, for `worker` on `cpu`.
    #[must_use]
    pub const fn record(&self, case: u16, iter: u16, worker: u16, cpu: CpuId) -> CountersRecord {
        let Self { aperf, mperf, smis } = *self;
        CountersRecord { case, iter, worker, cpu, aperf, mperf, smis }
    }
}

impl Conditions {
    /// The record of iteration `iter` of `case`, for `worker` on `cpu`.
    #[must_use]
    pub fn record(&self, case: u16, iter: u16, worker: u16, cpu: CpuId) -> ConditionsRecord {
        let (watches, late) = (self.watch.map(|seen| seen.count), self.watch.map(|seen| seen.late));
        ConditionsRecord { case, iter, worker, cpu, warm_up: self.warm_up, watches, late }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_wrap_around_and_need_both_readings() {
        let before = Counters { aperf: Some(u64::MAX), mperf: Some(3), smis: Some(0xffff_ffff) };
        let now = Counters { aperf: Some(4), mperf: None, smis: Some(1) };
        let counted = Counters { aperf: Some(5), mperf: None, smis: Some(2) };
        assert_eq!(now.since(before), counted);
        assert!(counted.any() && !Counters::default().any());
    }
}
