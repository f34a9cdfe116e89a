//! A plan, as text. It has no checksums: the fuzzer writes plans from the corpus on.

use std::collections::HashSet;

use abi::plan::{self, HEADER, MAX_WORKERS, Plan, PlanLine};

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

/// Every case with all of its splits, and nothing of the text left out.
fn is_complete(plan: &Plan<'_>, data: &[u8]) {
    let mut written = format!("{HEADER}\n");
    let mut write = |line: PlanLine| plan::write_line(&mut written, &line).expect("a String takes all");
    write(plan.head.into());
    write(plan.workload.into());
    write(plan.control.into());
    let mut seen = HashSet::new();
    for (case, splits) in plan.cases() {
        assert!((1..=MAX_WORKERS).contains(&case.workers) && case.iterations > 0 && case.timeout_ms > 0);
        assert!(seen.insert(case.workers), "a case is named by its workers");
        let splits: Vec<_> = splits.collect();
        assert!(splits.iter().map(|split| split.worker).eq(0..case.workers));
        write(case.into());
        splits.into_iter().for_each(|split| write(split.into()));
    }
    assert!(!seen.is_empty(), "a plan has a case");
    assert_eq!(written.as_bytes(), data, "written back");
}
