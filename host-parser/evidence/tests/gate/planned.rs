//! Runs that the gate refuses because they are not what the plan asked for: other splits, skipped cases, other grants.

use abi::Digest;
use abi::grant::{Feature, FeatureSet, PageSize};
use abi::syscall::Authority;
use abi::wire::record::{CaseSkipped, Chunks, Grant, Root, RunStatus, SkipReason};
use abi::wire::{Record, Text};
use evidence::gate::ReasonCode;

use super::sweep::with_answers;
use super::{Trial, good, script, two_cases};
use test_support::guest::{Guest, label};
use test_support::script::Script;

pub fn trials() -> Vec<Trial> {
    let mut trials = plan();
    trials.extend(skipped());
    trials.extend(grants());
    trials
}

fn plan() -> Vec<Trial> {
    let overlap = edit!(script(2), Split, |split| {
        if split.worker == 1 {
            split.p0 -= 1;
        }
    });
    let one_less = script(2).without(|record| matches!(record, Record::Split(split) if split.worker == 1));
    let unknown = script(2).edit(|record| match record {
        Record::Experiment(experiment) => experiment.workload = label("nonesuch"),
        Record::Blob(blob) => blob.name = label("nonesuch"),
        _ => {}
    });
    let out_of_range = edit!(script(2), Split, |split| split.p2 = 7);
    // Case 1 tries ten candidates less than case 2, with the answers of those that it tries.
    let wholes = edit!(two_cases(), Split, |split| {
        if split.case == 1 {
            split.p1 -= 10;
        }
    });
    let smaller = Guest { nonce: 7, whole: [2, 200_000, 0, 0], ..Guest::of(2) };
    let earlier = good(&Guest { nonce: 7, ..Guest::of(2) });
    let other_cpu = edit!(earlier.clone(), Brand, |brand| brand.name = Text::new("Another CPU"));
    let freer = edit!(earlier, Experiment, |experiment| experiment.authority = Authority::NONE);
    vec![
        Trial::new("plan-mismatch-wholes", ReasonCode::PlanMismatch, with_answers(wholes).log()),
        Trial::new("row-mismatch-cpu", ReasonCode::RowMismatch, script(2).log()).after(other_cpu.log()),
        Trial::new("row-mismatch-authority", ReasonCode::RowMismatch, script(2).log()).after(freer.log()),
        Trial::new("plan-mismatch-run", ReasonCode::PlanMismatch, script(2).log()).after(smaller.log()),
        Trial::new("plan-mismatch-overlap", ReasonCode::PlanMismatch, overlap.log()),
        Trial::new("plan-mismatch-split", ReasonCode::PlanMismatch, one_less.log()),
        Trial::new("workload-unknown", ReasonCode::WorkloadUnknown, unknown.log()),
        Trial::new("workload-unknown-parameter", ReasonCode::WorkloadUnknown, out_of_range.log()),
    ]
}

/// Case 2 of two is skipped for this reason.
fn without_case_2(reason: SkipReason) -> Vec<u8> {
    let skipped = CaseSkipped { case: 2, reason, online: 2 };
    let script = two_cases().without(|record| super::is_of_case(record, 2));
    script.insert_before(skipped, super::is_end).status(RunStatus::Failed).log()
}

/// Every reason to skip a case, except too few CPUs.
fn skipped() -> Vec<Trial> {
    let skipped = ReasonCode::CaseSkipped;
    vec![
        Trial::new("case-skipped-memory", skipped, without_case_2(SkipReason::Memory)),
        Trial::new("case-skipped-cpu-lost", skipped, without_case_2(SkipReason::CpuLost)),
        Trial::new("blob-mismatch-skipped", ReasonCode::BlobMismatch, without_case_2(SkipReason::Blob)),
        Trial::new("corpus-mismatch", ReasonCode::CorpusMismatch, without_case_2(SkipReason::Corpus)),
        Trial::new(
            "requirement-missing",
            ReasonCode::RequirementMissing,
            without_case_2(SkipReason::Unsupported),
        ),
    ]
}

/// A good log whose system says that it granted this.
fn with_grant(grant: Grant) -> Script {
    script(2).insert_before(grant, |record| matches!(record, Record::Blob(_)))
}

/// The record of a worker before which its digests are reported.
fn is_region_of(record: &Record, worker: u16) -> bool {
    matches!(record, Record::Region(region) if region.worker == worker)
}

/// What primes is granted and what it leaves, right and wrong: it needs no memory, no call and no result page.
fn grants() -> Vec<Trial> {
    let more = Grant {
        prepare: false,
        verify: false,
        memory_mib: 4,
        stack_kib: 128,
        pages: PageSize::Large,
        requires: FeatureSet::NONE,
        shared_kib: 4,
        chunks: 0,
    };
    let mismatch = |name, grant| Trial::new(name, ReasonCode::GrantMismatch, with_grant(grant).log());
    let root = Digest::of(b"");
    let left = |worker, count| Chunks { case: 2, iter: 0, worker, count, root };
    let with_chunks = |count, all| {
        let script = with_grant(Grant { chunks: 3, ..more });
        let script = script.insert_before(left(0, count), |record| is_region_of(record, 0));
        let script = script.insert_before(left(1, 0), |record| is_region_of(record, 1));
        let sum = Root { case: 2, iter: 0, count: all, root };
        script.insert_before(sum, |record| matches!(record, Record::CaseEnd(_))).log()
    };
    vec![
        Trial::passing("good-grant-of-more", with_grant(more).log()),
        mismatch("grant-mismatch-prepare", Grant { prepare: true, ..more }),
        mismatch("grant-mismatch-verify", Grant { verify: true, ..more }),
        mismatch("grant-mismatch-stack", Grant { stack_kib: 60, ..more }),
        mismatch("grant-mismatch-build", Grant { requires: FeatureSet::NONE.with(Feature::Avx2), ..more }),
        Trial::new(
            "evidence-missing-chunks",
            ReasonCode::EvidenceMissing,
            with_grant(Grant { chunks: 3, ..more }).log(),
        ),
        Trial::new(
            "inconsistent-record-chunks",
            ReasonCode::InconsistentRecord,
            script(2).insert_before(left(0, 0), |record| is_region_of(record, 0)).log(),
        ),
        Trial::passing("good-chunks", with_chunks(0, 0)),
        Trial::new("verifier-mismatch-chunks", ReasonCode::VerifierMismatch, with_chunks(1, 0)),
        Trial::new("verifier-mismatch-root", ReasonCode::VerifierMismatch, with_chunks(0, 1)),
    ]
}
