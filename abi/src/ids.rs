//! The two numbers of a CPU. They are different types: mixing them up is the classic SMP bug.

use core::fmt;

/// The dense number of a CPU: its index among the usable MADT entries. The same on every boot of a machine.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CpuId(pub u16);

/// The hardware number of a CPU: its local APIC ID, 8 bits in xAPIC mode, 32 in x2APIC mode
/// (Intel SDM vol. 3A, "Local APIC ID" and "x2APIC Identifiers").
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ApicId(pub u32);

impl CpuId {
    /// The number as an index into a table of CPUs.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for CpuId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ApicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
