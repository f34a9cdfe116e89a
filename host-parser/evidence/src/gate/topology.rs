//! Which CPUs share a core, by the CPUs' own records.

use std::collections::BTreeSet;

use abi::wire::record::{self, CpuState, TopologySource};

use super::facts::Facts;
use super::machine::{CpuPlace, Topology};

impl Facts<'_> {
    /// The CPUs that came up, by number.
    pub fn online_cpus(&self) -> impl Iterator<Item = u16> {
        let up = |state| matches!(state, CpuState::Bsp | CpuState::Online);
        self.all::<record::Cpu>().filter(move |cpu| up(cpu.is.state)).map(|cpu| cpu.is.cpu.0)
    }

    /// How many cores the CPUs that came up have. A CPU whose core is unknown counts as a core.
    pub fn cores(&self) -> u16 {
        let core = |cpu| self.topology.get(&cpu).and_then(|at| at.is.core).ok_or(cpu);
        let cores: BTreeSet<Result<u32, u16>> = self.online_cpus().map(core).collect();
        u16::try_from(cores.len()).unwrap_or(u16::MAX)
    }

    /// Whether some of `cpus` are known to share a core.
    pub fn share_cores(&self, cpus: impl IntoIterator<Item = u16>) -> bool {
        let core = |cpu| Some((cpu, self.topology.get(&cpu)?.is.core?));
        let places: BTreeSet<_> = cpus.into_iter().filter_map(core).collect();
        let cores: BTreeSet<_> = places.iter().map(|&(_, core)| core).collect();
        cores.len() < places.len()
    }

    /// The machine's topology.
    pub(super) fn shape(&self) -> Topology {
        let cpus: Vec<CpuPlace> = self
            .topology
            .values()
            .map(|at| CpuPlace {
                cpu: at.is.cpu.0,
                package: at.is.package,
                die: at.is.die,
                core: at.is.core,
                thread: at.is.thread,
                kind: at.is.kind,
                node: at.is.node,
            })
            .collect();
        let known =
            self.topology.values().map(|at| at.is.source).find(|&source| source != TopologySource::None);
        Topology {
            source: known,
            packages: distinct(&cpus, |cpu| cpu.package),
            cores: known.map(|_| self.cores()),
            nodes: distinct(&cpus, |cpu| cpu.node),
            cpus,
        }
    }
}

/// How many different values a number has among `cpus`; `None` if no CPU has it.
fn distinct(cpus: &[CpuPlace], number: fn(&CpuPlace) -> Option<u32>) -> Option<u16> {
    let values: BTreeSet<u32> = cpus.iter().filter_map(number).collect();
    u16::try_from(values.len()).ok().filter(|&count| count > 0)
}
