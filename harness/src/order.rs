//! The places of the CPUs, and the order in which they get workers.
//!
//! The order is: one CPU of every core before the second of any; among those, performance cores before the others; then
//! package after package, in the order in which the MADT names them; then the MADT's own order. So `n` workers run on
//! `n` cores if there are that many, and a package is filled before the next is begun. The BSP is a CPU like any other.
//! A CPU whose core is not known counts as a core by itself.

use alloc::vec::Vec;

use abi::CpuId;
use abi::wire::record::{CoreKind, Topology};

use crate::x86::topology::Place;

/// A CPU and its place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Located {
    /// The CPU.
    pub id: CpuId,
    /// Its place, as the CPU itself reports it.
    pub place: Place,
    /// Its proximity domain.
    pub node: Option<u32>,
}

impl From<Located> for Topology {
    fn from(Located { id, place, node }: Located) -> Self {
        let Place { source, package, die, core, thread, kind } = place;
        Self { cpu: id, source, package, die, core, thread, kind, node }
    }
}

/// Identifies a core.
fn core_of(cpu: &Located) -> Result<u32, CpuId> {
    cpu.place.core.ok_or(cpu.id)
}

/// The number of cores among `cpus`.
#[must_use]
pub fn cores(cpus: &[Located]) -> u16 {
    let first = cpus.iter().enumerate().filter(|&(at, cpu)| siblings_in(&cpus[..at], cpu) == 0);
    u16::try_from(first.count()).unwrap_or(u16::MAX)
}

/// Sorts `cpus`, which are in MADT order, into the order in which they get workers.
#[must_use]
pub fn worker_order(cpus: &[Located]) -> Vec<CpuId> {
    // One number for each CPU, the first criterion in its highest bits, its place in its lowest: a machine has fewer than
    // 65,536 CPUs. Numbers are sorted by code that the kernel has anyway.
    let mut keys: Vec<u64> = (0..cpus.len()).map(|at| key(cpus, at)).collect();
    keys.sort_unstable();
    let at = |key: u64| usize::try_from(key & 0xffff).unwrap_or(usize::MAX);
    keys.into_iter().filter_map(|key| Some(cpus.get(at(key))?.id)).collect()
}

/// The key of the CPU at this place.
fn key(cpus: &[Located], at: usize) -> u64 {
    let cpu = &cpus[at];
    let rank = siblings_in(&cpus[..at], cpu);
    // Packages are in the order of their first CPUs.
    let package = cpus.iter().position(|other| other.place.package == cpu.place.package).unwrap_or(at);
    [rank, slowness(cpu.place.kind), package, at].into_iter().fold(0, |key, part| key << 16 | part as u64)
}

/// How many of `cpus` are of the core of `cpu`.
fn siblings_in(cpus: &[Located], cpu: &Located) -> usize {
    cpus.iter().filter(|other| core_of(other) == core_of(cpu)).count()
}

/// Sorts kinds of core: fast ones first.
const fn slowness(kind: CoreKind) -> usize {
    match kind {
        CoreKind::Alike | CoreKind::Performance => 0,
        CoreKind::Other => 1,
        CoreKind::Efficient => 2,
    }
}

#[cfg(test)]
mod tests {
    use abi::wire::record::TopologySource;
    use proptest::prelude::*;

    use super::*;

    fn cpu(id: u16, package: u32, core: u32, kind: CoreKind) -> Located {
        let place = Place {
            source: TopologySource::Cpuid0b,
            package: Some(package),
            die: None,
            core: Some(core),
            thread: None,
            kind,
        };
        Located { id: CpuId(id), place, node: None }
    }

    fn unknown(id: u16) -> Located {
        let place = Place {
            source: TopologySource::None,
            package: None,
            die: None,
            core: None,
            thread: None,
            kind: CoreKind::Alike,
        };
        Located { id: CpuId(id), place, node: None }
    }

    fn order(cpus: &[Located]) -> Vec<u16> {
        worker_order(cpus).into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn takes_every_core_before_any_sibling_and_fills_package_after_package() {
        // Two packages of two cores of two threads, siblings next to each other.
        let cpus: Vec<_> =
            (0..8).map(|id| cpu(id, u32::from(id) / 4, u32::from(id) / 2, CoreKind::Alike)).collect();
        assert_eq!(order(&cpus), [0, 2, 4, 6, 1, 3, 5, 7]);
        assert_eq!(cores(&cpus), 4);
        // The same, with packages taking turns and all siblings at the end.
        let cpus: Vec<_> =
            (0..8).map(|id| cpu(id, u32::from(id) % 2, u32::from(id) % 4, CoreKind::Alike)).collect();
        assert_eq!(order(&cpus), [0, 2, 1, 3, 4, 6, 5, 7]);
    }

    #[test]
    fn takes_performance_cores_first_and_their_siblings_last() {
        use CoreKind::{Efficient, Performance};
        let cpus = [
            cpu(0, 0, 0, Efficient),
            cpu(1, 0, 1, Efficient),
            cpu(2, 0, 2, Performance),
            cpu(3, 0, 2, Performance),
            cpu(4, 0, 3, Performance),
            cpu(5, 0, 3, Performance),
        ];
        assert_eq!(order(&cpus), [2, 4, 0, 1, 3, 5]);
        assert_eq!(cores(&cpus), 4);
    }

    #[test]
    fn a_cpu_whose_core_is_not_known_counts_as_a_core() {
        let cpus: Vec<_> = (0..3).map(unknown).collect();
        assert_eq!((order(&cpus), cores(&cpus)), (alloc::vec![0, 1, 2], 3));
    }

    proptest! {
        #[test]
        fn every_cpu_is_in_the_order_once_and_cores_come_first(
            places in proptest::collection::vec((0_u32..3, 0_u32..6), 1..40),
        ) {
            let numbered = (0..).zip(&places);
            let cpus: Vec<_> =
                numbered.map(|(id, &(package, core))| cpu(id, package, package * 8 + core, CoreKind::Alike)).collect();
            let order = order(&cpus);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert!(sorted.into_iter().eq((0..).take(cpus.len())));
            let first = &order[..usize::from(cores(&cpus))];
            let mut seen: Vec<_> = first.iter().map(|&id| cpus[usize::from(id)].place.core).collect();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), first.len());
        }
    }
}
