//! Interrupts that the kernel did not ask for, and NMIs: a device that firmware left live, a watchdog, a management
//! controller. They take time of an iteration and are neither the worker's fault nor the kernel's.

use std::collections::HashSet;

use abi::wire::record::{BootStage, Interrupts, Panic};

use super::Run;
use crate::gate::facts::At;
use crate::gate::reason::ReasonCode;

/// Judges the `interrupts` records: what each says, and what it means for its iteration; and that `boot-stage` belongs to a
/// panic.
pub(in crate::gate) fn strays(run: &mut Run<'_>) {
    if let (Some(stage), None) = (run.facts.one::<BootStage>(), run.facts.one::<Panic>())
        && run.whole
    {
        let detail = format!("`boot-stage` {} without the `panic` that it belongs to", stage.is.stage);
        run.add(ReasonCode::InconsistentRecord, stage.line, detail);
    }
    let mut seen = HashSet::new();
    for interrupts in run.facts.all::<Interrupts>() {
        let At { line, is: Interrupts { case, iter, cpu, .. } } = interrupts;
        if let Some(wrong) = contradiction(&interrupts.is) {
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
        disturb(run, interrupts);
    }
}

/// What an `interrupts` record says that cannot be.
fn contradiction(interrupts: &Interrupts) -> Option<String> {
    let Interrupts { case, iter, unexpected, vector, nmis, .. } = *interrupts;
    if (unexpected > 0) != (vector > 0) {
        return Some(format!("{unexpected} interrupts, the first of vector {vector}"));
    }
    if vector > u16::from(u8::MAX) {
        return Some(format!("there is no vector {vector}"));
    }
    if unexpected == 0 && nmis == 0 {
        return Some("it counts nothing".to_owned());
    }
    (case == 0 && iter > 0).then(|| format!("it has iteration {iter} and no case"))
}

fn disturb(run: &mut Run<'_>, interrupts: At<Interrupts>) {
    let At { line, is: Interrupts { case, iter, cpu, unexpected, vector, nmis } } = interrupts;
    if unexpected > 0 {
        let detail = format!(
            "case {case} iteration {iter}: CPU {cpu} took {unexpected} interrupts that the kernel did not ask for, \
             the first of vector {vector:#x}"
        );
        run.disturb(iter, ReasonCode::UnexpectedInterrupt, Some(line), detail);
    }
    if nmis > 0 {
        let detail = format!("case {case} iteration {iter}: CPU {cpu} took {nmis} non-maskable interrupts");
        run.disturb(iter, ReasonCode::Nmi, Some(line), detail);
    }
}
