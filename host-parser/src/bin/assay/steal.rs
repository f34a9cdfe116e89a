//! What the hypervisor under this host takes from its CPUs while a run measures, by the host's own account: `steal` of
//! /proc/stat, from each iteration's `case-ready` to its `case-begin`.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use abi::wire::Record;
use host_parser::gate::HostSteal;
use qemu::CpuSet;

/// How long a tick of /proc/stat is: 1 / USER_HZ, which is 100 on x86, proc_stat(5).
const TICK_MS: u64 = 10;

/// What was taken while a run measured, of each of its CPUs.
pub struct Steal {
    cpus: CpuSet,
    open: Option<Open>,
    /// By CPU, in ticks.
    stolen: BTreeMap<u32, u64>,
    wall: Duration,
    /// Why there is no account.
    missing: Option<String>,
}

/// An iteration that is being measured.
struct Open {
    since: Instant,
    before: Vec<(u32, u64)>,
}

impl Steal {
    /// Nothing yet, of `cpus`.
    pub fn of(cpus: &CpuSet) -> Self {
        Self { cpus: cpus.clone(), open: None, stolen: BTreeMap::new(), wall: Duration::ZERO, missing: None }
    }

    /// The run printed a record.
    pub fn on_record(&mut self, record: &Record) {
        match record {
            Record::CaseReady(_) => {
                let open = Open { since: Instant::now(), before: self.read() };
                if open.before.len() < self.cpus.len() {
                    self.missing = Some("/proc/stat does not tell of every CPU".to_owned());
                }
                self.open = Some(open);
            }
            Record::CaseBegin(_) => self.close(),
            _ => {}
        }
    }

    /// Closes the account of the iteration at hand, if there is one.
    pub fn close(&mut self) {
        let Some(Open { since, before }) = self.open.take() else { return };
        self.add(since.elapsed(), &before, &self.read());
    }

    fn add(&mut self, wall: Duration, before: &[(u32, u64)], after: &[(u32, u64)]) {
        self.wall += wall;
        for &(cpu, before) in before {
            let after = after.iter().find(|(of, _)| *of == cpu);
            let grown = after.map_or(0, |(_, after)| after.saturating_sub(before));
            *self.stolen.entry(cpu).or_default() += grown;
        }
    }

    /// What was taken from the CPU that lost most; none where nothing was measured, or Linux does not tell.
    pub fn seen(&self) -> Option<HostSteal> {
        let wall_ms = u64::try_from(self.wall.as_millis()).unwrap_or(u64::MAX);
        let most = self.stolen.iter().map(|(&cpu, &ticks)| (cpu, ticks));
        let (cpu, ticks) = most.reduce(|worst, other| if other.1 > worst.1 { other } else { worst })?;
        Some(HostSteal { cpu, stolen_ms: ticks.saturating_mul(TICK_MS), wall_ms })
    }

    /// Why what was measured is not, or not wholly, accounted for.
    pub fn missing(&self) -> Option<String> {
        self.missing.clone()
    }

    fn read(&self) -> Vec<(u32, u64)> {
        let mut read = fs::read_to_string("/proc/stat").map(|stat| parse(&stat)).unwrap_or_default();
        read.retain(|&(cpu, _)| self.cpus.iter().any(|of| u32::try_from(of) == Ok(cpu)));
        read
    }
}

/// Each CPU's number and the eighth of its figures. The first line is the sum, and has no number.
fn parse(stat: &str) -> Vec<(u32, u64)> {
    let of_cpu = |line: &str| {
        let mut words = line.strip_prefix("cpu")?.split_ascii_whitespace();
        let cpu = words.next()?.parse().ok()?;
        Some((cpu, words.nth(7)?.parse().ok()?))
    };
    stat.lines().filter(|line| !line.starts_with("cpu ")).filter_map(of_cpu).collect()
}

#[cfg(test)]
mod tests {
    use abi::wire::record::{CaseBegin, CaseReady};

    use super::*;

    const STAT: &str = "cpu  9 9 9 9 9 9 9 426 0 0\ncpu0 65021 190496 24769 62302 695 0 21 206 0 0\n\
                        cpu1 69104 194180 28257 49811 1673 0 266 220 0 0\nintr 5 1 2\n";

    #[test]
    fn reads_what_was_stolen_from_each_cpu() {
        assert_eq!(parse(STAT), [(0, 206), (1, 220)]);
        assert_eq!(parse("cpu0 1 2 3\nctxt 7\n"), []);
    }

    #[test]
    fn names_the_cpu_that_lost_most_in_all_iterations() {
        let mut steal = Steal::of(&CpuSet::allowed().unwrap());
        assert_eq!(steal.seen(), None);
        let before = parse(STAT);
        steal.add(Duration::from_millis(400), &before, &before);
        assert_eq!(steal.seen(), Some(HostSteal { cpu: 0, stolen_ms: 0, wall_ms: 400 }));
        steal.add(Duration::from_millis(300), &before, &[(0, 208), (1, 221)]);
        steal.add(Duration::from_millis(300), &before, &[(0, 206), (1, 225)]);
        assert_eq!(steal.seen(), Some(HostSteal { cpu: 1, stolen_ms: 60, wall_ms: 1000 }));
    }

    #[test]
    fn says_that_linux_does_not_tell() {
        let mut steal = Steal::of(&"1023".parse().unwrap());
        steal.on_record(&CaseReady { case: 1, iter: 0 }.into());
        steal.on_record(&CaseBegin { case: 1, iter: 0, start_tsc: 1 }.into());
        assert_eq!(steal.seen(), None);
        assert!(steal.missing().is_some());
    }
}
