//! The MADT's processors that this kernel uses, and their dense numbers.

use abi::{ApicId, CpuId};
use alloc::vec::Vec;

use crate::firmware::acpi::madt::Processor;

/// A processor that the kernel will use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RosterEntry {
    /// Its dense number: its index among the used entries.
    pub id: CpuId,
    /// Its local APIC id.
    pub apic_id: ApicId,
}

/// The processors in MADT order: used ones and skipped ones.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Roster {
    /// Enabled, each APIC id once. `CpuId` n is entry n.
    pub used: Vec<RosterEntry>,
    /// Not enabled (whether or not they could be brought online later), or listed a second time; by entry number.
    pub skipped: Vec<RosterEntry>,
    /// The bootstrap processor.
    pub bsp: CpuId,
}

/// Why the MADT yields no roster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RosterError {
    /// The MADT does not list the processor that runs this as enabled.
    BspNotListed(ApicId),
}

impl Roster {
    /// Sorts `processors`, in MADT order, for a machine whose bootstrap processor has the id `bsp`.
    ///
    /// # Errors
    /// The MADT does not list the BSP as enabled.
    pub fn new(processors: impl Iterator<Item = Processor>, bsp: ApicId) -> Result<Self, RosterError> {
        let mut roster = Self { used: Vec::new(), skipped: Vec::new(), bsp: CpuId(0) };
        for (number, processor) in (0..=u16::MAX).zip(processors) {
            let apic_id = processor.apic_id;
            // Firmware may list one processor both as type 0 and as type 9 (ACPI 6.5, section 5.2.12.12).
            let seen = roster.used.iter().any(|entry| entry.apic_id == apic_id);
            let next = u16::try_from(roster.used.len()).ok().filter(|_| processor.enabled && !seen);
            match next {
                Some(next) => roster.used.push(RosterEntry { id: CpuId(next), apic_id }),
                None => roster.skipped.push(RosterEntry { id: CpuId(number), apic_id }),
            }
        }
        let listed = roster.used.iter().find(|entry| entry.apic_id == bsp);
        roster.bsp = listed.ok_or(RosterError::BspNotListed(bsp))?.id;
        Ok(roster)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(entries: &[(u32, bool)], bsp: u32) -> Result<Roster, RosterError> {
        let processors = entries.iter().map(|&(id, enabled)| Processor {
            apic_id: ApicId(id),
            enabled,
            online_capable: !enabled,
        });
        Roster::new(processors, ApicId(bsp))
    }

    fn apic_ids(entries: &[RosterEntry]) -> Vec<u32> {
        entries.iter().map(|entry| entry.apic_id.0).collect()
    }

    #[test]
    fn numbers_cpus_in_madt_order_for_any_ids() {
        let roster = roster(&[(6, true), (2, true), (0, true)], 2).expect("the BSP is listed");
        assert_eq!(apic_ids(&roster.used), [6, 2, 0]);
        assert_eq!(roster.bsp, CpuId(1));
    }

    #[test]
    fn skips_disabled_and_doubled_entries_without_a_gap() {
        let roster = roster(&[(0, true), (1, false), (0, true), (3, true)], 0).expect("the BSP is listed");
        assert_eq!(apic_ids(&roster.used), [0, 3]);
        assert_eq!(roster.used[1].id, CpuId(1));
        assert_eq!(apic_ids(&roster.skipped), [1, 0]);
    }

    #[test]
    fn refuses_a_madt_without_the_bsp() {
        assert_eq!(roster(&[(1, true)], 0), Err(RosterError::BspNotListed(ApicId(0))));
        assert_eq!(roster(&[(0, false)], 0), Err(RosterError::BspNotListed(ApicId(0))));
        assert_eq!(roster(&[], 0), Err(RosterError::BspNotListed(ApicId(0))));
    }
}
