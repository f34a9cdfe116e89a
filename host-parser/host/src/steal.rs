//! Steal: the CPU time that the hypervisor under this host took while a run measured, from `steal` of /proc/stat, read at
//! each iteration's `case-ready` and `case-begin`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use abi::wire::Record;

use crate::proc_stat::{self, CpuTimes, TICK_MS};
use crate::{CpuSet, Root};

/// The steal of the CPU that lost most.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StolenTime {
    /// The CPU.
    pub cpu: u32,
    /// Its steal, in milliseconds.
    pub stolen_ms: u64,
    /// The time between the readings, in milliseconds.
    pub wall_ms: u64,
}

/// Collects the steal of each of a run's CPUs while the run measures.
pub struct StealAccount {
    root: Root,
    cpus: CpuSet,
    open: Option<Open>,
    /// By CPU, in ticks.
    stolen: BTreeMap<usize, u64>,
    wall: Duration,
    /// Why the steal of some CPU is unknown.
    missing: Option<String>,
}

/// The iteration that is running now.
struct Open {
    since: Instant,
    before: BTreeMap<usize, CpuTimes>,
}

impl StealAccount {
    /// An empty collection for `cpus` of the host below `root`.
    #[must_use]
    pub fn of(root: &Root, cpus: &CpuSet) -> Self {
        let (root, cpus) = (root.clone(), cpus.clone());
        Self { root, cpus, open: None, stolen: BTreeMap::new(), wall: Duration::ZERO, missing: None }
    }

    /// Takes a record that the run printed.
    pub fn on_record(&mut self, record: &Record) {
        match record {
            Record::CaseReady(_) => {
                let open = Open { since: Instant::now(), before: self.read() };
                if open.before.len() < self.cpus.len() {
                    self.missing = Some("/proc/stat does not show every CPU of the run".to_owned());
                }
                self.open = Some(open);
            }
            Record::CaseBegin(_) => self.close(),
            _ => {}
        }
    }

    /// Takes the second reading of the running iteration, if there is one.
    pub fn close(&mut self) {
        let Some(Open { since, before }) = self.open.take() else { return };
        self.add(since.elapsed(), &before, &self.read());
    }

    fn add(&mut self, wall: Duration, before: &BTreeMap<usize, CpuTimes>, after: &BTreeMap<usize, CpuTimes>) {
        self.wall += wall;
        for (&cpu, before) in before {
            let grown = after.get(&cpu).map_or(0, |after| after.since(before).steal);
            *self.stolen.entry(cpu).or_default() += grown;
        }
    }

    /// The steal of the CPU that lost most; `None` if nothing was measured or /proc/stat shows none of the CPUs.
    #[must_use]
    pub fn seen(&self) -> Option<StolenTime> {
        let wall_ms = u64::try_from(self.wall.as_millis()).unwrap_or(u64::MAX);
        let most = self.stolen.iter().map(|(&cpu, &ticks)| (cpu, ticks));
        let (cpu, ticks) = most.reduce(|worst, other| if other.1 > worst.1 { other } else { worst })?;
        let cpu = u32::try_from(cpu).ok()?;
        Some(StolenTime { cpu, stolen_ms: ticks.saturating_mul(TICK_MS), wall_ms })
    }

    /// Why the steal of some or all CPUs is unknown.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        self.missing.clone()
    }

    fn read(&self) -> BTreeMap<usize, CpuTimes> {
        let mut read = self.root.text("/proc/stat").map(|stat| proc_stat::parse(&stat)).unwrap_or_default();
        read.retain(|cpu, _| self.cpus.contains(*cpu));
        read
    }
}

#[cfg(test)]
mod tests {
    use abi::wire::record::{CaseBegin, CaseReady};

    use super::*;
    use crate::fixture::Fixture;

    fn stolen(ticks: [u64; 2]) -> BTreeMap<usize, CpuTimes> {
        ticks.map(|steal| CpuTimes { steal, ..CpuTimes::default() }).into_iter().enumerate().collect()
    }

    #[test]
    fn names_the_cpu_that_lost_most_in_all_iterations() {
        let mut steal = StealAccount::of(&Root::here(), &CpuSet::allowed().unwrap());
        assert_eq!(steal.seen(), None);
        let before = stolen([206, 220]);
        steal.add(Duration::from_millis(400), &before, &before);
        assert_eq!(steal.seen(), Some(StolenTime { cpu: 0, stolen_ms: 0, wall_ms: 400 }));
        steal.add(Duration::from_millis(300), &before, &stolen([208, 221]));
        steal.add(Duration::from_millis(300), &before, &stolen([206, 225]));
        assert_eq!(steal.seen(), Some(StolenTime { cpu: 1, stolen_ms: 60, wall_ms: 1000 }));
    }

    #[test]
    fn says_that_proc_stat_does_not_show_a_cpu() {
        let mut steal = StealAccount::of(&Root::here(), &"1023".parse().unwrap());
        steal.on_record(&CaseReady { case: 1, iter: 0 }.into());
        steal.on_record(&CaseBegin { case: 1, iter: 0, start_tsc: 1 }.into());
        assert_eq!(steal.seen(), None);
        assert!(steal.missing().is_some());
    }

    #[test]
    fn reads_an_iterations_steal_from_proc_stat() {
        let host =
            Fixture::new().file("/proc/stat", "cpu0 0 0 0 9 0 0 0 5 0 0\ncpu1 0 0 0 9 0 0 0 7 0 0").root();
        let mut steal = StealAccount::of(&host, &"0".parse().unwrap());
        steal.on_record(&CaseReady { case: 1, iter: 0 }.into());
        steal.close();
        assert_eq!(steal.missing(), None);
        assert_eq!(steal.seen().map(|seen| (seen.cpu, seen.stolen_ms)), Some((0, 0)));
    }
}
