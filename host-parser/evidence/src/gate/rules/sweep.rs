//! Whether a sweep was run as it had to be on that machine: which cases, in which order, cut where. Worked out anew from
//! the CPUs' own records and the reference; what the kernel says of cores and CPUs counts only against it.

use abi::sweep::{bounds, cases, shuffle};
use abi::wire::record::{self, SkipReason, Sweep};
use workloads::Workload;

use super::{Run, common_whole};
use crate::gate::facts::{At, Facts, params};
use crate::gate::reason::ReasonCode;

/// Judges a sweep, if the run is one and its splits make up a whole.
pub(in crate::gate) fn sweep(run: &mut Run<'_>, workload: &dyn Workload) {
    let Some(sweep) = run.facts.one::<Sweep>().filter(|_| run.whole && !run.refused()) else {
        return;
    };
    if run.findings.has(ReasonCode::PlanMismatch) || run.findings.has(ReasonCode::WorkloadUnknown) {
        return;
    }
    let facts = run.facts;
    let silent = facts.online_cpus().find(|cpu| !facts.topology.contains_key(cpu));
    if let Some(cpu) = silent {
        let detail = format!("a sweep, and no `topology` record of CPU {cpu}");
        return run.add(ReasonCode::DisclosureMissing, sweep.line, detail);
    }
    let (cores, cpus) = (facts.cores(), facts.online());
    if (cores, cpus) != (sweep.is.cores, sweep.is.cpus) {
        let detail = format!(
            "`sweep` says {} cores and {} CPUs, the records of the CPUs show {cores} and {cpus}",
            sweep.is.cores, sweep.is.cpus
        );
        run.add(ReasonCode::InconsistentRecord, sweep.line, detail);
    }
    let unfounded =
        facts.all::<record::CaseSkipped>().filter(|skipped| skipped.is.reason == SkipReason::Cpus);
    for skipped in unfounded {
        let detail = format!("case {} of a sweep, with {cpus} CPUs online", skipped.is.case);
        run.add(ReasonCode::CaseSkipped, skipped.line, detail);
    }
    if let Some((line, detail)) = out_of_order(facts, sweep, &planned(cores, cpus)) {
        run.add(ReasonCode::PlanMismatch, line, detail);
    }
    if let Some((line, detail)) = cut_elsewhere(facts, workload) {
        run.add(ReasonCode::PlanMismatch, line, detail);
    }
}

fn planned(cores: u16, cpus: u16) -> Vec<u16> {
    cases(cores, cpus).map(|case| case.workers).collect()
}

/// The first turn that is not the planned one. Cases that were skipped are no turns, planned or not.
fn out_of_order(facts: &Facts, sweep: At<Sweep>, cases: &[u16]) -> Option<(u64, String)> {
    let skipped = |case: u16| facts.all::<record::CaseSkipped>().any(|skipped| skipped.is.case == case);
    let mut planned = (0..sweep.is.iterations).flat_map(|iteration| {
        let mut order = cases.to_vec();
        shuffle(&mut order, sweep.is.seed.0, iteration);
        order.into_iter().filter(|&case| !skipped(case)).map(move |case| (case, iteration))
    });
    let words = |turn: Option<(u16, u16)>| match turn {
        Some((case, iteration)) => format!("case {case} iteration {iteration}"),
        None => "the end".to_owned(),
    };
    let ran = facts.iterations.iter().filter(|iteration| !skipped(iteration.case));
    for iteration in ran {
        let (turn, due) = ((iteration.case, iteration.iter), planned.next());
        if due != Some(turn) {
            return Some((iteration.line, format!("{}, due was {}", words(Some(turn)), words(due))));
        }
    }
    let due = planned.next();
    due.map(|_| (sweep.line, format!("the sweep ends where {} was due", words(due))))
}

/// The first split that is not where the reference has it.
fn cut_elsewhere(facts: &Facts, workload: &dyn Workload) -> Option<(u64, String)> {
    let cut_points = workload.cut_points(common_whole(facts, workload)?)?;
    for (&case, splits) in &facts.splits {
        for (&worker, split) in splits {
            let [from, to, ..] = params(&split.is);
            let due = bounds(&cut_points, case, worker);
            if due != Some((from, to)) {
                let due = due.map_or("nothing".to_owned(), |(from, to)| format!("{from} to {to}"));
                let detail = format!("worker {worker} of case {case} is given {from} to {to}, due was {due}");
                return Some((split.line, detail));
            }
        }
    }
    None
}
