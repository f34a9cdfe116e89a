//! Whether the records of the machine and of the cases agree on which CPUs exist and which cases ran.

use std::collections::{BTreeMap, BTreeSet};

use abi::wire::record::{self, CaseSkipped, CpuState, SkipReason};

use super::Run;
use crate::gate::facts::Facts;
use crate::gate::reason::ReasonCode;

/// What is wrong, and the line that shows it, if there is one.
type Wrong = (Option<u64>, String);

/// Compares them with each other. Needs a log without losses.
pub(in crate::gate) fn census(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    let rules = [cpus_twice, topology, warp, skipped, numbering, splits];
    for (line, detail) in rules.into_iter().flat_map(|rule| rule(run.facts)) {
        run.add(ReasonCode::InconsistentRecord, line, detail);
    }
}

fn cpus_twice(facts: &Facts) -> Vec<Wrong> {
    let mut listed = BTreeSet::new();
    // CPUs that the firmware lists but the kernel does not start are numbered separately.
    let started = facts.all::<record::Cpu>().filter(|cpu| cpu.is.state != CpuState::Skipped);
    let twice = started.filter(|cpu| !listed.insert(cpu.is.cpu));
    twice.map(|cpu| (Some(cpu.line), format!("CPU {} has a second `cpu` record", cpu.is.cpu))).collect()
}

fn topology(facts: &Facts) -> Vec<Wrong> {
    let online: BTreeSet<u16> = facts.online_cpus().collect();
    let absent = facts.topology.values().filter(|at| !online.contains(&at.is.cpu.0));
    absent
        .map(|at| (Some(at.line), format!("CPU {} has a `topology` record but is not online", at.is.cpu)))
        .collect()
}

/// A CPU that did not come to the warp test in time (its vCPU may not have been run) has no `offset`, and the least
/// handovers are none: then nothing shows that the clocks are in step, and no makespan is taken.
fn warp(facts: &Facts) -> Vec<Wrong> {
    let online = facts.online();
    let others = facts.all::<record::Offset>().count();
    let fits = |warp: &record::Warp| {
        warp.cpus == online || warp.cpus < online && warp.least == 0 && usize::from(warp.cpus) == others + 1
    };
    let other = facts.one::<record::Warp>().filter(|warp| !fits(&warp.is));
    let detail = |cpus| format!("the warp test had {cpus} CPUs, but {online} are online");
    other.map(|warp| (Some(warp.line), detail(warp.is.cpus))).into_iter().collect()
}

fn skipped(facts: &Facts) -> Vec<Wrong> {
    let online = facts.online();
    // The rule for sweeps judges the cases that a sweep skips.
    let sweeps = facts.one::<record::Sweep>().is_some();
    let wrong = facts
        .all::<CaseSkipped>()
        .filter_map(|at| Some((Some(at.line), skipped_wrongly(at.is, online, sweeps)?)));
    wrong.collect()
}

/// What is wrong with a `case-skipped` record on a machine with `online` CPUs, if anything.
fn skipped_wrongly(skipped: CaseSkipped, online: u16, sweeps: bool) -> Option<String> {
    let CaseSkipped { case, reason, online: said } = skipped;
    if said != online {
        Some(format!("case {case} was skipped with {said} CPUs online, but {online} are online"))
    } else if reason == SkipReason::Cpus && case <= online && !sweeps {
        Some(format!("case {case} was skipped for lack of CPUs, but {online} are online"))
    } else {
        None
    }
}

/// Each case's iterations are numbered from 0, in the order in which they ran.
fn numbering(facts: &Facts) -> Vec<Wrong> {
    let mut next: BTreeMap<u16, u16> = BTreeMap::new();
    let wrong = facts.iterations.iter().filter_map(|iteration| {
        let (case, iter) = (iteration.case, iteration.iter);
        let due = next.entry(case).or_default();
        let detail =
            (iter != *due).then(|| format!("case {case} iteration {iter} ran, iteration {due} was due"));
        *due = iter.saturating_add(1);
        detail.map(|detail| (Some(iteration.line), detail))
    });
    wrong.collect()
}

fn splits(facts: &Facts) -> Vec<Wrong> {
    let ran: BTreeSet<u16> = facts.iterations.iter().map(|iteration| iteration.case).collect();
    let known = |case: u16| ran.contains(&case) || facts.skipped.contains(&case);
    let orphans = facts.splits.iter().filter(|&(&case, _)| !known(case));
    let wrong = orphans.map(|(case, splits)| {
        let line = splits.values().next().map(|split| split.line);
        (line, format!("case {case} has splits, but it neither ran nor was skipped"))
    });
    wrong.collect()
}
