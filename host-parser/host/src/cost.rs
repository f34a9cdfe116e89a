//! A run's cost beside its workers: when its records arrive, and how much memory its program uses.

use abi::wire::Record;

use crate::{Root, proc_fields};

/// A run's cost beside its workers. `None` is unknown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RunCost {
    /// From the program's start to the first `case-ready`, in microseconds.
    pub first_worker_us: Option<u64>,
    /// From the program's start to the record `end`, in microseconds.
    pub end_record_us: Option<u64>,
    /// The program's peak resident memory, in bytes.
    pub peak_rss_bytes: Option<u64>,
}

/// Collects the cost of one run.
pub struct CostAccount {
    root: Root,
    pid: Option<u32>,
    seen: RunCost,
}

impl CostAccount {
    /// An empty collection for a program on the host below `root`.
    #[must_use]
    pub fn of(root: &Root) -> Self {
        Self { root: root.clone(), pid: None, seen: RunCost::default() }
    }

    /// Sets the program whose memory is read.
    pub fn of_process(&mut self, pid: u32) {
        self.pid = Some(pid);
    }

    /// Takes a record that arrived `at_us` microseconds after the program's start.
    pub fn on_record(&mut self, record: &Record, at_us: u64) {
        match record {
            Record::CaseReady(_) => {
                self.seen.first_worker_us.get_or_insert(at_us);
            }
            Record::CaseBegin(_) => self.read_peak(),
            Record::End(_) => {
                self.seen.end_record_us.get_or_insert(at_us);
                self.read_peak();
            }
            _ => {}
        }
    }

    /// Reads the peak memory: after each iteration and at the end, because the status file is gone once the program has
    /// ended.
    fn read_peak(&mut self) {
        let peak = self.pid.and_then(|pid| peak_rss_bytes(&self.root, pid));
        self.seen.peak_rss_bytes = peak.or(self.seen.peak_rss_bytes);
    }

    /// The cost of the run.
    #[must_use]
    pub fn into_seen(self) -> RunCost {
        self.seen
    }
}

/// The peak resident set of a process, proc_pid_status(5).
fn peak_rss_bytes(root: &Root, pid: u32) -> Option<u64> {
    proc_fields::bytes(&root.text(&format!("/proc/{pid}/status"))?, "VmHWM")
}

#[cfg(test)]
mod tests {
    use abi::wire::record::{CaseReady, End, RunStatus};

    use super::*;

    #[test]
    fn keeps_the_first_of_each_and_the_peak_of_a_live_process() {
        let mut cost = CostAccount::of(&Root::here());
        cost.of_process(std::process::id());
        for (at_us, iter) in [(7, 0), (8, 1)] {
            cost.on_record(&CaseReady { case: 1, iter }.into(), at_us);
        }
        let end = End { records: 3, status: RunStatus::Ok, digest: abi::Digest::of(b"") };
        cost.on_record(&end.into(), 9);
        let seen = cost.into_seen();
        assert_eq!((seen.first_worker_us, seen.end_record_us), (Some(7), Some(9)));
        assert!(seen.peak_rss_bytes.is_some_and(|bytes| bytes > 1 << 20), "{seen:?}");
    }
}
