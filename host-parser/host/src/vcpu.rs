//! The host threads that execute the guest's CPUs: their affinity, and their scheduler counters.

use std::collections::BTreeSet;
use std::io;

use rustix::io::Errno;
use rustix::process::Pid;
use rustix::thread::sched_setaffinity;
use serde::Serialize;

use crate::{CpuSet, Root, proc_fields};

/// A vCPU and the host thread that executes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VcpuThread {
    /// The VMM's index of the CPU, from 0.
    pub cpu_index: u32,
    /// The VMM's process id.
    pub pid: u32,
    /// The thread's id on the host. Under `-icount` all vCPUs share one.
    pub tid: u32,
    /// The host CPUs it may run on, read back from the kernel.
    pub pinned_to: CpuSet,
}

/// The scheduler's counters of a thread since it began. Use differences of two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SchedStat {
    /// Time on a CPU, in ns.
    pub run_ns: u64,
    /// Time runnable without a CPU, in ns: run delay.
    pub run_delay_ns: u64,
    /// Times it gave up its CPU by itself.
    pub voluntary_switches: u64,
    /// Times its CPU was taken from it.
    pub involuntary_switches: u64,
}

impl VcpuThread {
    /// Reads the thread's scheduler counters. `None` once the VMM has ended, and on a kernel without CONFIG_SCHED_INFO.
    #[must_use]
    pub fn sched_stat(&self, root: &Root) -> Option<SchedStat> {
        let task = format!("/proc/{}/task/{}", self.pid, self.tid);
        SchedStat::parse(&root.text(&format!("{task}/schedstat"))?, &root.text(&format!("{task}/status"))?)
    }
}

impl SchedStat {
    /// Reads a thread's files. `schedstat` is `run-ns delay-ns slices`: Documentation/scheduler/sched-stats.rst in Linux.
    /// The switches are in `status`, proc_pid_status(5).
    #[must_use]
    pub fn parse(schedstat: &str, status: &str) -> Option<Self> {
        let mut times = schedstat.split_ascii_whitespace().map(str::parse);
        Some(Self {
            run_ns: times.next()?.ok()?,
            run_delay_ns: times.next()?.ok()?,
            voluntary_switches: proc_fields::number(status, "voluntary_ctxt_switches")?,
            involuntary_switches: proc_fields::number(status, "nonvoluntary_ctxt_switches")?,
        })
    }
}

/// A thread that could not be pinned.
#[derive(Debug, thiserror::Error)]
#[error("thread {tid}: cannot pin to host CPUs {cpus}: {source}")]
pub struct PinError {
    /// The thread's id on the host.
    pub tid: u32,
    /// The set asked for.
    pub cpus: CpuSet,
    /// The system's error.
    pub source: io::Error,
}

/// Pins all of the VMM to `cpus`, then each vCPU thread to one CPU if there are enough CPUs. `spread` gives the order: all of
/// `cpus`, one of each core first.
///
/// All vCPU threads must exist; threads that it starts later inherit the set. `pid` may be a program that started the VMM,
/// such as a shell script, and waits for it.
///
/// # Errors
/// A thread that could not be pinned.
pub fn pin(pid: u32, threads: &[(u32, u32)], cpus: &CpuSet, spread: &[usize]) -> Result<(), PinError> {
    pin_process(pid, cpus)?;
    let owners: BTreeSet<u32> = threads.iter().filter_map(|&(_, tid)| owner(tid)).collect();
    for owner in owners.into_iter().filter(|&owner| owner != pid) {
        pin_process(owner, cpus)?;
    }
    for (tid, cpu) in places(threads, spread) {
        set_affinity(tid, &CpuSet::single(cpu))?;
    }
    Ok(())
}

/// A CPU for each thread, in order; empty if there are fewer CPUs than threads.
fn places(threads: &[(u32, u32)], spread: &[usize]) -> Vec<(u32, usize)> {
    // One thread may serve several vCPUs.
    let mut seen = BTreeSet::new();
    let tids: Vec<u32> = threads.iter().map(|(_, tid)| *tid).filter(|tid| seen.insert(*tid)).collect();
    if spread.len() < tids.len() {
        return Vec::new();
    }
    tids.into_iter().zip(spread.iter().copied()).collect()
}

/// Reads each vCPU thread's affinity from the kernel.
///
/// # Errors
/// The system's error, for example that the thread does not exist.
pub fn read_back(pid: u32, threads: &[(u32, u32)]) -> io::Result<Vec<VcpuThread>> {
    threads.iter().map(|&(cpu_index, tid)| read_back_one(cpu_index, pid, tid)).collect()
}

fn read_back_one(cpu_index: u32, pid: u32, tid: u32) -> io::Result<VcpuThread> {
    let pid = owner(tid).unwrap_or(pid);
    Ok(VcpuThread { cpu_index, pid, tid, pinned_to: CpuSet::of_thread(tid)? })
}

/// The process that a thread is of; `None` if the thread has ended.
fn owner(tid: u32) -> Option<u32> {
    let status = Root::here().text(&format!("/proc/{tid}/status"))?;
    u32::try_from(proc_fields::number(&status, "Tgid")?).ok()
}

/// Pins every thread of the process. A thread that was started by one not yet pinned has the old set, so this repeats
/// until a pass finds none.
fn pin_process(pid: u32, cpus: &CpuSet) -> Result<(), PinError> {
    const PASSES: usize = 16;
    for _ in 0..PASSES {
        let mut moved = false;
        for tid in task_ids(pid).map_err(|source| pin_error(pid, cpus, source))? {
            if CpuSet::of_thread(tid).is_ok_and(|current| current != *cpus) {
                set_affinity(tid, cpus)?;
                moved = true;
            }
        }
        if !moved {
            return Ok(());
        }
    }
    Err(pin_error(pid, cpus, io::Error::other("new threads kept appearing")))
}

fn task_ids(pid: u32) -> io::Result<Vec<u32>> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/task"))?;
    entries.map(|entry| task_id(&entry?)).collect()
}

fn task_id(entry: &std::fs::DirEntry) -> io::Result<u32> {
    let name = entry.file_name();
    name.to_string_lossy().parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
}

fn set_affinity(tid: u32, cpus: &CpuSet) -> Result<(), PinError> {
    let thread = linux_pid(tid).map_err(|source| pin_error(tid, cpus, source))?;
    match sched_setaffinity(Some(thread), &cpus.to_mask()) {
        // A thread that has ended needs no pinning.
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(errno) => Err(pin_error(tid, cpus, errno.into())),
    }
}

fn pin_error(tid: u32, cpus: &CpuSet, source: io::Error) -> PinError {
    PinError { tid, cpus: cpus.clone(), source }
}

/// Checks a thread id that a VMM reported: 0 or a number out of range would name this process or a process group.
fn linux_pid(tid: u32) -> io::Result<Pid> {
    i32::try_from(tid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("{tid} is not a thread id")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_run_delay_and_switches() {
        let status = "Name:\tqemu\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t3\n";
        let expected =
            SchedStat { run_ns: 100, run_delay_ns: 20, voluntary_switches: 7, involuntary_switches: 3 };
        assert_eq!(SchedStat::parse("100 20 9\n", status), Some(expected));
    }

    #[test]
    fn refuses_schedstat_of_another_form() {
        assert_eq!(SchedStat::parse("100", "voluntary_ctxt_switches: 7\n"), None);
        assert_eq!(SchedStat::parse("", ""), None);
    }

    #[test]
    fn two_vcpus_get_two_cores_if_siblings_are_numbered_side_by_side() {
        // Siblings 0,1 and 2,3: a numeric order would put both on one core.
        let spread = [0, 2, 1, 3];
        assert_eq!(places(&[(0, 100), (1, 101)], &spread), [(100, 0), (101, 2)]);
        let five: Vec<(u32, u32)> = (0..5).map(|index| (index, 100 + index)).collect();
        assert_eq!(places(&five[..4], &spread), [(100, 0), (101, 2), (102, 1), (103, 3)]);
        assert_eq!(places(&five, &spread), []);
        assert_eq!(places(&[(0, 100), (1, 100), (2, 101)], &spread), [(100, 0), (101, 2)]);
    }

    #[test]
    fn a_thread_belongs_to_its_process_and_not_to_the_parent() {
        let tid = std::thread::spawn(|| {
            let tid = rustix::thread::gettid().as_raw_nonzero().get();
            owner(u32::try_from(tid).unwrap())
        });
        assert_eq!(tid.join().unwrap(), Some(std::process::id()));
        assert_eq!(owner(0), None);
        // The child of a shell that waits for it.
        let mut shell = std::process::Command::new("sh")
            .args(["-c", "sleep 100 & echo $!; wait"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        io::BufRead::read_line(&mut io::BufReader::new(shell.stdout.take().unwrap()), &mut line).unwrap();
        let child: u32 = line.trim().parse().unwrap();
        let read = read_back(shell.id(), &[(0, child)]).unwrap();
        assert_eq!(read[0].pid, child);
        let one = CpuSet::single(CpuSet::allowed().unwrap().iter().next().unwrap());
        pin(shell.id(), &[(0, child)], &one, &[]).unwrap();
        assert_eq!(CpuSet::of_thread(child).unwrap(), one);
        let ended = rustix::process::kill_process(
            Pid::from_raw(i32::try_from(child).unwrap()).unwrap(),
            rustix::process::Signal::KILL,
        );
        ended.unwrap();
        shell.wait().unwrap();
    }

    #[test]
    fn refuses_ids_that_are_not_a_thread() {
        assert!(linux_pid(0).is_err());
        assert!(linux_pid(u32::MAX).is_err());
    }
}
