//! Whether the records of machine and cases agree on which CPUs there are, and on what ran.

use std::collections::{BTreeMap, HashSet};

use abi::wire::record::{self, CpuState, SkipReason};

use super::Run;
use crate::gate::facts::Facts;
use crate::gate::reason::ReasonCode;

/// A line, if there is one, and what is wrong with it.
type Wrong = (Option<u64>, String);

/// Judges them against each other. Needs a whole stream.
pub(in crate::gate) fn census(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    let rules = [cpus_twice, places, warp, skipped, turns, splits];
    for (line, detail) in rules.into_iter().flat_map(|rule| rule(run.facts)) {
        run.add(ReasonCode::InconsistentRecord, line, detail);
    }
}

fn cpus_twice(facts: &Facts) -> Vec<Wrong> {
    let mut listed = HashSet::new();
    // CPUs that the firmware lists and the kernel does not start have numbers of their own, which are no CPU's.
    let started = facts.all::<record::Cpu>().filter(|cpu| cpu.is.state != CpuState::Skipped);
    let twice = started.filter(|cpu| !listed.insert(cpu.is.cpu));
    twice.map(|cpu| (Some(cpu.line), format!("CPU {} is listed a second time", cpu.is.cpu))).collect()
}

fn places(facts: &Facts) -> Vec<Wrong> {
    let online: HashSet<u16> = facts.online_cpus().collect();
    let absent = facts.topology.values().filter(|at| !online.contains(&at.is.cpu.0));
    absent
        .map(|at| (Some(at.line), format!("`topology` of CPU {}, which is not online", at.is.cpu)))
        .collect()
}

fn warp(facts: &Facts) -> Vec<Wrong> {
    let online = facts.online();
    let more = facts.one::<record::Warp>().filter(|warp| warp.is.cpus > online);
    let detail = |cpus| format!("the warp test had {cpus} CPUs, {online} are online");
    more.map(|warp| (Some(warp.line), detail(warp.is.cpus))).into_iter().collect()
}

fn skipped(facts: &Facts) -> Vec<Wrong> {
    let online = facts.online();
    let wrong = facts.all::<record::CaseSkipped>().filter_map(|skipped| {
        let (case, said) = (skipped.is.case, skipped.is.online);
        // What a sweep skips is judged with its turns.
        let enough =
            skipped.is.reason == SkipReason::Cpus && case <= online && facts.one::<record::Sweep>().is_none();
        let detail = match () {
            () if said != online => format!("case {case}: {said} CPUs online, their records show {online}"),
            () if enough => format!("case {case} was skipped for want of CPUs, {online} are online"),
            () => return None,
        };
        Some((Some(skipped.line), detail))
    });
    wrong.collect()
}

/// Each case's iterations are numbered from 0, in the order in which they ran.
fn turns(facts: &Facts) -> Vec<Wrong> {
    let mut next: BTreeMap<u16, u16> = BTreeMap::new();
    let wrong = facts.iterations.iter().filter_map(|iteration| {
        let (case, iter) = (iteration.case, iteration.iter);
        let due = next.entry(case).or_default();
        let detail = (iter != *due).then(|| format!("case {case} iteration {iter}, due was {due}"));
        *due = iter.saturating_add(1);
        detail.map(|detail| (Some(iteration.line), detail))
    });
    wrong.collect()
}

fn splits(facts: &Facts) -> Vec<Wrong> {
    let told: HashSet<u16> = facts.iterations.iter().map(|iteration| iteration.case).collect();
    let known =
        |case: u16| told.contains(&case) || facts.all::<record::CaseSkipped>().any(|at| at.is.case == case);
    let orphans = facts.splits.iter().filter(|&(&case, _)| !known(case));
    let wrong = orphans.map(|(case, splits)| {
        let line = splits.values().next().map(|split| split.line);
        (line, format!("case {case} has splits, and neither ran nor was skipped"))
    });
    wrong.collect()
}
