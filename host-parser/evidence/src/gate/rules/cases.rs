//! Whether the cases that were asked for ran, and whether what was said of them fits together.

use std::collections::{BTreeMap, HashSet};

use abi::wire::record::{self, CpuState, SkipReason, WorkerStatus};
use abi::worker::SCALE_SHIFT;

use super::Run;
use crate::gate::evidence::ExpectedCase;
use crate::gate::facts::{Facts, Iteration, WorkerFacts};
use crate::gate::reason::ReasonCode;

/// Judges the cases. All of it is about what should be there: it needs a whole stream.
pub(in crate::gate) fn cases(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    asked_for(run);
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

fn asked_for(run: &mut Run<'_>) {
    let facts = run.facts;
    let counts = counts(facts);
    let asked = |case| run.expectation.cases.as_ref().map(|cases| cases.iter().any(|c| c.case == case));
    for skipped in facts.all::<record::CaseSkipped>() {
        let (case, online) = (skipped.is.case, skipped.is.online);
        let detail = format!("case {case}: {}, {online} CPUs online", skipped.is.reason);
        let explained = match skipped.is.reason {
            SkipReason::Cpus => run.findings.has(ReasonCode::CpuMissing),
            SkipReason::CpuLost => run.findings.has(ReasonCode::WorkerLost),
            SkipReason::Memory | SkipReason::Blob => false,
        };
        // A plan for any machine names cases that are too big for this one. That is no finding, unless somebody
        // asked for the case, or nothing ran at all.
        let too_big =
            skipped.is.reason == SkipReason::Cpus && asked(case) != Some(true) && !counts.is_empty();
        match skipped.is.reason {
            _ if explained || too_big => {}
            SkipReason::Blob => run.findings.add(ReasonCode::BlobMismatch, skipped.line, detail),
            _ => run.findings.add(ReasonCode::CaseSkipped, skipped.line, detail),
        }
    }
    let was_skipped = |case| facts.all::<record::CaseSkipped>().any(|skipped| skipped.is.case == case);
    if let Some(cases) = &run.expectation.cases {
        for &ExpectedCase { case, iterations } in cases.iter().filter(|c| !was_skipped(c.case)) {
            let ran = counts.get(&case).copied().unwrap_or(0);
            if ran != iterations {
                let detail = format!("case {case} ran {ran} times, expected {iterations}");
                run.findings.add(ReasonCode::PlanMismatch, None, detail);
            }
        }
        for case in counts.keys().filter(|&&case| cases.iter().all(|c| c.case != case)) {
            run.findings.add(
                ReasonCode::PlanMismatch,
                None,
                format!("case {case} ran and was not asked for"),
            );
        }
    }
    if counts.is_empty() && facts.one::<record::CaseSkipped>().is_none() {
        run.findings.add(ReasonCode::CaseSkipped, None, "the run has no case at all");
    }
}

/// Times of an iteration over all of its workers.
pub(in crate::gate) struct Span {
    /// From the first start to the last end.
    pub makespan: u64,
    /// The longest worker's.
    pub longest: u64,
    /// From the first start to the last.
    pub start_spread: u64,
}

/// The times, if every worker has one and they fit into 64 bits.
pub(in crate::gate) fn span(iteration: &Iteration) -> Option<Span> {
    let timings: Option<Vec<_>> = iteration.workers.values().map(|worker| Some(worker.timing?.is)).collect();
    let timings = timings?;
    let first = timings.iter().map(|timing| timing.skew).min()?;
    let last = timings.iter().map(|timing| timing.skew).max()?;
    let ends: Option<Vec<_>> = timings.iter().map(|timing| timing.skew.checked_add(timing.cycles)).collect();
    Some(Span {
        makespan: ends?.into_iter().max()? - first,
        longest: timings.iter().map(|timing| timing.cycles).max()?,
        start_spread: last - first,
    })
}

/// What the records of an iteration say against each other.
fn contradictions(facts: &Facts, iteration: &Iteration) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let Some(end) = iteration.end else {
        return vec![(iteration.line, "no `case-end`".to_owned())];
    };
    if !iteration.workers.keys().copied().eq(0..iteration.case) {
        found.push((end.line, "its workers are not numbered from 0, one for each".to_owned()));
    }
    let mut cpus = HashSet::new();
    // A log can list any number of workers, and so more than are left of a `u16` after the last.
    let mut done = 0_usize;
    for (number, said) in &iteration.workers {
        let of_worker = of_worker(facts, said);
        found
            .extend(of_worker.into_iter().map(|(line, detail)| (line, format!("worker {number}: {detail}"))));
        let Some(ended) = said.end else {
            found.push((end.line, format!("worker {number} has no `worker-end`")));
            continue;
        };
        done += usize::from(ended.is.status == WorkerStatus::Done);
        if !cpus.insert(ended.is.cpu) {
            found.push((ended.line, format!("worker {number} shares CPU {}", ended.is.cpu)));
        }
    }
    if done != usize::from(end.is.done) {
        found.push((end.line, format!("{done} workers are done, `case-end` says {}", end.is.done)));
    }
    let makespan =
        if done == usize::from(iteration.case) { span(iteration).map(|span| span.makespan) } else { Some(0) };
    if makespan != Some(end.is.makespan) {
        let worked_out = makespan.map_or("none".to_owned(), |cycles| cycles.to_string());
        let detail = format!("the makespan is {worked_out}, `case-end` says {}", end.is.makespan);
        // Without a time for every worker that is done there is a contradiction above already.
        if found.is_empty() {
            found.push((end.line, detail));
        }
    }
    found
}

/// What the records of one worker say against each other.
fn of_worker(facts: &Facts, said: &WorkerFacts) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let Some(end) = said.end else { return found };
    if end.is.status == WorkerStatus::Done {
        for (name, there) in [("worker", said.timing.is_some()), ("result", said.answer.is_some())] {
            if !there {
                found.push((end.line, format!("done, and has no `{name}`")));
            }
        }
    }
    let runs =
        |cpu: &record::Cpu| cpu.cpu == end.is.cpu && matches!(cpu.state, CpuState::Bsp | CpuState::Online);
    if !facts.all::<record::Cpu>().any(|cpu| runs(&cpu.is)) {
        found.push((end.line, format!("CPU {} is not online", end.is.cpu)));
    }
    let Some(timing) = said.timing else { return found };
    if timing.is.cpu != end.is.cpu {
        found.push((timing.line, format!("on CPU {}, and ended on CPU {}", timing.is.cpu, end.is.cpu)));
    }
    if timing.is.cycles == 0 {
        found.push((timing.line, "took no time".to_owned()));
    }
    let scaled = u32::try_from(timing.is.cycles >> SCALE_SHIFT).unwrap_or(u32::MAX);
    if timing.is.scaled != scaled {
        let detail = format!("{} cycles are {scaled} scaled, it says {}", timing.is.cycles, timing.is.scaled);
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
    fn counts_more_workers_than_a_record_can_say() {
        let (case, iter, line) = (1, 0, 1);
        let end = |worker| {
            let (cpu, status) = (CpuId(worker), WorkerStatus::Done);
            WorkerEnd { case, iter, worker, cpu, status, refused: 0, first_refused: 0 }
        };
        let said = |worker| WorkerFacts { end: Some(At { line, is: end(worker) }), ..WorkerFacts::default() };
        let workers = (0..=u16::MAX).map(|worker| (worker, said(worker))).collect();
        let is = CaseEnd { case, iter, done: 0, makespan: 0, verified: true };
        let (ready, begun) = (None, Timestamp::UNKNOWN);
        let iteration = Iteration { line, case, iter, ready, begun, workers, end: Some(At { line, is }) };
        let found = contradictions(&Facts::default(), &iteration);
        assert!(found.iter().any(|(_, detail)| detail == "65536 workers are done, `case-end` says 0"));
    }
}
