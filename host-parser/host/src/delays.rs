//! Run delay: the scheduler's counters of each vCPU thread, read at an iteration's `case-ready` and at its `case-begin`,
//! or at the guest's end.

use std::time::Instant;

use abi::wire::Record;

use crate::{Root, SchedStat, VcpuThread};

/// One vCPU thread's scheduling during one iteration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ThreadDelay {
    /// The case.
    pub case: u16,
    /// Its iteration.
    pub iteration: u16,
    /// QEMU's index of the CPU.
    pub vcpu: u32,
    /// Time between the two readings, in ns.
    pub wall_ns: u64,
    /// Time on a CPU, in ns.
    pub run_ns: u64,
    /// Time runnable without a CPU, in ns.
    pub delay_ns: u64,
    /// Times its CPU was taken from it.
    pub involuntary_switches: u64,
}

/// How long the thread that collects run delays waited for a CPU itself during one iteration: as late may be its readings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReaderDelay {
    /// The case.
    pub case: u16,
    /// Its iteration.
    pub iteration: u16,
    /// Time runnable without a CPU, in ns.
    pub delay_ns: u64,
}

/// All that was seen of a guest's iterations.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SeenDelays {
    /// One for each vCPU thread and iteration.
    pub vcpus: Vec<ThreadDelay>,
    /// One for each iteration, if the host counts it.
    pub reader: Vec<ReaderDelay>,
}

/// Collects the run delays of a guest.
pub struct DelayAccount {
    root: Root,
    open: Option<Open>,
    seen: SeenDelays,
}

/// The iteration that is running now.
struct Open {
    case: u16,
    iteration: u16,
    since: Instant,
    before: Vec<Option<SchedStat>>,
    /// This thread's own run delay until then.
    reader: Option<u64>,
}

impl DelayAccount {
    /// An empty collection for threads of the host below `root`.
    #[must_use]
    pub fn of(root: &Root) -> Self {
        Self { root: root.clone(), open: None, seen: SeenDelays::default() }
    }

    /// Takes a record that the guest printed.
    pub fn on_record(&mut self, record: &Record, vcpus: &[VcpuThread]) {
        match record {
            Record::CaseReady(ready) => {
                let before = vcpus.iter().map(|vcpu| read(&self.root, vcpu)).collect();
                let (case, iteration, reader) = (ready.case, ready.iter, own_delay(&self.root));
                self.open = Some(Open { case, iteration, since: Instant::now(), before, reader });
            }
            Record::CaseBegin(begin) => {
                // An iteration without `case-ready` has no first reading.
                let ready = self.open.take();
                self.open = ready.filter(|open| (open.case, open.iteration) == (begin.case, begin.iter));
                self.close(vcpus);
            }
            _ => {}
        }
    }

    /// Takes the second reading of the running iteration, if there is one: its workers are done, or the guest is about to
    /// be ended.
    pub fn close(&mut self, vcpus: &[VcpuThread]) {
        let Some(Open { case, iteration, since, before, reader }) = self.open.take() else { return };
        let wall_ns = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if let Some((before, after)) = reader.zip(own_delay(&self.root)) {
            let delay_ns = after.saturating_sub(before);
            self.seen.reader.push(ReaderDelay { case, iteration, delay_ns });
        }
        for (vcpu, before) in vcpus.iter().zip(before) {
            // The counters of a guest that has ended are gone.
            let Some((before, after)) = before.zip(read(&self.root, vcpu)) else { continue };
            self.seen.vcpus.push(ThreadDelay {
                case,
                iteration,
                vcpu: vcpu.cpu_index,
                wall_ns,
                run_ns: after.run_ns.saturating_sub(before.run_ns),
                delay_ns: after.run_delay_ns.saturating_sub(before.run_delay_ns),
                involuntary_switches: after.involuntary_switches.saturating_sub(before.involuntary_switches),
            });
        }
    }

    /// The run delays of all iterations.
    #[must_use]
    pub fn into_seen(self) -> SeenDelays {
        self.seen
    }
}

/// A thread's counters. `None` if the run time is 0: the guest has printed by now, so this kernel does not count.
fn read(root: &Root, vcpu: &VcpuThread) -> Option<SchedStat> {
    vcpu.sched_stat(root).filter(|stat| stat.run_ns > 0)
}

/// This thread's own run delay so far, in ns; `None` on a kernel that does not count it.
fn own_delay(root: &Root) -> Option<u64> {
    root.text("/proc/thread-self/schedstat")?.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::CpuSet;
    use abi::wire::record::{CaseBegin, CaseReady};

    use super::*;

    /// This thread in the place of a vCPU's.
    fn vcpu() -> VcpuThread {
        let tid = rustix::thread::gettid().as_raw_nonzero().get();
        let pinned_to = CpuSet::allowed().unwrap();
        VcpuThread { cpu_index: 3, pid: std::process::id(), tid: tid.try_into().unwrap(), pinned_to }
    }

    fn ready(case: u16, iter: u16) -> Record {
        CaseReady { case, iter }.into()
    }

    #[test]
    fn covers_a_complete_iteration_and_one_that_is_cut_short() {
        let (mut delays, vcpus) = (DelayAccount::of(&Root::here()), [vcpu()]);
        // Linux updates a thread's counters when the thread sleeps.
        std::thread::sleep(std::time::Duration::from_millis(2));
        let begin = CaseBegin { case: 2, iter: 0, start_tsc: 1 };
        delays.on_record(&ready(2, 0), &vcpus);
        delays.on_record(&begin.into(), &vcpus);
        delays.on_record(&ready(2, 1), &vcpus);
        delays.close(&vcpus);
        delays.close(&vcpus);
        let SeenDelays { vcpus, reader } = delays.into_seen();
        let of_vcpus: Vec<_> = vcpus.iter().map(|delay| (delay.case, delay.iteration, delay.vcpu)).collect();
        assert_eq!(of_vcpus, [(2, 0, 3), (2, 1, 3)]);
        let of_reader: Vec<_> = reader.iter().map(|delay| (delay.case, delay.iteration)).collect();
        assert_eq!(of_reader, [(2, 0), (2, 1)]);
        assert!(reader[0].delay_ns <= vcpus[0].wall_ns, "{reader:?} {vcpus:?}");
    }

    #[test]
    fn has_no_delay_of_an_iteration_without_case_ready() {
        let (mut delays, vcpus) = (DelayAccount::of(&Root::here()), [vcpu()]);
        let begin = Record::from(CaseBegin { case: 2, iter: 1, start_tsc: 1 });
        delays.on_record(&begin, &vcpus);
        delays.on_record(&ready(2, 0), &vcpus);
        delays.on_record(&begin, &vcpus);
        assert_eq!(delays.into_seen(), SeenDelays::default());
    }
}
