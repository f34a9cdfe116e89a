//! The rows of the mechanisms: whether the log says with which program, objects, handles and stubs they were measured, and
//! whether those who counted the operations of a series agree with its oracle.

use std::collections::BTreeSet;

use abi::object::HANDLES;
use abi::series::Tier;
use abi::stub::{Op, STUB_BYTES};
use abi::task::TaskName;
use abi::wire::record::{
    MechanismCounts, MechanismGrant, MechanismNote, MechanismObject, MechanismProgram, MechanismRows,
    MechanismStub, SeriesOracle,
};

use super::series::Parts;
use super::{Run, platform_places};
use crate::gate::evidence::AskedMechanisms;
use crate::gate::facts::{At, Facts};
use crate::gate::platform_rows::Mechanisms;
use crate::gate::reason::ReasonCode;

/// Compares the rows with the plan, if it is known.
pub(super) fn asked(run: &mut Run<'_>) {
    let Some(AskedMechanisms { program, rows, short, samples }) = run.expectation.mechanisms else { return };
    let (begin, has) = (run.facts.one::<MechanismRows>(), run.facts.one::<MechanismProgram>());
    let (Some(begin), Some(has)) = (begin, has) else {
        let detail = "the plan asks for the rows of the mechanisms, and the log lacks `mechanism-rows` or their program";
        return run.add(ReasonCode::EvidenceMissing, None, detail);
    };
    if (begin.is.rows, begin.is.short) != (rows, short) {
        let detail = format!(
            "rows={} and short={}; the plan has rows={rows} and short={short}",
            begin.is.rows, begin.is.short
        );
        run.add(ReasonCode::PlanMismatch, begin.line, detail);
    }
    if has.is.sha256 != program {
        let detail = format!("the program of the tasks is {}, and the plan has {program}", has.is.sha256);
        run.add(ReasonCode::BlobMismatch, has.line, detail);
    }
    if samples {
        platform_places::samples_of(run, Tier::Mechanism);
    }
}

/// Judges what surrounds the rows, and the counts of each series.
pub(super) fn judge(run: &mut Run<'_>, parts: &[Parts]) {
    let Some(begin) = run.facts.one::<MechanismRows>() else { return };
    let missing = [
        ("mechanism-program", run.facts.one::<MechanismProgram>().is_none()),
        ("mechanism-note", run.facts.one::<MechanismNote>().is_none()),
    ];
    for (name, _) in missing.into_iter().filter(|(_, is_missing)| *is_missing) {
        run.add(ReasonCode::EvidenceMissing, begin.line, format!("the log has no `{name}`"));
    }
    if let Some(has) = run.facts.one::<MechanismProgram>().filter(|has| has.is.name != begin.is.program) {
        run.add(ReasonCode::InconsistentRecord, has.line, "the program is not that of the tasks");
    }
    profile(run);
    stubs(run, parts);
    let mut seen = BTreeSet::new();
    for counts in run.facts.all::<MechanismCounts>() {
        let of = parts.iter().find(|parts| parts.series.is.id == counts.is.id);
        let is_of_row = of.is_some_and(|parts| parts.series.is.row.spec().tier == Tier::Mechanism);
        if !is_of_row || !seen.insert(counts.is.id) {
            run.add(ReasonCode::InconsistentRecord, counts.line, "counts of no series, or a second time");
        }
    }
    for parts in parts.iter().filter(|parts| parts.series.is.row.spec().tier == Tier::Mechanism) {
        let (id, line) = (parts.series.is.id, parts.series.line);
        let Some(counts) = run.facts.all::<MechanismCounts>().find(|counts| counts.is.id == id) else {
            run.add(ReasonCode::EvidenceMissing, line, format!("series {id} has no `mechanism-counts`"));
            continue;
        };
        let oracle = run.facts.all::<SeriesOracle>().find(|oracle| oracle.is.id == id);
        if let Some(detail) = oracle.and_then(|oracle| contradiction(&counts.is, &oracle.is)) {
            run.add(ReasonCode::InconsistentRecord, counts.line, format!("series {id}: {detail}"));
        }
    }
}

/// With what the rows were measured.
pub(super) fn setting(facts: &Facts) -> Mechanisms {
    Mechanisms {
        program: facts.one::<MechanismProgram>().map(|at| at.is),
        objects: facts.all::<MechanismObject>().map(|at| at.is).collect(),
        grants: facts.all::<MechanismGrant>().map(|at| at.is).collect(),
        stubs: facts.all::<MechanismStub>().map(|at| at.is).collect(),
    }
}

/// In what the counts of a series contradict its oracle.
fn contradiction(counts: &MechanismCounts, oracle: &SeriesOracle) -> Option<String> {
    let MechanismCounts { outside, client, partner, kernel, .. } = *counts;
    let own = client.wrapping_add(outside);
    let last = kernel.or(partner).unwrap_or(own).wrapping_sub(outside);
    if last != oracle.done {
        return Some(format!("{last} operations are counted, and the oracle says {}", oracle.done));
    }
    let differ = [partner, kernel].into_iter().flatten().filter(|&count| count != own).count();
    (u64::try_from(differ).unwrap_or(u64::MAX) > oracle.wrong).then(|| {
        format!("{differ} counts differ from the client's, and the oracle says {} wrong", oracle.wrong)
    })
}

/// Handles are of objects that there are, and each task's slots are numbered from 0.
fn profile(run: &mut Run<'_>) {
    let names: Vec<_> = run.facts.all::<MechanismObject>().map(|at| at.is.name).collect();
    let distinct: BTreeSet<_> = names.iter().map(|name| name.as_str().to_owned()).collect();
    if distinct.len() != names.len() {
        run.add(ReasonCode::InconsistentRecord, None, "two objects of the mechanisms have one name");
    }
    for &task in TaskName::ALL {
        let own: Vec<_> = run.facts.all::<MechanismGrant>().filter(|at| at.is.task == task).collect();
        for (slot, At { line, is }) in (0..).zip(own) {
            let fits = is.slot == slot && usize::from(slot) < HANDLES && names.contains(&is.object);
            if !fits {
                let detail = format!("a handle of {task} in another slot than {slot}, or of no object");
                run.add(ReasonCode::InconsistentRecord, line, detail);
            }
        }
    }
}

/// A system that has a series shows the code of every operation.
fn stubs(run: &mut Run<'_>, parts: &[Parts]) {
    let has_series = parts.iter().any(|parts| parts.series.is.row.spec().tier == Tier::Mechanism);
    let of = |op| run.facts.all::<MechanismStub>().filter(move |at| at.is.op == op);
    let mut found = Vec::new();
    for &op in Op::ALL {
        for (part, At { line, is }) in (0_u16..).zip(of(op)) {
            let digits: Vec<u8> = is.code.decoded().collect();
            let is_hex = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
            let whole = digits.len() / 2 <= usize::try_from(STUB_BYTES).unwrap_or(0);
            if is.part != part || !is_hex || !digits.len().is_multiple_of(2) || digits.is_empty() || !whole {
                found.push((line, format!("the code of `{op}` is not whole bytes in parts from 0")));
            }
        }
    }
    for (line, detail) in found {
        run.add(ReasonCode::InconsistentRecord, line, detail);
    }
    let silent = Op::ALL.iter().find(|&&op| of(op).next().is_none());
    if let Some(op) = silent.filter(|_| has_series) {
        run.add(ReasonCode::EvidenceMissing, None, format!("the log has no `mechanism-stub` of `{op}`"));
    }
}
