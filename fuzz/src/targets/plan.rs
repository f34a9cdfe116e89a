//! A plan, as text. It has no checksums, so the fuzzer can write plans itself.

use std::collections::HashSet;

use abi::plan::{self, CutPoint, HEADER, MAX_WORKERS, Needs, Plan, PlanLine, Sampling, WarmUp};
use abi::sweep::bounds;

pub(crate) fn check(data: &[u8]) {
    match Plan::parse(data) {
        Ok(plan) => is_complete(&plan, data),
        Err(error) => {
            let lines = 1 + data.iter().filter(|&&byte| byte == b'\n').count();
            assert!((1..=lines.max(4)).contains(&(error.line as usize)), "line {} of {lines}", error.line);
            assert!(!error.to_string().is_empty());
        }
    }
}

/// Every case with all of its splits, or the sweep with all of its cut points, and the whole text is accounted for.
fn is_complete(plan: &Plan<'_>, data: &[u8]) {
    let mut written = format!("{HEADER}\n");
    let mut write = |line: PlanLine| plan::write_line(&mut written, &line).expect("a String takes all");
    write(plan.head.into());
    write(plan.workload.into());
    write(plan.control.into());
    // Optional; without it the plan has the default.
    if data.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"warm-up ")) {
        write(WarmUp { ms: plan.warm_up_ms }.into());
    }
    let has_line = |kind: &[u8]| data.split(|&byte| byte == b'\n').any(|line| line.starts_with(kind));
    if plan.needs != Needs::NONE || has_line(b"needs ") {
        write(plan.needs.into());
    }
    if let Some(corpus) = plan.corpus {
        write(corpus.into());
    }
    if let Some(platform) = plan.platform {
        write(platform.into());
    }
    if let Some(mechanisms) = plan.mechanisms {
        write(mechanisms.into());
    }
    if has_line(b"sampling ") {
        write(Sampling { samples: plan.samples }.into());
    }
    plan.profile.objects().for_each(|object| write(object.into()));
    plan.profile.grants().for_each(|grant| write(grant.into()));
    let mut seen = HashSet::new();
    for (case, splits) in plan.cases() {
        assert!((1..=MAX_WORKERS).contains(&case.workers) && case.iterations > 0 && case.timeout_ms > 0);
        assert!(seen.insert(case.workers), "a case is named by its workers");
        let splits: Vec<_> = splits.collect();
        assert!(splits.iter().map(|split| split.worker).eq(0..case.workers));
        write(case.into());
        splits.into_iter().for_each(|split| write(split.into()));
    }
    assert_eq!(seen.is_empty(), plan.sweep().is_some(), "a plan has a case or a sweep");
    if let Some((sweep, cut_points)) = plan.sweep() {
        assert!(sweep.iterations > 0 && sweep.timeout_ms > 0);
        let cut_points: Vec<_> = cut_points.collect();
        is_partition(&cut_points, data);
        write(sweep.into());
        cut_points.into_iter().for_each(|at| write(CutPoint { at }.into()));
    }
    assert_eq!(written.as_bytes(), data, "written back");
}

/// The shares of some number of workers cover everything between the first cut point and the last.
fn is_partition(cut_points: &[u64], data: &[u8]) {
    let workers = 1 + u16::try_from(data.len()).unwrap_or(u16::MAX) % MAX_WORKERS;
    let mut at = cut_points[0];
    for worker in 0..workers {
        let (from, to) = bounds(cut_points, workers, worker).expect("a share for each worker");
        assert!(from == at && to >= from);
        at = to;
    }
    assert_eq!(Some(&at), cut_points.last());
}
