//! Run delay: the scheduler's counters of each vCPU thread, read at an iteration's `case-ready` and at its `case-begin`,
//! or at the guest's end. The second reading is made when the first bytes of the line arrive: by then the guest has read
//! its clocks, and it may take long to print the rest.

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
    /// The reading at the beginning of the line that is being printed.
    line: Option<Reading>,
    seen: SeenDelays,
}

/// One reading, which takes a moment itself.
struct Reading {
    begun: Instant,
    ended: Instant,
    vcpus: Vec<Option<SchedStat>>,
    /// This thread's own run delay until then.
    reader: Option<u64>,
}

impl Reading {
    fn take(root: &Root, vcpus: &[VcpuThread]) -> Self {
        let begun = Instant::now();
        let (vcpus, reader) = (vcpus.iter().map(|vcpu| read(root, vcpu)).collect(), own_delay(root));
        Self { begun, ended: Instant::now(), vcpus, reader }
    }
}

/// The iteration that is running now.
struct Open {
    case: u16,
    iteration: u16,
    before: Reading,
}

impl DelayAccount {
    /// An empty collection for threads of the host below `root`.
    #[must_use]
    pub fn of(root: &Root) -> Self {
        Self { root: root.clone(), open: None, line: None, seen: SeenDelays::default() }
    }

    /// Takes the beginning of a line, which may become the `case-begin` of the running iteration.
    pub fn on_line_begin(&mut self, vcpus: &[VcpuThread]) {
        self.line = self.open.is_some().then(|| Reading::take(&self.root, vcpus));
    }

    /// Takes a line that is no record.
    pub fn on_other_line(&mut self) {
        self.line = None;
    }

    /// Takes a record that the guest printed.
    pub fn on_record(&mut self, record: &Record, vcpus: &[VcpuThread]) {
        let line = self.line.take();
        match record {
            Record::CaseReady(ready) => {
                let before = Reading::take(&self.root, vcpus);
                self.open = Some(Open { case: ready.case, iteration: ready.iter, before });
            }
            Record::CaseBegin(begin) => {
                // An iteration without `case-ready` has no first reading.
                let ready = self.open.take();
                self.open = ready.filter(|open| (open.case, open.iteration) == (begin.case, begin.iter));
                self.close_by(line, vcpus);
            }
            _ => {}
        }
    }

    /// Takes the second reading of the running iteration, if there is one: its workers are done, or the guest is about to
    /// be ended.
    pub fn close(&mut self, vcpus: &[VcpuThread]) {
        self.close_by(None, vcpus);
    }

    /// As [`Self::close`], by a reading that was made before.
    fn close_by(&mut self, reading: Option<Reading>, vcpus: &[VcpuThread]) {
        let Some(Open { case, iteration, before }) = self.open.take() else { return };
        let after = reading.unwrap_or_else(|| Reading::take(&self.root, vcpus));
        let wall = after.begun.saturating_duration_since(before.ended);
        let wall_ns = u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX);
        if let Some((before, after)) = before.reader.zip(after.reader) {
            let delay_ns = after.saturating_sub(before);
            self.seen.reader.push(ReaderDelay { case, iteration, delay_ns });
        }
        for (vcpu, (before, after)) in vcpus.iter().zip(before.vcpus.into_iter().zip(after.vcpus)) {
            // The counters of a guest that has ended are gone.
            let Some((before, after)) = before.zip(after) else { continue };
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
    use abi::wire::record::{CaseBegin, CaseReady, Seconds};

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
    fn ends_when_the_line_of_case_begin_begins_and_not_when_it_is_printed() {
        const PRINTING: std::time::Duration = std::time::Duration::from_millis(400);
        let (begin, vcpus) = (Record::from(CaseBegin { case: 2, iter: 0, start_tsc: 1 }), [vcpu()]);
        let wall = |lines: &dyn Fn(&mut DelayAccount)| {
            let mut delays = DelayAccount::of(&Root::here());
            std::thread::sleep(std::time::Duration::from_millis(2));
            delays.on_line_begin(&vcpus);
            delays.on_record(&ready(2, 0), &vcpus);
            let since = Instant::now();
            lines(&mut delays);
            delays.on_record(&begin, &vcpus);
            let seen = delays.into_seen();
            (std::time::Duration::from_nanos(seen.vcpus[0].wall_ns), since.elapsed())
        };
        let (ended, all) = wall(&|delays| {
            delays.on_line_begin(&vcpus);
            std::thread::sleep(PRINTING);
        });
        assert!(ended + PRINTING <= all, "{ended:?} of {all:?}");
        // The beginning of another line does not end it.
        let of_record = Record::from(Seconds { tsc: 1, count: 1 });
        for other in [None, Some(of_record)] {
            let (ended, _) = wall(&|delays| {
                delays.on_line_begin(&vcpus);
                std::thread::sleep(PRINTING);
                match &other {
                    Some(record) => delays.on_record(record, &vcpus),
                    None => delays.on_other_line(),
                }
            });
            assert!(ended >= PRINTING, "{ended:?}");
        }
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
