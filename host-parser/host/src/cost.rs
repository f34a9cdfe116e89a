//! What a run takes beside its workers: when its records arrive, and how much memory its program has.

use abi::wire::Record;

use crate::Root;

/// What a run took beside its workers. What is not known is `None`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RunCost {
    /// From the program's start to the first worker that was ready, in microseconds.
    pub first_worker_us: Option<u64>,
    /// From there to the record `end`, in microseconds.
    pub end_record_us: Option<u64>,
    /// The most memory that the program had, in bytes.
    pub peak_rss_bytes: Option<u64>,
}

/// What was seen so far.
pub struct CostAccount {
    root: Root,
    pid: Option<u32>,
    seen: RunCost,
}

impl CostAccount {
    /// Nothing yet, of a program on the host below `root`.
    #[must_use]
    pub fn of(root: &Root) -> Self {
        Self { root: root.clone(), pid: None, seen: RunCost::default() }
    }

    /// Sets the program whose memory is read.
    pub fn of_process(&mut self, pid: u32) {
        self.pid = Some(pid);
    }

    /// A record arrived, so many microseconds after the program's start.
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

    /// The peak is read when a worker is done and again at the end: a program that is gone by then took its account
    /// with it.
    fn read_peak(&mut self) {
        let peak = self.pid.and_then(|pid| peak_rss_bytes(&self.root.text(&format!("/proc/{pid}/status"))?));
        self.seen.peak_rss_bytes = peak.or(self.seen.peak_rss_bytes);
    }

    /// All that was seen.
    #[must_use]
    pub fn into_seen(self) -> RunCost {
        self.seen
    }
}

/// `VmHWM:     31332 kB` (proc_pid_status(5): kB are 1024 bytes).
fn peak_rss_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
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

    #[test]
    fn reads_the_peak_in_bytes() {
        assert_eq!(
            peak_rss_bytes("VmPeak:\t  10 kB\nVmHWM:\t   31332 kB\nVmRSS:\t 1 kB\n"),
            Some(31332 * 1024)
        );
        for bad in ["", "VmHWM: x kB", "VmHWM: 5", "State: Z (zombie)"] {
            assert_eq!(peak_rss_bytes(bad), None, "{bad}");
        }
    }
}
