//! A manifest, as text.

use std::path::Path;

use abi::plan::Plan;
use abi::wire::Label;
use experiment::manifest::{MIN_CLAIM_ROUNDS, Manifest, ManifestError, Problem};
use experiment::plan::{PlanBytes, PlanOptions, WorkerBlob};

use crate::small::of_any_size;

/// The most workers in all for which a plan is made.
const FEW: u16 = 64;

pub(crate) fn check(data: &[u8]) {
    match Manifest::parse_with(Path::new("x.toml"), data, of_any_size) {
        Ok(manifest) => fits_together(&manifest, data),
        Err(ManifestError::Invalid { problems, .. }) => {
            assert!(!problems.is_empty(), "refused without a word");
            assert!(problems.is_sorted_by_key(|problem| (problem.line, problem.column)));
            problems.iter().for_each(|problem| is_in_the_text(problem, data));
        }
        Err(error @ ManifestError::Read { .. }) => panic!("{error}"),
    }
}

fn is_in_the_text(problem: &Problem, data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|&byte| byte == b'\n').collect();
    let line = problem.line.checked_sub(1).and_then(|line| lines.get(line)).expect("a line of the text");
    assert!((1..=line.len() + 1).contains(&problem.column), "{problem}");
    assert!(!problem.message.is_empty());
}

fn fits_together(manifest: &Manifest, data: &[u8]) {
    assert_eq!(manifest.source().as_bytes(), data);
    let cases = manifest.cases();
    assert!(cases.iter().all(|case| (1..=255).contains(case)));
    assert_eq!(cases.is_empty(), manifest.sweep().is_some(), "either cases or a sweep");
    assert!((1..cases.len()).all(|at| !cases[..at].contains(&cases[at])), "each case once");
    assert!(manifest.rounds() >= 1);
    if let Some(gate) = manifest.gate() {
        let has = |case| cases.contains(&case) || manifest.sweep().is_some_and(|sweep| sweep.has(case));
        assert!(has(gate.from_workers) && has(gate.to_workers));
        let ideal = f64::from(gate.to_workers) / f64::from(gate.from_workers);
        assert!(gate.min_speedup > 0.0 && gate.min_speedup <= ideal && ideal > 1.0);
    }
    assert!(!manifest.can_claim() || (manifest.gate().is_some() && manifest.rounds() >= MIN_CLAIM_ROUNDS));
    let timeouts = manifest.timeouts();
    assert!(timeouts.run >= timeouts.boot + timeouts.worker);
    let name = manifest.name();
    assert!(!name.as_str().starts_with(['.', '-']) && !name.as_str().contains('/'), "the name of a folder");
    let answer = manifest.workload().expectation(manifest.params(), 0);
    assert_eq!((manifest.oracle().answer, manifest.oracle().work), (answer.answer, answer.work));
    if cases.iter().fold(0, |sum: u16, &case| sum.saturating_add(case)) <= FEW {
        makes_a_plan(manifest);
    }
}

fn makes_a_plan(manifest: &Manifest) {
    let name = Label::new(manifest.program()).expect("a program's name");
    let blob = WorkerBlob::new(name, b"\x7fELF".to_vec());
    let blob = if manifest.mechanisms().is_some() { blob.clone().with_tasks(blob) } else { blob };
    let plan = PlanBytes::new(manifest, &blob, manifest.cases(), PlanOptions::default());
    let plan = plan.expect("a manifest that was checked makes a plan");
    let plan = Plan::parse(plan.text().as_bytes()).expect("the kernel reads it");
    assert!(plan.cases().map(|(case, _)| case.workers).eq(manifest.cases().iter().copied()));
    assert_eq!(plan.sweep().is_some(), manifest.sweep().is_some());
    if let Some((sweep, knots)) = plan.sweep() {
        assert_eq!((sweep.answer, sweep.work), (manifest.oracle().answer, manifest.oracle().work));
        let [first, end, ..] = manifest.params();
        let knots: Vec<_> = knots.collect();
        assert!(knots.is_sorted() && (knots.first(), knots.last()) == (Some(&first), Some(&end)));
    }
    assert_eq!(plan.head.experiment, manifest.name());
    for (_, splits) in plan.cases() {
        let (answer, work) = splits.fold((0, 0), |sum, split| (sum.0 + split.answer, sum.1 + split.work));
        assert_eq!((answer, work), (manifest.oracle().answer, manifest.oracle().work));
    }
}
