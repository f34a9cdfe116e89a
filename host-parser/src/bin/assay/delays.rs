//! The host's scheduler, watched while a guest measures: each vCPU's thread from an iteration's `case-ready` to its
//! `case-begin`.

use std::time::Instant;

use abi::wire::Record;
use host_parser::gate::VcpuDelay;
use qemu::{SchedStat, VcpuThread};

/// What was seen so far.
#[derive(Default)]
pub struct Delays {
    open: Option<Open>,
    seen: Vec<VcpuDelay>,
}

/// An iteration that is being measured.
struct Open {
    since: Instant,
    before: Vec<Option<SchedStat>>,
}

impl Delays {
    /// The guest printed a record.
    pub fn on_record(&mut self, record: &Record, vcpus: &[VcpuThread]) {
        match record {
            Record::CaseReady(_) => {
                let before = vcpus.iter().map(|vcpu| vcpu.sched_stat().ok()).collect();
                self.open = Some(Open { since: Instant::now(), before });
            }
            Record::CaseBegin(begin) => {
                let Some(open) = self.open.take() else { return };
                let wall_ns = u64::try_from(open.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
                let delays = vcpus.iter().zip(open.before).filter_map(|(vcpu, before)| {
                    // A guest that is gone by now took its account with it.
                    let (before, after) = (before?, vcpu.sched_stat().ok()?);
                    Some(VcpuDelay {
                        case: begin.case,
                        iteration: begin.iter,
                        vcpu: vcpu.cpu_index,
                        wall_ns,
                        run_ns: after.run_ns.saturating_sub(before.run_ns),
                        delay_ns: after.run_delay_ns.saturating_sub(before.run_delay_ns),
                        involuntary_switches: after
                            .involuntary_switches
                            .saturating_sub(before.involuntary_switches),
                    })
                });
                self.seen.extend(delays);
            }
            _ => {}
        }
    }

    /// All that was seen.
    pub fn into_seen(self) -> Vec<VcpuDelay> {
        self.seen
    }
}
