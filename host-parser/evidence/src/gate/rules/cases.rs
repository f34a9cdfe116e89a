//! Whether the expected cases ran, and whether their records agree with each other.

use std::collections::{BTreeMap, BTreeSet};

use abi::wire::record::{self, SkipReason, WorkerStatus};
use abi::worker::SCALE_SHIFT;

use super::Run;
use crate::gate::evidence::ExpectedCase;
use crate::gate::facts::{Facts, Iteration, WorkerFacts};
use crate::gate::reason::ReasonCode;

/// Judges the cases. Needs a log without losses, since missing records are findings.
pub(in crate::gate) fn cases(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    skipped(run);
    expected(run);
    for misplaced in &run.facts.misplaced {
        run.add(ReasonCode::InconsistentRecord, misplaced.line, misplaced.is.clone());
    }
    for iteration in &run.facts.iterations {
        for (line, detail) in contradictions(run.facts, iteration) {
            let detail = format!("case {} iteration {}: {detail}", iteration.case, iteration.iter);
            run.add(ReasonCode::InconsistentRecord, line, detail);
        }
    }
}

/// How often each case ran.
fn counts(facts: &Facts) -> BTreeMap<u16, u16> {
    let mut counts: BTreeMap<u16, u16> = BTreeMap::new();
    for iteration in &facts.iterations {
        let count = counts.entry(iteration.case).or_default();
        *count = count.saturating_add(1);
    }
    counts
}

/// Judges the cases that the kernel skipped.
fn skipped(run: &mut Run<'_>) {
    let facts = run.facts;
    for skipped in facts.all::<record::CaseSkipped>() {
        let (case, online) = (skipped.is.case, skipped.is.online);
        let reason = skipped.is.reason;
        let detail = format!("case {case} was skipped (reason `{reason}`) with {online} CPUs online");
        let explained = match reason {
            SkipReason::Cpus => run.findings.has(ReasonCode::CpuMissing),
            SkipReason::CpuLost => run.findings.has(ReasonCode::WorkerLost),
            SkipReason::Memory | SkipReason::Blob | SkipReason::Unsupported | SkipReason::Corpus => false,
        };
        // A plan for any machine has cases that are too big for this one. That is a finding only if the case was
        // expected, or if no case ran.
        let is_expected = run.expectation.cases.iter().flatten().any(|expected| expected.case == case);
        let too_big = reason == SkipReason::Cpus && !is_expected && !facts.iterations.is_empty();
        match reason {
            _ if explained || too_big => {}
            SkipReason::Blob => run.findings.add(ReasonCode::BlobMismatch, skipped.line, detail),
            SkipReason::Corpus => run.findings.add(ReasonCode::CorpusMismatch, skipped.line, detail),
            SkipReason::Unsupported => run.findings.add(ReasonCode::RequirementMissing, skipped.line, detail),
            _ => run.findings.add(ReasonCode::CaseSkipped, skipped.line, detail),
        }
    }
}

/// Compares the cases that ran with the expected cases.
fn expected(run: &mut Run<'_>) {
    let facts = run.facts;
    let counts = counts(facts);
    if let Some(cases) = &run.expectation.cases {
        for &ExpectedCase { case, iterations } in cases.iter().filter(|c| !facts.skipped.contains(&c.case)) {
            let ran = counts.get(&case).copied().unwrap_or(0);
            if ran != iterations {
                let detail = format!("case {case} ran {ran} times, expected {iterations} times");
                run.findings.add(ReasonCode::PlanMismatch, None, detail);
            }
        }
        for case in counts.keys().filter(|&&case| cases.iter().all(|c| c.case != case)) {
            let detail = format!("case {case} ran but was not expected");
            run.findings.add(ReasonCode::PlanMismatch, None, detail);
        }
    }
    if counts.is_empty() && facts.one::<record::CaseSkipped>().is_none() {
        run.findings.add(ReasonCode::CaseSkipped, None, "the run neither ran nor skipped a case");
    }
}

/// The times of an iteration, over all of its workers.
pub(in crate::gate) struct Span {
    /// From the first start to the last end.
    pub makespan: u64,
    /// The longest worker's time.
    pub longest: u64,
}

/// The times of an iteration; `None` if a worker has no time, or a time does not fit into 64 bits.
pub(in crate::gate) fn span(iteration: &Iteration) -> Option<Span> {
    let (mut first, mut last_end, mut longest) = (u64::MAX, 0, 0);
    for worker in iteration.workers.values() {
        let timing = worker.timing?.is;
        first = timing.skew.min(first);
        last_end = timing.skew.checked_add(timing.cycles)?.max(last_end);
        longest = timing.cycles.max(longest);
    }
    (!iteration.workers.is_empty()).then(|| Span { makespan: last_end - first, longest })
}

/// How the records of an iteration contradict each other.
fn contradictions(facts: &Facts, iteration: &Iteration) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let Some(end) = iteration.end else {
        return vec![(iteration.line, "there is no `case-end`".to_owned())];
    };
    if !iteration.workers.keys().copied().eq(0..iteration.case) {
        found.push((end.line, "the workers are not numbered from 0 without gaps".to_owned()));
    }
    let mut cpus = BTreeSet::new();
    // A log can list 65,536 workers, one more than fits into a `u16`.
    let mut done = 0_usize;
    for (number, records) in &iteration.workers {
        let of_worker = of_worker(facts, records);
        found.extend(of_worker.into_iter().map(|(line, detail)| (line, format!("worker {number} {detail}"))));
        let Some(ended) = records.end else {
            found.push((end.line, format!("worker {number} has no `worker-end`")));
            continue;
        };
        done += usize::from(ended.is.status == WorkerStatus::Done);
        if !cpus.insert(ended.is.cpu) {
            found.push((
                ended.line,
                format!("worker {number} shares CPU {} with another worker", ended.is.cpu),
            ));
        }
    }
    if done != usize::from(end.is.done) {
        found.push((end.line, format!("{done} workers are done, `case-end` has {}", end.is.done)));
    }
    let makespan =
        if done == usize::from(iteration.case) { span(iteration).map(|span| span.makespan) } else { Some(0) };
    if makespan != Some(end.is.makespan) {
        let worked_out = makespan.map_or("none".to_owned(), |cycles| cycles.to_string());
        let detail = format!("the makespan is {worked_out}, `case-end` has {}", end.is.makespan);
        // If a worker that is done has no time, that is a finding above already.
        if found.is_empty() {
            found.push((end.line, detail));
        }
    }
    found
}

/// How the records of one worker contradict each other.
fn of_worker(facts: &Facts, records: &WorkerFacts) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let Some(end) = records.end else { return found };
    if end.is.status == WorkerStatus::Done {
        for (name, there) in [("worker", records.timing.is_some()), ("result", records.answer.is_some())] {
            if !there {
                found.push((end.line, format!("is done but has no `{name}` record")));
            }
        }
    }
    if !facts.is_online(end.is.cpu.0) {
        found.push((end.line, format!("ran on CPU {}, which is not online", end.is.cpu)));
    }
    let Some(timing) = records.timing else { return found };
    if timing.is.cpu != end.is.cpu {
        found.push((timing.line, format!("ran on CPU {} but ended on CPU {}", timing.is.cpu, end.is.cpu)));
    }
    if timing.is.cycles == 0 {
        found.push((timing.line, "took no time".to_owned()));
    }
    let scaled = u32::try_from(timing.is.cycles >> SCALE_SHIFT).unwrap_or(u32::MAX);
    if timing.is.scaled != scaled {
        let detail = format!(
            "took {} cycles, which are {scaled} scaled cycles, but the record has {}",
            timing.is.cycles, timing.is.scaled
        );
        found.push((timing.line, detail));
    }
    found
}

#[cfg(test)]
mod tests {
    use abi::CpuId;
    use abi::wire::Timestamp;
    use abi::wire::record::{CaseEnd, WorkerEnd};

    use super::*;
    use crate::gate::facts::At;

    #[test]
    fn counts_more_workers_than_fit_into_a_record() {
        let (case, iter, line) = (1, 0, 1);
        let end = |worker| {
            let (cpu, status) = (CpuId(worker), WorkerStatus::Done);
            WorkerEnd { case, iter, worker, cpu, status, refused: 0, first_refused: 0 }
        };
        let records =
            |worker| WorkerFacts { end: Some(At { line, is: end(worker) }), ..WorkerFacts::default() };
        let workers = (0..=u16::MAX).map(|worker| (worker, Box::new(records(worker)))).collect();
        let is = CaseEnd { case, iter, done: 0, makespan: 0, verified: true };
        let (ready, begun) = (None, Timestamp::UNKNOWN);
        let iteration = Iteration {
            line,
            case,
            iter,
            start_tsc: 0,
            ready,
            begun,
            workers,
            root: None,
            end: Some(At { line, is }),
            marks: Vec::new(),
            conditions: BTreeMap::new(),
            counters: BTreeMap::new(),
            over: false,
        };
        let found = contradictions(&Facts::default(), &iteration);
        assert!(found.iter().any(|(_, detail)| detail == "65536 workers are done, `case-end` has 0"));
    }
}
