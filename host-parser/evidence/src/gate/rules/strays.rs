//! Interrupts that the kernel did not ask for, and NMIs: a device that firmware left live, a watchdog, a management
//! controller. They take time of an iteration and are neither the worker's fault nor the kernel's.

use std::collections::HashSet;

use abi::wire::record::{BootStage, InterruptVector, Interrupts, Panic};

use super::Run;
use crate::gate::facts::At;
use crate::gate::reason::ReasonCode;

/// Judges the `interrupts` and `interrupt-vector` records: what each says, and what it means for its iteration; and that
/// `boot-stage` belongs to a panic.
pub(in crate::gate) fn strays(run: &mut Run<'_>) {
    if let (Some(stage), None) = (run.facts.one::<BootStage>(), run.facts.one::<Panic>())
        && run.whole
    {
        let detail = format!("`boot-stage` {} without the `panic` that it belongs to", stage.is.stage);
        run.add(ReasonCode::InconsistentRecord, stage.line, detail);
    }
    let all: Vec<At<Interrupts>> = run.facts.all().collect();
    let mut vectors: Vec<Vec<InterruptVector>> = vec![Vec::new(); all.len()];
    for At { line, is } in run.facts.all::<InterruptVector>().collect::<Vec<_>>() {
        let before = all.partition_point(|interrupts| interrupts.line < line).checked_sub(1);
        match before.filter(|&at| belongs(&is, &all[at].is)) {
            Some(at) => vectors[at].push(is),
            None => {
                let detail =
                    format!("`interrupt-vector` of CPU {} without its `interrupts` before it", is.cpu);
                run.add(ReasonCode::InconsistentRecord, line, detail);
            }
        }
    }
    let mut seen = HashSet::new();
    for (interrupts, vectors) in all.into_iter().zip(vectors) {
        let At { line, is: Interrupts { case, iter, cpu, .. } } = interrupts;
        if let Some(wrong) = contradiction(&interrupts.is, &vectors) {
            run.add(ReasonCode::InconsistentRecord, line, format!("`interrupts` of CPU {cpu}: {wrong}"));
        }
        if case == 0 {
            continue;
        }
        if run.whole && !seen.insert((case, iter, cpu)) {
            let detail = format!("a second `interrupts` of CPU {cpu} in case {case} iteration {iter}");
            run.add(ReasonCode::InconsistentRecord, line, detail);
        }
        let iteration = run.facts.iterations.iter().find(|it| (it.case, it.iter) == (case, iter));
        let after = iteration.is_some_and(|it| it.end.is_some_and(|end| end.line < line));
        if run.whole && !after {
            let detail = format!("`interrupts` of CPU {cpu} is not behind case {case} iteration {iter}");
            run.add(ReasonCode::InconsistentRecord, line, detail);
        }
        disturb(run, interrupts, &vectors);
    }
}

/// Whether a vector is one of those that `interrupts` counts.
fn belongs(vector: &InterruptVector, interrupts: &Interrupts) -> bool {
    (vector.case, vector.iter, vector.cpu) == (interrupts.case, interrupts.iter, interrupts.cpu)
}

/// What an `interrupts` record says, or its vectors, that cannot be.
fn contradiction(interrupts: &Interrupts, vectors: &[InterruptVector]) -> Option<String> {
    let Interrupts { case, iter, unexpected, vector, nmis, .. } = *interrupts;
    if (unexpected > 0) != (vector > 0) {
        return Some(format!("{unexpected} interrupts, the first of vector {vector}"));
    }
    let each = vectors.iter().map(|of| of.vector);
    if let Some(none) = each.clone().chain([vector]).find(|&vector| vector > u16::from(u8::MAX)) {
        return Some(format!("there is no vector {none}"));
    }
    if vectors.first().is_some_and(|first| first.vector != vector) {
        return Some(format!("its vectors begin with {}, and the first is {vector}", vectors[0].vector));
    }
    let (different, sum): (usize, u64) =
        (each.collect::<HashSet<_>>().len(), vectors.iter().map(|of| u64::from(of.count)).sum());
    if different < vectors.len() || vectors.iter().any(|of| of.count == 0) || sum > u64::from(unexpected) {
        return Some(format!("its vectors are not all different, or not of {unexpected} interrupts"));
    }
    if unexpected == 0 && nmis == 0 {
        return Some("it counts nothing".to_owned());
    }
    (case == 0 && iter > 0).then(|| format!("it has iteration {iter} and no case"))
}

fn disturb(run: &mut Run<'_>, interrupts: At<Interrupts>, vectors: &[InterruptVector]) {
    let At { line, is: Interrupts { case, iter, cpu, unexpected, vector, nmis } } = interrupts;
    if unexpected > 0 {
        let detail = format!(
            "case {case} iteration {iter}: CPU {cpu} took {unexpected} interrupts that the kernel did not ask for, \
             {}",
            named(vector, vectors)
        );
        run.disturb(iter, ReasonCode::UnexpectedInterrupt, Some(line), detail);
    }
    if nmis > 0 {
        let detail = format!("case {case} iteration {iter}: CPU {cpu} took {nmis} non-maskable interrupts");
        run.disturb(iter, ReasonCode::Nmi, Some(line), detail);
    }
}

/// The vectors of the interrupts, with their counts if there are several.
fn named(first: u16, vectors: &[InterruptVector]) -> String {
    if vectors.is_empty() {
        return format!("the first of vector {first:#x}");
    }
    let each =
        vectors.iter().map(|InterruptVector { vector, count, .. }| format!("{count} of vector {vector:#x}"));
    each.collect::<Vec<_>>().join(", ")
}
