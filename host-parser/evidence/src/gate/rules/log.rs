//! Whether the log has all records of one boot, and how the machine ended.

use abi::exit::GuestExit;
use abi::wire::Record;
use abi::wire::record::{self, PROTOCOL, RunStatus};

use crate::gate::evidence::{Ended, HostEvidence};
use crate::gate::facts::Facts;
use crate::gate::reason::ReasonCode;
use crate::gate::verdict::Findings;
use crate::transcript::{Boot, DefectKind, Extent};

/// Judges the log as a stream of records. `reset` is the line of a second boot that should not be there.
pub(in crate::gate) fn log(
    extent: Extent,
    boots: &[Boot],
    facts: &[Facts],
    reset: Option<u64>,
    evidence: &HostEvidence,
    findings: &mut Findings,
) {
    panics(facts, evidence, findings);
    if let Some(line) = reset {
        findings.add(ReasonCode::GuestReset, line, "the machine booted again before the run had ended");
    }
    ended(boots, evidence, findings);
    versions(boots, facts, findings);
    let unreadable = findings.has(ReasonCode::ProtocolVersion);
    if !unreadable {
        boots.iter().flat_map(|boot| &boot.defects).for_each(|defect| {
            if let Some(reason) = reason_of(&defect.kind) {
                findings.add(reason, defect.line, defect.kind.to_string());
            }
        });
        let more = boots.iter().map(|boot| boot.more_defects).sum();
        if more > 0 {
            findings.add_more(ReasonCode::CorruptRecord, more);
        }
    }
    match boots.last() {
        None if findings.is_empty() => findings.add(ReasonCode::NotAssay, None, describe(extent)),
        Some(boot) if !unreadable => end(boot, evidence, findings),
        _ => {}
    }
}

fn panics(facts: &[Facts], evidence: &HostEvidence, findings: &mut Findings) {
    for panic in facts.iter().filter_map(|facts| facts.one::<record::Panic>()) {
        let detail = format!("{} at {} on CPU {}", panic.is.message, panic.is.at, panic.is.cpu);
        findings.add(ReasonCode::KernelPanic, panic.line, detail);
    }
    let value = GuestExit::Panic.value();
    let host_saw = matches!(&evidence.ended, Ended::Panicked)
        || matches!(&evidence.ended, Ended::DebugExit { value: v } if *v == value);
    if host_saw && !findings.has(ReasonCode::KernelPanic) {
        findings.add(
            ReasonCode::KernelPanic,
            None,
            "the exit value is that of a panic; the log has no `panic` record",
        );
    }
}

/// Findings from how the host saw the machine end.
fn ended(boots: &[Boot], evidence: &HostEvidence, findings: &mut Findings) {
    let (reason, detail) = match &evidence.ended {
        Ended::Reset => (ReasonCode::GuestReset, "the VMM saw a reset or a triple fault".to_owned()),
        Ended::ResetToEnd if is_over(boots) => return,
        Ended::ResetToEnd => {
            (ReasonCode::GuestReset, format!("the guest reset before its end; {}", how_far(boots)))
        }
        Ended::InternalError { detail } => (ReasonCode::VmInternalError, detail.clone()),
        Ended::Deadline => (ReasonCode::Timeout, how_far(boots)),
        Ended::Cancelled => (ReasonCode::Cancelled, how_far(boots)),
        Ended::SerialOverflow { limit_bytes } => {
            (ReasonCode::SerialOverflow, format!("the guest printed more than {limit_bytes} bytes"))
        }
        Ended::Died { detail } => (ReasonCode::QemuFailed, detail.clone()),
        Ended::Unknown | Ended::DebugExit { .. } | Ended::Shutdown | Ended::Panicked => return,
    };
    findings.add(reason, None, detail);
}

/// Whether the last record is one after which the guest ends its machine.
fn is_over(boots: &[Boot]) -> bool {
    let last = boots.last().and_then(|boot| boot.records.last()).map(|located| located.envelope.record);
    matches!(last, Some(Record::End(_) | Record::Problem(_) | Record::Panic(_)))
}

/// The last record of a log, as a detail.
fn how_far(boots: &[Boot]) -> String {
    match boots.last().and_then(|boot| boot.records.last()) {
        None => "the guest had printed no record".to_owned(),
        Some(last) => format!(
            "the last record is number {}, `{}`, on line {}",
            last.envelope.seq,
            last.envelope.record.name(),
            last.line
        ),
    }
}

/// Whether the records have another protocol version: either `start` says so, or no record can be read and one has the
/// tag of another version.
fn versions(boots: &[Boot], facts: &[Facts], findings: &mut Findings) {
    for start in facts.iter().filter_map(|facts| facts.one::<record::Start>()) {
        if start.is.proto != PROTOCOL {
            let detail = format!(
                "the log has protocol version {}, this tool reads version {PROTOCOL}",
                start.is.proto
            );
            findings.add(ReasonCode::ProtocolVersion, start.line, detail);
        }
    }
    if boots.iter().any(|boot| !boot.records.is_empty()) {
        return;
    }
    let mut defects = boots.iter().flat_map(|boot| &boot.defects);
    let other = defects.find(|defect| matches!(defect.kind, DefectKind::Version(_)));
    if let Some(defect) = other {
        findings.add(ReasonCode::ProtocolVersion, defect.line, defect.kind.to_string());
    }
}

/// The reason for a defect. A log that is cut short gets `missing-end` instead.
fn reason_of(kind: &DefectKind) -> Option<ReasonCode> {
    Some(match kind {
        DefectKind::Corrupt(_) | DefectKind::Version(_) | DefectKind::MidLine => ReasonCode::CorruptRecord,
        DefectKind::Gap { .. } => ReasonCode::DroppedRecords,
        DefectKind::Duplicate { .. } => ReasonCode::DuplicateRecord,
        DefectKind::OutOfOrder { .. } | DefectKind::AfterEnd { .. } => ReasonCode::MisorderedRecord,
        DefectKind::EndCount { .. } | DefectKind::EndDigest => ReasonCode::EndDigest,
        DefectKind::CutShort => return None,
    })
}

/// What is in a log that has no record.
fn describe(extent: Extent) -> String {
    match (extent.bytes, extent.binary_bytes, extent.lines) {
        (0, ..) => "the log is empty".to_owned(),
        (bytes, binary, _) if binary > bytes / 10 => {
            format!("the log is binary: {binary} of its {bytes} bytes are not text")
        }
        (_, _, 1) => "the log has 1 line of text and no record".to_owned(),
        (_, _, lines) => format!("the log has {lines} lines of text and no record"),
    }
}

/// Reasons that explain why a log has no `end`.
const EXPLAINS_NO_END: [ReasonCode; 7] = [
    ReasonCode::KernelPanic,
    ReasonCode::Cancelled,
    ReasonCode::QemuFailed,
    ReasonCode::VmInternalError,
    ReasonCode::GuestReset,
    ReasonCode::SerialOverflow,
    ReasonCode::Timeout,
];

/// Whether the log has its `end`, or something explains why not.
fn end(boot: &Boot, evidence: &HostEvidence, findings: &mut Findings) {
    let cut = boot.defects.iter().find(|defect| defect.kind == DefectKind::CutShort);
    if boot.end().is_some() {
        if let Some(cut) = cut {
            findings.add(
                ReasonCode::CorruptRecord,
                cut.line,
                "the log has the beginning of a record after `end`",
            );
        }
        return;
    }
    let last = boot.records.last().map(|located| located.envelope.record);
    let refused = matches!(last, Some(Record::Problem(_)))
        || evidence.ended == (Ended::DebugExit { value: GuestExit::Refused.value() });
    if refused || EXPLAINS_NO_END.iter().any(|&reason| findings.has(reason)) {
        return;
    }
    match cut {
        Some(cut) => findings.add(ReasonCode::MissingEnd, cut.line, cut.kind.to_string()),
        None => findings.add(ReasonCode::MissingEnd, None, how_far(std::slice::from_ref(boot))),
    }
}

/// The errors that the guest reported; and if there is no other finding, the status of the whole run.
pub(in crate::gate) fn status(facts: &[Facts], evidence: &HostEvidence, findings: &mut Findings) {
    for problem in facts.iter().flat_map(|facts| facts.all::<record::Problem>()) {
        let detail = format!("{}: {}", problem.is.code, problem.is.detail);
        findings.add(ReasonCode::GuestError, problem.line, detail);
    }
    if !findings.is_empty() {
        return;
    }
    // The guest reports a failure if the machine is too small for a case, even if the expectation does not list the case.
    let skipped = facts.iter().any(|facts| facts.one::<record::CaseSkipped>().is_some());
    let ended = facts.last().and_then(|facts| facts.one::<record::End>());
    if let Some(end) = ended.filter(|end| end.is.status == RunStatus::Failed && !skipped) {
        findings.add(ReasonCode::GuestStatus, end.line, "the `end` record reports a failed run");
    }
    let Ended::DebugExit { value } = evidence.ended else { return };
    match GuestExit::from_value(value) {
        Some(GuestExit::Success) => {}
        Some(GuestExit::Failed) if skipped => {}
        Some(GuestExit::Refused) => {
            findings.add(
                ReasonCode::GuestError,
                None,
                "the exit value is that of an error; the log has no `error` record",
            );
        }
        _ => findings.add(ReasonCode::GuestStatus, None, format!("the guest's exit value is {value:#04x}")),
    }
}

/// A run whose plan makes something go wrong on purpose never passes. If no rule found anything, that is a finding.
pub(in crate::gate) fn control(facts: &[Facts], findings: &mut Findings) {
    let control = facts.iter().find_map(|facts| facts.one::<record::Control>());
    if let Some(control) = control.filter(|_| findings.is_empty()) {
        findings.add(
            ReasonCode::ControlUnnoticed,
            control.line,
            format!("the plan has the control `{}`", control.is.kind),
        );
    }
}
