//! Sweeps: one boot runs every case that its machine has CPUs for. And sweeps that did not run as they had to.

use abi::wire::Record;
use abi::wire::record::{CaseSkipped, RunStatus, SkipReason};
use evidence::gate::ReasonCode;

use super::{Trial, good};
use test_support::guest::{CHALLENGE, Guest};
use test_support::script::Script;

/// The log of a sweep over four cores of two threads.
fn smt() -> Script {
    good(&Guest::sweeping(8, 2))
}

/// The sweep without any record of this case.
fn without(case: u16) -> Script {
    let split = move |record: &Record| matches!(record, Record::Split(split) if split.case == case);
    smt().without(|record| super::is_of_case(record, case)).without(split)
}

/// Gaps of some milliseconds, at any frequency, in this many iterations of the largest case.
fn disturbed(iterations: u16) -> Script {
    smt().edit(move |record| match record {
        Record::Gap(gap) if gap.case == 8 && gap.iter < iterations => gap.after += 8_400_000,
        _ => {}
    })
}

fn mismatch(name: &'static str, script: Script) -> Trial {
    Trial::new(name, ReasonCode::PlanMismatch, script.log())
}

pub fn trials() -> Vec<Trial> {
    // Worker 0 of case 2 takes ten candidates from worker 1: still a partition of the whole.
    let moved = smt().edit(|record| match record {
        Record::Split(split) if split.case == 2 => match split.worker {
            0 => split.p1 += 10,
            _ => split.p0 += 10,
        },
        _ => {}
    });
    // Each CPU reports a different core, so the case of 8 workers shows core scaling, and more cases were due.
    let other_cores = smt().edit(|record| match record {
        Record::Topology(topology) => {
            (topology.core, topology.thread) = (Some(u32::from(topology.cpu.0) * 2), Some(0));
        }
        Record::Sweep(sweep) => sweep.cores = 8,
        _ => {}
    });
    let boast = edit!(smt(), Sweep, |sweep| sweep.cores = 8);
    let seed = edit!(smt(), Sweep, |sweep| sweep.seed.0 ^= 1);
    let silent = smt().without(|record| matches!(record, Record::Topology(topology) if topology.cpu.0 == 3));
    let skipped = CaseSkipped { case: 8, reason: SkipReason::Cpus, online: 8 };
    let skips = without(8).insert_before(skipped, super::is_end).status(RunStatus::Failed);
    vec![
        Trial::passing("good-sweep-smt", smt().log()),
        Trial::passing("good-sweep-odd", good(&Guest::sweeping(3, 1)).log()),
        Trial::passing("good-sweep-other-cores", other_cores.log()),
        Trial::passing("good-sweep-disturbed", disturbed(2).log()),
        Trial::new("vcpu-preempted-sweep", ReasonCode::VcpuPreempted, disturbed(3).log()),
        mismatch("plan-mismatch-sweep-case", without(4)),
        mismatch("plan-mismatch-sweep-order", seed),
        Trial::new("inconsistent-record-sweep", ReasonCode::InconsistentRecord, boast.log()),
        Trial::new("disclosure-missing-topology", ReasonCode::DisclosureMissing, silent.log()),
        Trial::new("case-skipped-sweep", ReasonCode::CaseSkipped, skips.log()),
        mismatch("plan-mismatch-sweep-share", with_answers(moved)),
    ]
}

/// The same log with its answers corrected after a change of its splits.
pub fn with_answers(script: Script) -> Script {
    use test_support::guest::primes;
    let splits: Vec<_> = script
        .records
        .iter()
        .filter_map(|envelope| match envelope.record {
            Record::Split(split) => Some(split),
            _ => None,
        })
        .collect();
    script.edit(|record| {
        if let Record::Answer(answer) = record {
            let split =
                splits.iter().find(|split| (split.case, split.worker) == (answer.case, answer.worker));
            let split = split.expect("a split for each answer");
            let expected = primes().expectation([split.p0, split.p1, split.p2, split.p3], CHALLENGE);
            (answer.answer, answer.work, answer.digest.0) = (expected.answer, expected.work, expected.digest);
        }
    })
}
