//! Whether the workers were granted what their workload needs, and whether the digests that they left in their result pages
//! are the reference's.

use std::fmt;

use abi::Digest;
use abi::plan::Needs as PlanNeeds;
use abi::wire::record::{self, Grant, WorkerStatus};
use workloads::{Room, Workload, chunk_root_of_copies};

use super::Run;
use super::answers::{common_whole, shared_whole};
use crate::gate::facts::At;
use crate::gate::measurement::Scaling;
use crate::gate::reason::ReasonCode;

/// What a system grants without a `grant` record.
const NOTHING: Grant = {
    let PlanNeeds { prepare, verify, memory_mib, stack_kib, pages, requires, shared_kib, chunks } =
        PlanNeeds::NONE;
    Grant { prepare, verify, memory_mib, stack_kib, pages, requires, shared_kib, chunks }
};

/// Judges the grant and the chunks. Needs a log without losses.
pub(in crate::gate) fn grants(run: &mut Run<'_>, workload: &dyn Workload) {
    if !run.whole || run.refused() {
        return;
    }
    let record = run.facts.one::<Grant>();
    let (line, grant) = (record.map(|at| at.line), record.map_or(NOTHING, |at| at.is));
    for misfit in misfits(run, &grant, workload) {
        run.add(ReasonCode::GrantMismatch, line, misfit);
    }
    chunks(run, &grant, workload);
}

/// What a grant lacks, or has beyond what the workload is called for.
fn misfits(run: &Run<'_>, grant: &Grant, workload: &dyn Workload) -> Vec<String> {
    let needs = workload.needs();
    let mut found = Vec::new();
    let calls = [("prepare", grant.prepare, needs.prepare), ("verify", grant.verify, needs.verify)];
    for (call, made, _) in calls.into_iter().filter(|(_, made, needed)| made != needed) {
        found.push(match made {
            true => format!("the plan asks for a {call} call, which the workload does not have"),
            false => format!("the plan asks for no {call} call, which the workload needs"),
        });
    }
    if !grant.requires.is_none() && !needs.builds.contains(&grant.requires) {
        found.push(format!("the workload has no build for {}", grant.requires));
    }
    let corpus_bytes = run.facts.one::<record::Corpus>().map_or(0, |corpus| corpus.is.bytes);
    let granted = [
        ("memory", u64::from(grant.memory_mib) << 20),
        ("shared memory", u64::from(grant.shared_kib) << 10),
        ("corpus", corpus_bytes),
        ("digests", grant.chunks.into()),
        ("stack", u64::from(grant.stack_kib) << 10),
    ];
    let stack = u64::from(needs.stack_kib) << 10;
    let (mut most, mut parts) = (Room::default(), run.facts.splits.values().flat_map(|case| case.values()));
    if let Some(first) = parts.next() {
        most = std::iter::once(first)
            .chain(parts)
            .fold(most, |most, split| most.or_more(workload.room(crate::gate::facts::params(&split.is))));
    }
    // What the workers share is what the whole needs.
    if let Some((whole, _)) = common_whole(run.facts, workload) {
        let Room { shared_bytes, corpus_bytes, .. } = workload.room(whole);
        most = Room { shared_bytes, corpus_bytes, ..most };
    }
    let needed = [most.memory_bytes, most.shared_bytes, most.corpus_bytes, most.chunks, stack];
    for ((what, granted), needed) in granted.into_iter().zip(needed) {
        if granted < needed {
            found.push(format!("{what}: {granted} granted, {needed} needed"));
        }
    }
    found
}

/// The digests of every worker that is done, and of all of an iteration.
fn chunks(run: &mut Run<'_>, grant: &Grant, workload: &dyn Workload) {
    let (facts, challenge) = (run.facts, run.facts.challenge());
    for iteration in &facts.iterations {
        let mut all_done = true;
        for (&number, records) in &iteration.workers {
            let done = records.end.is_some_and(|end| end.is.status == WorkerStatus::Done);
            all_done &= done;
            let Some(params) = facts.params(iteration.case, number).filter(|_| done) else { continue };
            let found = records.chunks.map(|At { line, is }| (line, is.count, is.root));
            let expected = (grant.chunks > 0).then(|| workload.chunk_root(params, challenge));
            // Words are made of it only if something is wrong.
            let who = format_args!("worker {number} of case {} iteration {}", iteration.case, iteration.iter);
            compare(run, iteration.line, who, "chunks", found, expected);
        }
        let shared = facts.splits.get(&iteration.case).and_then(|splits| shared_whole(splits, workload));
        let Some((whole, scaling)) = shared.filter(|_| all_done) else { continue };
        let found = iteration.root.map(|At { line, is }| (line, is.count, is.root));
        let expected = (grant.chunks > 0).then(|| match scaling {
            Some(Scaling::Weak) => chunk_root_of_copies(workload, whole, challenge, iteration.case),
            _ => workload.chunk_root(whole, challenge),
        });
        let who = format_args!("case {} iteration {}", iteration.case, iteration.iter);
        compare(run, iteration.line, who, "root", found, expected);
    }
}

/// Compares a record of chunks with what the reference gives.
fn compare(
    run: &mut Run<'_>,
    line: u64,
    who: fmt::Arguments<'_>,
    record: &str,
    found: Option<(u64, u32, Digest)>,
    expected: Option<(u32, Digest)>,
) {
    match (found, expected) {
        (None, None) => {}
        (None, Some(_)) => {
            run.add(ReasonCode::EvidenceMissing, line, format!("{who} has no `{record}`"));
        }
        (Some((line, ..)), None) => {
            let detail = format!("{who} has a `{record}`, and its plan grants no result pages");
            run.add(ReasonCode::InconsistentRecord, line, detail);
        }
        (Some((line, count, root)), Some(expected)) if (count, root) != expected => {
            let (right, digest) = expected;
            let detail =
                format!("{who} left {count} digests with the root {root}, expected {right}, {digest}");
            run.add(ReasonCode::VerifierMismatch, line, detail);
        }
        _ => {}
    }
}
