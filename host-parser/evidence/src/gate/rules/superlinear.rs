//! Whether n workers were more than n times as fast as one worker in the same boot. Cases of different boots are judged
//! with the claim.

use std::collections::BTreeMap;

use super::answers::Splits;
use super::{Run, basis, limits, span};
use crate::gate::facts::{Facts, params};
use crate::gate::reason::ReasonCode;
use crate::gate::sample::Basis;

/// Compares the cases of a boot. Needs a log without losses.
pub(in crate::gate) fn superlinear(run: &mut Run<'_>) {
    if !run.whole || run.refused() || run.is_functional_only() {
        return;
    }
    let times = times(run.facts);
    let Some(&(one, _)) = times.get(&1) else { return };
    for (&case, &(_, longest)) in times.iter().filter(|&(&case, _)| case > 1) {
        // As many times the work takes as many times the CPUs the same time, at best.
        let is_weak = run.facts.splits.get(&case).is_some_and(is_weak);
        let ideal = if is_weak { 1 } else { case };
        if is_superlinear(one, ideal, longest) {
            let detail = format!(
                "case 1 took {one} cycles at least, case {case} took {longest} cycles at most: more than {ideal} times as fast \
                 (limit {} per mille more)",
                limits::SUPERLINEAR_BOOT_PER_MILLE
            );
            run.add(ReasonCode::Superlinear, None, detail);
        }
    }
}

/// The shortest and the longest time of each case, in cycles.
fn times(facts: &Facts) -> BTreeMap<u16, (u64, u64)> {
    let mut times: BTreeMap<u16, (u64, u64)> = BTreeMap::new();
    for iteration in &facts.iterations {
        let Some(span) = span(iteration) else { continue };
        let time = match basis(facts, iteration.case) {
            Basis::Makespan => span.makespan,
            Basis::LongestWorker => span.longest,
        };
        let (least, most) = times.entry(iteration.case).or_insert((time, time));
        (*least, *most) = (time.min(*least), time.max(*most));
    }
    times
}

/// Whether each worker does the whole.
fn is_weak(splits: &Splits) -> bool {
    let mut params = splits.values().map(|split| params(&split.is));
    let first = params.next();
    splits.len() > 1 && params.all(|other| Some(other) == first)
}

fn is_superlinear(one: u64, ideal: u16, of_case: u64) -> bool {
    let allowed =
        u128::from(of_case) * u128::from(ideal) * u128::from(1_000 + limits::SUPERLINEAR_BOOT_PER_MILLE);
    u128::from(one) * 1_000 > allowed
}
