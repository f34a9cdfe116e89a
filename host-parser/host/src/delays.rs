//! The host's scheduler, watched while a guest measures: each vCPU's thread from an iteration's `case-ready` to its
//! `case-begin`, or to the guest's end.

use std::time::Instant;

use abi::wire::Record;

use crate::{Root, SchedStat, VcpuThread};

/// What the scheduler did to one vCPU while one iteration measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ThreadDelay {
    /// The case.
    pub case: u16,
    /// Its iteration.
    pub iteration: u16,
    /// QEMU's index of the CPU.
    pub vcpu: u32,
    /// The length of the account, in ns.
    pub wall_ns: u64,
    /// Time on a CPU in it, in ns.
    pub run_ns: u64,
    /// Time in it that it was runnable and kept waiting, in ns.
    pub delay_ns: u64,
    /// Times in it that its CPU was taken from it.
    pub involuntary_switches: u64,
}

/// What was seen so far.
pub struct DelayAccount {
    root: Root,
    open: Option<Open>,
    seen: Vec<ThreadDelay>,
}

/// An iteration that is being measured.
struct Open {
    case: u16,
    iteration: u16,
    since: Instant,
    before: Vec<Option<SchedStat>>,
}

impl DelayAccount {
    /// Nothing yet, of threads on the host below `root`.
    #[must_use]
    pub fn of(root: &Root) -> Self {
        Self { root: root.clone(), open: None, seen: Vec::new() }
    }

    /// The guest printed a record.
    pub fn on_record(&mut self, record: &Record, vcpus: &[VcpuThread]) {
        match record {
            Record::CaseReady(ready) => {
                let before = vcpus.iter().map(|vcpu| read(&self.root, vcpu)).collect();
                let (case, iteration) = (ready.case, ready.iter);
                self.open = Some(Open { case, iteration, since: Instant::now(), before });
            }
            Record::CaseBegin(begin) => {
                // One of an iteration that was not ready has no account.
                let ready = self.open.take();
                self.open = ready.filter(|open| (open.case, open.iteration) == (begin.case, begin.iter));
                self.close(vcpus);
            }
            _ => {}
        }
    }

    /// Closes the account of the iteration at hand, if there is one: its workers are done, or the guest is about to be
    /// ended in the middle of it.
    pub fn close(&mut self, vcpus: &[VcpuThread]) {
        let Some(Open { case, iteration, since, before }) = self.open.take() else { return };
        let wall_ns = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let delays = vcpus.iter().zip(before).filter_map(|(vcpu, before)| {
            // A guest that is gone by now took its account with it.
            let (before, after) = (before?, read(&self.root, vcpu)?);
            Some(ThreadDelay {
                case,
                iteration,
                vcpu: vcpu.cpu_index,
                wall_ns,
                run_ns: after.run_ns.saturating_sub(before.run_ns),
                delay_ns: after.run_delay_ns.saturating_sub(before.run_delay_ns),
                involuntary_switches: after.involuntary_switches.saturating_sub(before.involuntary_switches),
            })
        });
        self.seen.extend(delays);
    }

    /// All that was seen.
    #[must_use]
    pub fn into_seen(self) -> Vec<ThreadDelay> {
        self.seen
    }
}

/// A thread's account. `None` if it shows no run time: the guest has printed by now, so this kernel does not count.
fn read(root: &Root, vcpu: &VcpuThread) -> Option<SchedStat> {
    vcpu.sched_stat(root).filter(|stat| stat.run_ns > 0)
}

#[cfg(test)]
mod tests {
    use crate::CpuSet;
    use abi::wire::record::{CaseBegin, CaseReady};

    use super::*;

    /// This thread, as if it were a vCPU.
    fn vcpu() -> VcpuThread {
        let tid = rustix::thread::gettid().as_raw_nonzero().get();
        let pinned_to = CpuSet::allowed().unwrap();
        VcpuThread { cpu_index: 3, pid: std::process::id(), tid: tid.try_into().unwrap(), pinned_to }
    }

    fn ready(case: u16, iter: u16) -> Record {
        CaseReady { case, iter }.into()
    }

    #[test]
    fn accounts_for_an_iteration_that_begins_and_for_one_that_is_cut_short() {
        let (mut delays, vcpus) = (DelayAccount::of(&Root::here()), [vcpu()]);
        // Linux counts what a thread did when it sleeps.
        std::thread::sleep(std::time::Duration::from_millis(2));
        let begin = CaseBegin { case: 2, iter: 0, start_tsc: 1 };
        delays.on_record(&ready(2, 0), &vcpus);
        delays.on_record(&begin.into(), &vcpus);
        delays.on_record(&ready(2, 1), &vcpus);
        delays.close(&vcpus);
        delays.close(&vcpus);
        let seen = delays.into_seen();
        let seen: Vec<_> = seen.iter().map(|delay| (delay.case, delay.iteration, delay.vcpu)).collect();
        assert_eq!(seen, [(2, 0, 3), (2, 1, 3)]);
    }

    #[test]
    fn has_no_account_of_an_iteration_that_was_not_ready() {
        let (mut delays, vcpus) = (DelayAccount::of(&Root::here()), [vcpu()]);
        let begin = Record::from(CaseBegin { case: 2, iter: 1, start_tsc: 1 });
        delays.on_record(&begin, &vcpus);
        delays.on_record(&ready(2, 0), &vcpus);
        delays.on_record(&begin, &vcpus);
        assert_eq!(delays.into_seen(), []);
    }
}
