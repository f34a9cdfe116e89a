//! The CPUs' activity, and the programs that caused it, between two readings of /proc.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::Root;
use crate::proc_pid_stat::{self, PidStat};
use crate::proc_stat::{self, CpuTimes};

/// A reading of /proc/stat and of every task's stat. Times are in ticks since the host booted.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    cpus: BTreeMap<usize, CpuTimes>,
    tasks: BTreeMap<TaskId, Task>,
}

/// A task's number and its start: Linux reuses numbers.
type TaskId = (u32, u64);

#[derive(Clone, Debug, PartialEq)]
struct Task {
    process: u32,
    /// The process's name, not the thread's.
    name: String,
    ticks: u64,
    /// The CPU on which it ran last.
    cpu: Option<usize>,
}

/// The activity of some CPUs between two snapshots.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Their busy time, in CPUs.
    pub busy_cpus: f64,
    /// Steal, as a fraction of their time.
    pub steal: f64,
    /// The programs whose tasks ran last on these CPUs, the busiest first.
    pub programs: Vec<Program>,
}

/// All processes of one name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Program {
    /// The name.
    pub name: String,
    /// How many of them used CPU time.
    pub processes: usize,
    /// The CPU time that they used together, as a fraction of one CPU.
    pub part: f64,
}

impl Snapshot {
    /// Reads /proc now. Skips this process and tasks that end meanwhile.
    pub fn take(root: &Root) -> Option<Self> {
        let cpus = proc_stat::parse(&root.text("/proc/stat")?);
        let own = std::process::id();
        let numbers = root.names("/proc").into_iter().filter_map(|name| name.parse::<u32>().ok());
        let tasks = numbers.filter(|pid| *pid != own).flat_map(|pid| tasks(root, pid));
        Some(Self { cpus, tasks: tasks.collect() })
    }

    /// The activity of `cpus` from `self` to `later`; `None` if their counters did not move.
    pub fn until(&self, later: &Self, cpus: &BTreeSet<usize>) -> Option<Sample> {
        let spent: Vec<CpuTimes> =
            cpus.iter().filter_map(|&cpu| self.cpu_until(later, cpu)).filter(|t| t.total > 0).collect();
        let elapsed = spent.iter().map(|times| times.total).max()?;
        Some(Sample {
            busy_cpus: spent.iter().map(|times| part(times.busy, times.total)).sum(),
            steal: part(spent.iter().map(|t| t.steal).sum(), spent.iter().map(|t| t.total).sum()),
            programs: self.programs_until(later, cpus, elapsed),
        })
    }

    fn cpu_until(&self, later: &Self, cpu: usize) -> Option<CpuTimes> {
        Some(later.cpus.get(&cpu)?.since(self.cpus.get(&cpu)?))
    }

    /// The programs that ran on `cpus`, by the last CPU of each task, the busiest first.
    fn programs_until(&self, later: &Self, cpus: &BTreeSet<usize>, elapsed: u64) -> Vec<Program> {
        let mut used: BTreeMap<&str, (BTreeSet<u32>, u64)> = BTreeMap::new();
        for (id, task) in &later.tasks {
            if task.cpu.is_some_and(|cpu| !cpus.contains(&cpu)) {
                continue;
            }
            // A task that the first snapshot does not have started since then.
            let before = self.tasks.get(id).map_or(0, |task| task.ticks);
            let ticks = task.ticks.saturating_sub(before);
            if ticks > 0 {
                let (processes, sum) = used.entry(&task.name).or_default();
                processes.insert(task.process);
                *sum += ticks;
            }
        }
        let mut programs = Vec::new();
        for (name, (processes, ticks)) in used {
            let (name, processes) = (name.to_owned(), processes.len());
            programs.push(Program { name, processes, part: part(ticks, elapsed) });
        }
        programs.sort_by(|one, other| other.part.total_cmp(&one.part));
        programs
    }

    /// Steal since the host booted, as a fraction of the time of `cpus`.
    pub fn steal_since_boot(&self, cpus: &BTreeSet<usize>) -> f64 {
        let empty = Self {
            cpus: self.cpus.keys().map(|cpu| (*cpu, CpuTimes::default())).collect(),
            ..Self::default()
        };
        empty.until(self, cpus).map_or(0.0, |sample| sample.steal)
    }
}

/// The threads of a process; the process as one task if they cannot be listed.
fn tasks(root: &Root, process: u32) -> Vec<(TaskId, Task)> {
    let at = format!("/proc/{process}");
    let Some(whole) = read_stat(root, &at) else { return Vec::new() };
    let numbers = root.names(&format!("{at}/task")).into_iter().filter_map(|name| name.parse::<u32>().ok());
    let mut threads = Vec::new();
    for tid in numbers {
        if let Some(stat) = read_stat(root, &format!("{at}/task/{tid}")) {
            threads.push(task(process, &whole.name, tid, &stat));
        }
    }
    if threads.is_empty() { vec![task(process, &whole.name, process, &whole)] } else { threads }
}

fn read_stat(root: &Root, at: &str) -> Option<PidStat> {
    proc_pid_stat::parse(&root.text(&format!("{at}/stat"))?)
}

fn task(process: u32, name: &str, tid: u32, stat: &PidStat) -> (TaskId, Task) {
    ((tid, stat.start), Task { process, name: name.to_owned(), ticks: stat.ticks, cpu: stat.cpu })
}

#[expect(clippy::cast_precision_loss, reason = "ticks, shown as a percentage")]
fn part(ticks: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { ticks as f64 / of as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    fn stat(name: &str, user: u64, start: u64) -> String {
        format!("7 ({name}) R 1 1 1 0 -1 4194560 84 0 0 0 {user} 5 0 0 20 0 1 0 {start} 2703360 236")
    }

    fn cpus(range: std::ops::Range<usize>) -> BTreeSet<usize> {
        range.collect()
    }

    fn snapshot(cpu0: &str, cpu1: &str, processes: &[(u32, String)]) -> Snapshot {
        let host = Fixture::new().file("/proc/stat", &format!("cpu  1 1\ncpu0 {cpu0}\ncpu1 {cpu1}\nintr 7"));
        let host = host.file("/proc/self/stat", "no number, no process");
        let host =
            processes.iter().fold(host, |host, (pid, stat)| host.file(&format!("/proc/{pid}/stat"), stat));
        Snapshot::take(&host.root()).unwrap()
    }

    #[test]
    fn finds_a_busy_cpu_and_its_program() {
        let before =
            snapshot("100 0 0 100 0 0 0 0 0 0", "0 0 0 500 0 0 0 0 0 0", &[(7, stat("cc1 (x)", 10, 3))]);
        let after =
            snapshot("150 0 0 100 0 0 0 0 50 0", "5 0 0 545 0 0 0 0 0 0", &[(7, stat("cc1 (x)", 60, 3))]);
        let sample = before.until(&after, &cpus(0..2)).unwrap();
        assert!((sample.busy_cpus - 1.1).abs() < 1e-9, "{sample:?}");
        assert_eq!(sample.programs, [Program { name: "cc1 (x)".to_owned(), processes: 1, part: 1.0 }]);
        assert!(before.until(&after, &cpus(1..2)).unwrap().busy_cpus < 0.2);
    }

    #[test]
    fn steal_is_neither_busy_nor_idle() {
        let before = snapshot("0 0 0 0 0 0 0 0 0 0", "0 0 0 0 0 0 0 0 0 0", &[]);
        let after = snapshot("0 0 0 30 0 0 0 20 0 0", "0 0 0 50 0 0 0 0 0 0", &[]);
        let sample = before.until(&after, &cpus(0..2)).unwrap();
        assert!((sample.steal - 0.2).abs() < 1e-9 && sample.busy_cpus == 0.0, "{sample:?}");
        assert!((after.steal_since_boot(&cpus(0..1)) - 0.4).abs() < 1e-9);
    }

    #[test]
    fn processes_of_one_name_are_one_program() {
        let (idle, start) = ("0 0 0 10 0 0 0 0 0 0", "0 0 0 0 0 0 0 0 0 0");
        let at = |user| [(7, stat("cc1", user, 3)), (8, stat("cc1", user, 3)), (9, stat("sh", 0, 3))];
        let sample =
            snapshot(start, start, &at(0)).until(&snapshot(idle, idle, &at(4)), &cpus(0..2)).unwrap();
        assert_eq!(sample.programs, [Program { name: "cc1".to_owned(), processes: 2, part: 0.8 }]);
    }

    #[test]
    fn a_program_counts_on_the_cpus_that_its_threads_ran_on() {
        let thread =
            |user: u64, cpu: u32| format!("{} {}{cpu} 0 0", stat("worker", user, 3), "0 ".repeat(14));
        let snapshot = |ticks: u64| {
            let idle = format!("cpu0 0 0 0 {ticks} 0 0 0 0\ncpu1 {ticks} 0 0 0 0 0 0 0");
            let host = Fixture::new().file("/proc/stat", &idle).file("/proc/7/stat", &stat("cc1", 0, 3));
            let host = host.file("/proc/7/task/7/stat", &thread(0, 0));
            Snapshot::take(&host.file("/proc/7/task/8/stat", &thread(ticks, 1)).root()).unwrap()
        };
        let (before, after) = (snapshot(0), snapshot(10));
        assert_eq!(before.until(&after, &cpus(0..1)).unwrap().programs, []);
        let found = before.until(&after, &cpus(1..2)).unwrap();
        assert_eq!(found.programs, [Program { name: "cc1".to_owned(), processes: 1, part: 1.0 }]);
    }

    #[test]
    fn a_reused_process_id_is_another_process() {
        let idle = "0 0 0 10 0 0 0 0 0 0";
        let before = snapshot("0 0 0 0 0 0 0 0", idle, &[(7, stat("old", 90, 3))]);
        let after = snapshot(idle, idle, &[(7, stat("new", 1, 400))]);
        assert_eq!(before.until(&after, &cpus(0..1)).unwrap().programs[0].part, 0.6);
    }

    #[test]
    fn skips_malformed_entries_and_counters_that_do_not_move() {
        let before =
            snapshot("0 0 0 x", "0 0 0 9 0 0 0 0", &[(7, "7 (a".to_owned()), (8, "8 (b) R 1".to_owned())]);
        assert_eq!(before.until(&before, &cpus(0..2)), None);
        assert!(before.tasks.is_empty() && before.cpus.len() == 1);
        assert!(Snapshot::take(&Fixture::new().root()).is_none());
    }
}
