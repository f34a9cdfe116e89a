//! Whether a sweep ran as it had to on its machine: which cases, in which order, with which cut points. This is computed
//! again from the CPUs' records and the reference. The kernel's own counts of cores and CPUs must agree.

use std::collections::HashSet;

use abi::sweep::{bounds, cases, shuffle};
use abi::wire::record::{self, SkipReason, Sweep};
use workloads::Workload;

use super::{Run, common_whole};
use crate::gate::facts::{At, Facts, params};
use crate::gate::reason::ReasonCode;

/// Judges a sweep, if the run is one and its splits make up a whole.
pub(in crate::gate) fn sweep(run: &mut Run<'_>, workload: &dyn Workload) {
    if !run.whole || run.refused() {
        return;
    }
    let Some(sweep) = run.facts.one::<Sweep>() else { return lost(run) };
    if run.findings.has(ReasonCode::PlanMismatch) || run.findings.has(ReasonCode::WorkloadUnknown) {
        return;
    }
    let facts = run.facts;
    let silent = facts.online_cpus().find(|cpu| !facts.topology.contains_key(cpu));
    if let Some(cpu) = silent {
        let detail = format!("a sweep needs a `topology` record of each CPU, CPU {cpu} has none");
        return run.add(ReasonCode::DisclosureMissing, sweep.line, detail);
    }
    let (cores, cpus) = (facts.cores(), facts.online());
    if (cores, cpus) != (sweep.is.cores, sweep.is.cpus) {
        let detail = format!(
            "`sweep` has {} cores and {} CPUs, but the CPUs' records show {cores} cores and {cpus} CPUs",
            sweep.is.cores, sweep.is.cpus
        );
        run.add(ReasonCode::InconsistentRecord, sweep.line, detail);
    }
    let unfounded =
        facts.all::<record::CaseSkipped>().filter(|skipped| skipped.is.reason == SkipReason::Cpus);
    for skipped in unfounded {
        let detail =
            format!("the sweep skipped case {} for lack of CPUs, but {cpus} are online", skipped.is.case);
        run.add(ReasonCode::CaseSkipped, skipped.line, detail);
    }
    if let Some((line, detail)) = out_of_order(facts, sweep, &planned(cores, cpus)) {
        run.add(ReasonCode::PlanMismatch, line, detail);
    }
    if let Some((line, detail)) = cut_elsewhere(facts, workload) {
        run.add(ReasonCode::PlanMismatch, line, detail);
    }
}

/// In a plan that lists its cases, each runs all of its iterations before the next. Only in a sweep do they take turns, and
/// then which cases had to run, and in which order, follows from the `sweep` record.
fn lost(run: &mut Run<'_>) {
    let mut over = HashSet::new();
    let pairs = run.facts.iterations.windows(2);
    let again = pairs.filter(|pair| pair[0].case != pair[1].case).find_map(|pair| {
        over.insert(pair[0].case);
        over.contains(&pair[1].case).then_some(&pair[1])
    });
    if let Some(iteration) = again {
        let detail = format!(
            "{} runs after other cases, as in a sweep, but the log has no `sweep` record",
            iteration.name()
        );
        run.add(ReasonCode::EvidenceMissing, iteration.line, detail);
    }
}

fn planned(cores: u16, cpus: u16) -> Vec<u16> {
    cases(cores, cpus).map(|case| case.workers).collect()
}

/// The first iteration that is not the planned one. Skipped cases do not count.
fn out_of_order(facts: &Facts, sweep: At<Sweep>, cases: &[u16]) -> Option<(u64, String)> {
    let skipped = |case: u16| facts.skipped.contains(&case);
    let mut planned = (0..sweep.is.iterations).flat_map(|iteration| {
        let mut order = cases.to_vec();
        shuffle(&mut order, sweep.is.seed.0, iteration);
        order.into_iter().filter(|&case| !skipped(case)).map(move |case| (case, iteration))
    });
    let ran = facts.iterations.iter().filter(|iteration| !skipped(iteration.case));
    for iteration in ran {
        let (case, iter) = (iteration.case, iteration.iter);
        match planned.next() {
            Some(due) if due == (case, iter) => {}
            due => {
                let due = due.map_or("the end of the sweep".to_owned(), turn);
                let detail = format!("{} ran, {due} was due", turn((case, iter)));
                return Some((iteration.line, detail));
            }
        }
    }
    planned.next().map(|due| (sweep.line, format!("the sweep ends, but {} was due", turn(due))))
}

/// The words for an iteration of a case.
fn turn((case, iteration): (u16, u16)) -> String {
    format!("case {case} iteration {iteration}")
}

/// The first split whose bounds differ from the reference's cut points.
fn cut_elsewhere(facts: &Facts, workload: &dyn Workload) -> Option<(u64, String)> {
    let cut_points = workload.cut_points(common_whole(facts, workload)?.0)?;
    for (&case, splits) in &facts.splits {
        for (&worker, split) in splits {
            let [from, to, ..] = params(&split.is);
            let due = bounds(&cut_points, case, worker);
            if due != Some((from, to)) {
                let due = due.map_or("nothing".to_owned(), |(from, to)| format!("{from} to {to}"));
                let detail = format!("worker {worker} of case {case} got {from} to {to}, due was {due}");
                return Some((split.line, detail));
            }
        }
    }
    None
}
