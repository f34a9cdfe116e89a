//! The checks of a plan's lines: what is granted, and after the head cases with their splits, or a sweep with its cut
//! points.

use super::reader::Reader;
use super::{MAX_CUT_POINTS, MAX_WORKERS, Mechanisms, Needs, PlanError, PlanErrorKind, PlanLine, Sweep};
use crate::grant::{MAX_CHUNKS, MAX_MEMORY_MIB, MAX_SHARED_KIB, MAX_STACK_KIB};
use crate::series::Shortened;
use crate::syscall::{Authority, Right};

/// Whether a worker can be granted what it needs, and has the authority for it.
pub(super) const fn needs(needs: &Needs, authority: Authority) -> bool {
    let Needs { memory_mib, stack_kib, shared_kib, chunks, .. } = *needs;
    let stack = stack_kib.is_multiple_of(4) && 0 < stack_kib && stack_kib <= MAX_STACK_KIB;
    let shared = shared_kib.is_multiple_of(4) && shared_kib <= MAX_SHARED_KIB;
    let authorised = authority.has(Right::SharedMemory) == (shared_kib > 0);
    memory_mib <= MAX_MEMORY_MIB && stack && shared && authorised && chunks <= MAX_CHUNKS
}

/// Whether the tasks of the mechanisms can be granted what they need, and there is a row to measure.
pub(super) fn mechanisms(asked: &Mechanisms) -> bool {
    let Mechanisms { memory_mib, shared_kib, rows, .. } = *asked;
    let shared = shared_kib.is_multiple_of(4) && shared_kib <= MAX_SHARED_KIB;
    shared && 0 < memory_mib && memory_mib <= MAX_MEMORY_MIB && rows != Shortened::None
}

/// Checks a sweep, which has just been read, and that its cut points follow it and nothing else.
pub(super) fn sweep(sweep: &Sweep, reader: &mut Reader<'_>) -> Result<(), PlanError> {
    reader.check(sweep.iterations > 0 && sweep.timeout_ms > 0, PlanErrorKind::BadSweep)?;
    let (mut count, mut last) = (0, 0);
    while let Some(line) = reader.next()? {
        let PlanLine::CutPoint(point) = line else { return Err(reader.fault(PlanErrorKind::OutOfPlace)) };
        reader.check(point.at >= last && count < MAX_CUT_POINTS, PlanErrorKind::BadSweep)?;
        (count, last) = (count + 1, point.at);
    }
    if count < 2 { Err(reader.fault_after(PlanErrorKind::BadSweep)) } else { Ok(()) }
}

/// Checks that at least one case follows, each with its splits, and nothing else.
pub(super) fn cases(reader: &mut Reader<'_>) -> Result<(), PlanError> {
    // The splits that the current case still lacks, and its number of workers.
    let (mut lacking, mut workers) = (0, 0);
    // Records name a case by its number of workers, so there is at most one of each.
    let mut seen = [false; MAX_WORKERS as usize + 1];
    while let Some(line) = reader.next()? {
        match line {
            PlanLine::Case(case) => {
                reader.check(lacking == 0, PlanErrorKind::BadSplit)?;
                let seen = seen.get_mut(usize::from(case.workers)).filter(|_| case.workers > 0);
                let is_new = seen.is_some_and(|seen| !core::mem::replace(seen, true));
                reader.check(is_new && case.iterations > 0 && case.timeout_ms > 0, PlanErrorKind::BadCase)?;
                (lacking, workers) = (case.workers, case.workers);
            }
            PlanLine::Split(split) => {
                let is_next = lacking > 0 && split.worker == workers - lacking;
                reader.check(is_next, PlanErrorKind::BadSplit)?;
                lacking -= 1;
            }
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
            | PlanLine::CutPoint(_) => return Err(reader.fault(PlanErrorKind::OutOfPlace)),
        }
    }
    match (workers, lacking) {
        (0, _) => Err(reader.fault_after(PlanErrorKind::NoCase)),
        (_, 0) => Ok(()),
        _ => Err(reader.fault_after(PlanErrorKind::BadSplit)),
    }
}
