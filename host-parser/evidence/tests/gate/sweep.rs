//! Sweeps: one boot that runs every case its machine has CPUs for, and ways in which one is not what it had to be.

use abi::wire::Record;
use abi::wire::record::{CaseSkipped, RunStatus, SkipReason};
use evidence::gate::ReasonCode;

use super::{Trial, good};
use test_support::guest::Guest;
use test_support::script::Script;

pub fn trials() -> Vec<Trial> {
    let smt = good("good-sweep-smt", &Guest::sweeping(8, 2));
    let script = || Script::of(&smt);
    let of_case = |case: u16| {
        move |record: &Record| match record {
            Record::CaseReady(is) => is.case == case,
            Record::CaseBegin(is) => is.case == case,
            Record::Worker(is) => is.case == case,
            Record::Answer(is) => is.case == case,
            Record::WorkerEnd(is) => is.case == case,
            Record::CaseEnd(is) => is.case == case,
            Record::Gap(is) => is.case == case,
            _ => false,
        }
    };
    // Worker 0 takes ten candidates from worker 1: still a partition, with its answers left as they were.
    let moved = script().edit(|record| match record {
        Record::Split(split) if split.case == 2 => match split.worker {
            0 => split.p1 += 10,
            _ => split.p0 += 10,
        },
        _ => {}
    });
    let without = |case| {
        script()
            .without(of_case(case))
            .without(move |record| matches!(record, Record::Split(split) if split.case == case))
    };
    // Its CPUs say that they have a core each, so the case of 8 workers is core scaling, and more cases were due.
    let other_cores = script().edit(|record| match record {
        Record::Topology(topology) => {
            (topology.core, topology.thread) = (Some(u32::from(topology.cpu.0) * 2), Some(0));
        }
        Record::Sweep(sweep) => sweep.cores = 8,
        _ => {}
    });
    let boast = script().edit(|record| {
        if let Record::Sweep(sweep) = record {
            sweep.cores = 8;
        }
    });
    let seed = script().edit(|record| {
        if let Record::Sweep(sweep) = record {
            sweep.seed.0 ^= 1;
        }
    });
    let silent =
        script().without(|record| matches!(record, Record::Topology(topology) if topology.cpu.0 == 3));
    let skipped = CaseSkipped { case: 8, reason: SkipReason::Cpus, online: 8 };
    let skips = without(8)
        .insert_before(skipped, |record| matches!(record, Record::End(_)))
        .status(RunStatus::Failed);
    // Some ms at any frequency, in the first iterations of the largest case.
    let disturbed = |iterations: u16| {
        script().edit(move |record| match record {
            Record::Gap(gap) if gap.case == 8 && gap.iter < iterations => gap.after += 8_400_000,
            _ => {}
        })
    };
    let mismatch = |name, script: Script| Trial::new(name, ReasonCode::PlanMismatch, script.log());
    vec![
        Trial::passing("good-sweep-smt", smt.clone()),
        Trial::passing("good-sweep-odd", good("good-sweep-odd", &Guest::sweeping(3, 1))),
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

/// The same with the answers that its splits now have.
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
            let expected = primes().expectation([split.p0, split.p1, split.p2, split.p3]);
            (answer.answer, answer.work, answer.digest.0) = (expected.answer, expected.work, expected.digest);
        }
    })
}
