//! The lines of a plan after its head: cases with their splits, or a sweep with its cut points.

use super::{
    MAX_CUT_POINTS, MAX_WORKERS, Mechanisms, Needs, PlanError, PlanErrorKind, PlanLine, Sweep, parse_line,
};
use crate::grant::{MAX_CHUNKS, MAX_MEMORY_MIB, MAX_SHARED_KIB, MAX_STACK_KIB};
use crate::series::Shortened;
use crate::syscall::{Authority, Right};

/// Checks what a worker needs against what it can be granted, and against its authority.
pub(super) const fn needs(needs: &Needs, authority: Authority) -> Result<(), PlanErrorKind> {
    let Needs { memory_mib, stack_kib, shared_kib, chunks, .. } = *needs;
    let stack = stack_kib.is_multiple_of(4) && 0 < stack_kib && stack_kib <= MAX_STACK_KIB;
    let shared = shared_kib.is_multiple_of(4) && shared_kib <= MAX_SHARED_KIB;
    let authorised = authority.has(Right::SharedMemory) == (shared_kib > 0);
    let fits = memory_mib <= MAX_MEMORY_MIB && stack && shared && chunks <= MAX_CHUNKS;
    if fits && authorised { Ok(()) } else { Err(PlanErrorKind::BadNeeds) }
}

/// Checks what the tasks of the mechanisms need, and that there is a row to measure.
pub(super) fn mechanisms(asked: &Mechanisms) -> Result<(), PlanErrorKind> {
    let Mechanisms { memory_mib, shared_kib, rows, .. } = *asked;
    let shared = shared_kib.is_multiple_of(4) && shared_kib <= MAX_SHARED_KIB;
    let fits = shared && 0 < memory_mib && memory_mib <= MAX_MEMORY_MIB;
    if fits && rows != Shortened::None { Ok(()) } else { Err(PlanErrorKind::BadMechanisms) }
}

/// Checks a sweep, and that `cut_points` holds its cut points and nothing else. `number` is the line of the sweep.
pub(super) fn sweep(sweep: &Sweep, cut_points: &str, mut number: u32) -> Result<(), PlanError> {
    let fail = |line, kind| Err(PlanError { line, kind });
    if sweep.iterations == 0 || sweep.timeout_ms == 0 {
        return fail(number, PlanErrorKind::BadSweep);
    }
    let (mut count, mut last) = (0, 0);
    for line in cut_points.split_terminator('\n') {
        number += 1;
        match parse_line(line) {
            Err(error) => return fail(number, PlanErrorKind::Line(error)),
            Ok(PlanLine::CutPoint(point)) if point.at >= last && count < MAX_CUT_POINTS => {
                (count, last) = (count + 1, point.at);
            }
            Ok(PlanLine::CutPoint(_)) => return fail(number, PlanErrorKind::BadSweep),
            Ok(_) => return fail(number, PlanErrorKind::OutOfPlace),
        }
    }
    if count < 2 { fail(number + 1, PlanErrorKind::BadSweep) } else { Ok(()) }
}

/// Checks that `cases` holds at least one case, each followed by its splits. `number` is the line of the first.
pub(super) fn cases(cases: &str, mut number: u32) -> Result<(), PlanError> {
    // The splits that the current case still lacks, and its number of workers.
    let (mut lacking, mut workers) = (0, 0);
    // Records name a case by its number of workers, so there is at most one of each.
    let mut seen = [false; MAX_WORKERS as usize + 1];
    // Not `lines`, which drops a carriage return that `Splits` would not.
    for line in cases.split_terminator('\n') {
        let fail = |kind| Err(PlanError { line: number, kind });
        match parse_line(line) {
            Err(error) => return fail(PlanErrorKind::Line(error)),
            Ok(PlanLine::Case(_)) if lacking > 0 => return fail(PlanErrorKind::BadSplit),
            Ok(PlanLine::Case(case)) => {
                let fits =
                    (1..=MAX_WORKERS).contains(&case.workers) && case.iterations > 0 && case.timeout_ms > 0;
                let repeated =
                    seen.get_mut(usize::from(case.workers)).map(|seen| core::mem::replace(seen, true));
                if !fits || repeated != Some(false) {
                    return fail(PlanErrorKind::BadCase);
                }
                (lacking, workers) = (case.workers, case.workers);
            }
            Ok(PlanLine::Split(split)) if lacking > 0 && split.worker == workers - lacking => lacking -= 1,
            Ok(PlanLine::Split(_)) => return fail(PlanErrorKind::BadSplit),
            Ok(
                PlanLine::Head(_)
                | PlanLine::Workload(_)
                | PlanLine::Control(_)
                | PlanLine::WarmUp(_)
                | PlanLine::Needs(_)
                | PlanLine::Corpus(_)
                | PlanLine::Platform(_)
                | PlanLine::Mechanisms(_)
                | PlanLine::Sampling(_)
                | PlanLine::KernelObject(_)
                | PlanLine::HandleGrant(_)
                | PlanLine::Sweep(_)
                | PlanLine::CutPoint(_),
            ) => return fail(PlanErrorKind::OutOfPlace),
        }
        number += 1;
    }
    match (workers, lacking) {
        (0, _) => Err(PlanError { line: number, kind: PlanErrorKind::NoCase }),
        (_, 0) => Ok(()),
        _ => Err(PlanError { line: number, kind: PlanErrorKind::BadSplit }),
    }
}
