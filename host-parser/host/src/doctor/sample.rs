//! What the CPUs did and for whom, between two snapshots of /proc.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::Root;
use crate::proc_stat::{self, CpuTimes};

/// /proc/stat and the tasks' stat at one moment. Times are in the kernel's ticks since it booted.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    cpus: BTreeMap<usize, CpuTimes>,
    /// By number and start, since numbers are used again.
    tasks: BTreeMap<(u32, u64), Task>,
}

#[derive(Clone, Debug, PartialEq)]
struct Task {
    process: u32,
    /// The process's: what a program calls its threads says little.
    name: String,
    ticks: u64,
    /// Where it ran last.
    cpu: Option<usize>,
}

/// What happened between two snapshots.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// How many CPUs' worth was busy, of the CPUs asked about.
    pub busy_cpus: f64,
    /// The part of their time that was stolen.
    pub steal: f64,
    /// What ran on them, by the CPU on which each task ran last; the greediest first.
    pub programs: Vec<Program>,
}

/// All processes of one name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Program {
    /// The name.
    pub name: String,
    /// How many of them ran at all.
    pub processes: usize,
    /// How much of one CPU's time they used together.
    pub part: f64,
}

impl Snapshot {
    /// Looks now. This process is left out, and what has ended meanwhile is no task.
    pub fn take(root: &Root) -> Option<Self> {
        let cpus = proc_stat::parse(&root.text("/proc/stat")?);
        let own = std::process::id();
        let numbers = root.names("/proc").into_iter().filter_map(|name| name.parse::<u32>().ok());
        let tasks = numbers.filter(|pid| *pid != own).flat_map(|pid| tasks(root, pid));
        Some(Self { cpus, tasks: tasks.collect() })
    }

    /// What happened on `cpus` from `self` to `later`; `None` where no time went by.
    pub fn until(&self, later: &Self, cpus: &BTreeSet<usize>) -> Option<Sample> {
        let spent = |cpu: usize| {
            let (before, after) = (self.cpus.get(&cpu)?, later.cpus.get(&cpu)?);
            Some(after.since(before))
        };
        let spent: Vec<CpuTimes> = cpus.iter().copied().filter_map(spent).filter(|t| t.total > 0).collect();
        let elapsed = spent.iter().map(|times| times.total).max()?;
        let mut programs: BTreeMap<&str, (BTreeSet<u32>, u64)> = BTreeMap::new();
        let here = |task: &Task| task.cpu.is_none_or(|cpu| cpus.contains(&cpu));
        for (key, task) in later.tasks.iter().filter(|(_, task)| here(task)) {
            // A task that was not there before has used all of its time since.
            let before = self.tasks.get(key).map_or(0, |task| task.ticks);
            let ticks = task.ticks.saturating_sub(before);
            if ticks > 0 {
                let (processes, sum) = programs.entry(&task.name).or_default();
                processes.insert(task.process);
                *sum += ticks;
            }
        }
        let program = |(name, (processes, ticks)): (&str, (BTreeSet<u32>, u64))| Program {
            name: name.to_owned(),
            processes: processes.len(),
            part: part(ticks, elapsed),
        };
        let mut programs: Vec<Program> = programs.into_iter().map(program).collect();
        programs.sort_by(|one, other| other.part.total_cmp(&one.part));
        Some(Sample {
            busy_cpus: spent.iter().map(|times| part(times.busy, times.total)).sum(),
            steal: part(spent.iter().map(|t| t.steal).sum(), spent.iter().map(|t| t.total).sum()),
            programs,
        })
    }

    /// The part of the time of `cpus` that was stolen since the host booted.
    pub fn steal_since_boot(&self, cpus: &BTreeSet<usize>) -> f64 {
        let empty = Self {
            cpus: self.cpus.keys().map(|cpu| (*cpu, CpuTimes::default())).collect(),
            ..Self::default()
        };
        empty.until(self, cpus).map_or(0.0, |sample| sample.steal)
    }
}

/// The threads of a process; the process as one where they cannot be listed.
fn tasks(root: &Root, process: u32) -> Vec<((u32, u64), Task)> {
    let at = format!("/proc/{process}");
    let Some(whole) = root.text(&format!("{at}/stat")).as_deref().and_then(parse_stat) else {
        return Vec::new();
    };
    let named = |tid: u32, stat: Stat| {
        let name = whole.name.clone();
        ((tid, stat.start), Task { process, name, ticks: stat.ticks, cpu: stat.cpu })
    };
    let numbers = root.names(&format!("{at}/task")).into_iter().filter_map(|name| name.parse::<u32>().ok());
    let thread = |tid: u32| Some(named(tid, parse_stat(&root.text(&format!("{at}/task/{tid}/stat"))?)?));
    let threads: Vec<_> = numbers.filter_map(thread).collect();
    if threads.is_empty() { vec![named(process, whole.clone())] } else { threads }
}

/// What is of use in a stat file.
#[derive(Clone, Debug)]
struct Stat {
    name: String,
    start: u64,
    ticks: u64,
    cpu: Option<usize>,
}

/// Its name, user and system time, when it started, and where it ran last: fields 2, 14, 15, 22 and 39 of proc(5). A
/// name can have spaces and brackets in it.
fn parse_stat(stat: &str) -> Option<Stat> {
    let (name, fields) = stat.split_once('(')?.1.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    // Field 3 is the first after the name.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let name = name.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let ticks = field(14)?.saturating_add(field(15)?);
    let cpu = field(39).and_then(|cpu| usize::try_from(cpu).ok());
    Some(Stat { name, start: field(22)?, ticks, cpu })
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

    fn look(cpu0: &str, cpu1: &str, processes: &[(u32, String)]) -> Snapshot {
        let host = Fixture::new().file("/proc/stat", &format!("cpu  1 1\ncpu0 {cpu0}\ncpu1 {cpu1}\nintr 7"));
        let host = host.file("/proc/self/stat", "no number, no process");
        let host =
            processes.iter().fold(host, |host, (pid, stat)| host.file(&format!("/proc/{pid}/stat"), stat));
        Snapshot::take(&host.root()).unwrap()
    }

    #[test]
    fn a_busy_cpu_and_who_keeps_it_busy_are_seen() {
        let before = look("100 0 0 100 0 0 0 0 0 0", "0 0 0 500 0 0 0 0 0 0", &[(7, stat("cc1 (x)", 10, 3))]);
        let after = look("150 0 0 100 0 0 0 0 50 0", "5 0 0 545 0 0 0 0 0 0", &[(7, stat("cc1 (x)", 60, 3))]);
        let sample = before.until(&after, &cpus(0..2)).unwrap();
        assert!((sample.busy_cpus - 1.1).abs() < 1e-9, "{sample:?}");
        assert_eq!(sample.programs, [Program { name: "cc1 (x)".to_owned(), processes: 1, part: 1.0 }]);
        assert!(before.until(&after, &cpus(1..2)).unwrap().busy_cpus < 0.2);
    }

    #[test]
    fn stolen_time_is_neither_busy_nor_idle() {
        let before = look("0 0 0 0 0 0 0 0 0 0", "0 0 0 0 0 0 0 0 0 0", &[]);
        let after = look("0 0 0 30 0 0 0 20 0 0", "0 0 0 50 0 0 0 0 0 0", &[]);
        let sample = before.until(&after, &cpus(0..2)).unwrap();
        assert!((sample.steal - 0.2).abs() < 1e-9 && sample.busy_cpus == 0.0, "{sample:?}");
        assert!((after.steal_since_boot(&cpus(0..1)) - 0.4).abs() < 1e-9);
    }

    #[test]
    fn processes_of_one_name_are_one_program() {
        let (idle, start) = ("0 0 0 10 0 0 0 0 0 0", "0 0 0 0 0 0 0 0 0 0");
        let at = |user| [(7, stat("cc1", user, 3)), (8, stat("cc1", user, 3)), (9, stat("sh", 0, 3))];
        let sample = look(start, start, &at(0)).until(&look(idle, idle, &at(4)), &cpus(0..2)).unwrap();
        assert_eq!(sample.programs, [Program { name: "cc1".to_owned(), processes: 2, part: 0.8 }]);
    }

    #[test]
    fn a_program_is_named_for_the_cpus_that_its_threads_ran_on() {
        let thread =
            |user: u64, cpu: u32| format!("{} {}{cpu} 0 0", stat("worker", user, 3), "0 ".repeat(14));
        let look = |ticks: u64| {
            let idle = format!("cpu0 0 0 0 {ticks} 0 0 0 0\ncpu1 {ticks} 0 0 0 0 0 0 0");
            let host = Fixture::new().file("/proc/stat", &idle).file("/proc/7/stat", &stat("cc1", 0, 3));
            let host = host.file("/proc/7/task/7/stat", &thread(0, 0));
            Snapshot::take(&host.file("/proc/7/task/8/stat", &thread(ticks, 1)).root()).unwrap()
        };
        let (before, after) = (look(0), look(10));
        assert_eq!(before.until(&after, &cpus(0..1)).unwrap().programs, []);
        let found = before.until(&after, &cpus(1..2)).unwrap();
        assert_eq!(found.programs, [Program { name: "cc1".to_owned(), processes: 1, part: 1.0 }]);
    }

    #[test]
    fn a_number_used_again_is_another_process() {
        let idle = "0 0 0 10 0 0 0 0 0 0";
        let before = look("0 0 0 0 0 0 0 0", idle, &[(7, stat("old", 90, 3))]);
        let after = look(idle, idle, &[(7, stat("new", 1, 400))]);
        assert_eq!(before.until(&after, &cpus(0..1)).unwrap().programs[0].part, 0.6);
    }

    #[test]
    fn what_is_malformed_or_stands_still_is_left_out() {
        let before =
            look("0 0 0 x", "0 0 0 9 0 0 0 0", &[(7, "7 (a".to_owned()), (8, "8 (b) R 1".to_owned())]);
        assert_eq!(before.until(&before, &cpus(0..2)), None);
        assert!(before.tasks.is_empty() && before.cpus.len() == 1);
        assert!(Snapshot::take(&Fixture::new().root()).is_none());
    }
}
