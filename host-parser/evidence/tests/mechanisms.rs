//! The rows of the mechanisms: figures of a good log, and what takes a figure or the whole log away.

use abi::Digest;
use abi::series::{SeriesRow, Shortened, Unavailable};
use abi::wire::record::{MechanismStub, SeriesNone};
use abi::wire::{Record, Text};
use evidence::gate::{
    AskedMechanisms, Gate, HostEvidence, Measurement, ReasonCode, RunExpectation, SeriesState, Verdict,
};
use evidence::transcript::Transcript;
use test_support::guest::Guest;
use test_support::mechanisms::{PROGRAM, records};
use test_support::platform::{log_with, samples_of};

const ASKED: AskedMechanisms = AskedMechanisms {
    program: PROGRAM,
    rows: Shortened::One(SeriesRow::NullEnter),
    short: Shortened::None,
    samples: false,
};

fn judge(records: &[Record], asked: Option<AskedMechanisms>) -> Verdict<Measurement> {
    let expectation = RunExpectation { mechanisms: asked, ..RunExpectation::default() };
    let log = log_with(&Guest::of(2), records);
    Gate::default().judge(&Transcript::read(&log), &expectation, &HostEvidence::default())
}

fn reason(records: &[Record]) -> Option<ReasonCode> {
    judge(records, Some(ASKED)).outcome.refusal().map(|(reason, _)| reason)
}

/// The reason after a change of each record.
fn reason_after(change: impl Fn(&mut Record)) -> Option<ReasonCode> {
    let mut records = records(Shortened::None);
    records.iter_mut().for_each(change);
    reason(&records)
}

/// The reason without the records that `drop` picks.
fn reason_without(drop: impl Fn(&Record) -> bool) -> Option<ReasonCode> {
    let mut records = records(Shortened::None);
    records.retain(|record| !drop(record));
    reason(&records)
}

fn state(records: &[Record]) -> SeriesState {
    let verdict = judge(records, Some(ASKED));
    let measured = verdict.outcome.measurement().unwrap_or_else(|| panic!("{:?}", verdict.outcome.refusal()));
    let row = measured.platform().and_then(|rows| rows.of(SeriesRow::NullEnter).next());
    row.expect("the row").state.clone()
}

#[test]
fn a_row_whose_counts_agree_has_figures_and_its_profile() {
    let good = records(Shortened::None);
    assert!(matches!(state(&good), SeriesState::Passed { .. }));
    let verdict = judge(&good, Some(ASKED));
    let rows = verdict.outcome.measurement().and_then(Measurement::platform).unwrap();
    let setting = rows.mechanisms.as_ref().unwrap();
    assert_eq!((setting.objects.len(), setting.grants.len()), (1, 1));
    assert_eq!(setting.program.map(|program| program.sha256), Some(PROGRAM));
}

#[test]
fn a_row_whose_kernel_counts_otherwise_has_no_number() {
    let mut changed = records(Shortened::None);
    for record in &mut changed {
        match record {
            Record::MechanismCounts(counts) => counts.kernel = counts.kernel.map(|count| count - 1),
            Record::SeriesOracle(oracle) => (oracle.done, oracle.wrong) = (oracle.done - 1, 1),
            _ => {}
        }
    }
    let SeriesState::Failed { reason, .. } = state(&changed) else { panic!("a number") };
    assert_eq!(reason, ReasonCode::VerifierMismatch);
}

#[test]
fn counts_that_the_oracle_hides_contradict_the_log() {
    let hidden = |record: &mut Record| {
        if let Record::MechanismCounts(counts) = record {
            counts.kernel = counts.kernel.map(|count| count - 1);
        }
    };
    assert_eq!(reason_after(hidden), Some(ReasonCode::InconsistentRecord));
    // The kernel's count alone agrees with the oracle, and the client's differs.
    let differs = |record: &mut Record| {
        if let Record::MechanismCounts(counts) = record {
            counts.client -= 1;
        }
    };
    assert_eq!(reason_after(differs), Some(ReasonCode::InconsistentRecord));
}

#[test]
fn nothing_may_be_left_out() {
    let missing = Some(ReasonCode::EvidenceMissing);
    assert_eq!(reason_without(|record| matches!(record, Record::MechanismCounts(_))), missing);
    assert_eq!(reason_without(|record| matches!(record, Record::MechanismNote(_))), missing);
    assert_eq!(reason_without(|record| matches!(record, Record::MechanismProgram(_))), missing);
    let first = |record: &Record| matches!(record, Record::MechanismStub(MechanismStub { op, .. }) if *op as u64 == 0);
    assert_eq!(reason_without(first), missing);
    assert_eq!(reason(&[]), missing);
}

#[test]
fn another_program_or_other_rows_are_not_the_plans() {
    let other = AskedMechanisms { program: Digest([1; 32]), ..ASKED };
    let verdict = judge(&records(Shortened::None), Some(other));
    assert_eq!(verdict.outcome.refusal().map(|(reason, _)| reason), Some(ReasonCode::BlobMismatch));
    let rows = AskedMechanisms { rows: Shortened::All, ..ASKED };
    let verdict = judge(&records(Shortened::None), Some(rows));
    assert_eq!(verdict.outcome.refusal().map(|(reason, _)| reason), Some(ReasonCode::PlanMismatch));
}

#[test]
fn samples_that_the_plan_asks_for_must_be_there() {
    let asked = Some(AskedMechanisms { samples: true, ..ASKED });
    let mut records = records(Shortened::None);
    let refusal = judge(&records, asked).outcome.refusal().map(|(reason, _)| reason);
    assert_eq!(refusal, Some(ReasonCode::EvidenceMissing));
    // Before its series, as a system prints them.
    let series = records.iter().position(|record| matches!(record, Record::Series(_))).expect("a series");
    records.insert(series, samples_of(0));
    assert_eq!(judge(&records, asked).outcome.refusal(), None);
}

#[test]
fn a_handle_of_no_object_or_in_another_slot_contradicts_the_log() {
    for change in [
        (|record| {
            if let Record::MechanismGrant(grant) = record {
                grant.slot = 1;
            }
        }) as fn(&mut Record),
        |record| {
            if let Record::MechanismObject(object) = record {
                object.name = abi::wire::Label::new("wall").unwrap();
            }
        },
        |record| {
            if let Record::MechanismStub(stub) = record {
                stub.code = Text::new("0f0");
            }
        },
    ] {
        assert_eq!(reason_after(change), Some(ReasonCode::InconsistentRecord));
    }
}

#[test]
fn a_task_that_was_lost_voids_the_log_and_an_operation_that_is_not_offered_does_not() {
    let with = |why| {
        let mut records = records(Shortened::None);
        records.retain(|record| {
            !matches!(
                record,
                Record::Series(_)
                    | Record::SeriesOracle(_)
                    | Record::SeriesRange(_)
                    | Record::SeriesCounts(_)
                    | Record::MechanismCounts(_)
            )
        });
        let note = records.len() - 1;
        let none =
            SeriesNone { row: SeriesRow::NullEnter, cpu: abi::CpuId(0), peer: None, arg: 0, reason: why };
        records.insert(note, none.into());
        reason(&records)
    };
    assert_eq!(with(Unavailable::NotOffered), None);
    assert_eq!(with(Unavailable::NotGranted), None);
    assert_eq!(with(Unavailable::TaskLost), Some(ReasonCode::InconsistentRecord));
    assert_eq!(with(Unavailable::NotApplicable), Some(ReasonCode::InconsistentRecord));
}

#[test]
fn a_shortened_row_that_holds_is_an_unnoticed_control() {
    let records = records(Shortened::All);
    let asked = AskedMechanisms { short: Shortened::All, ..ASKED };
    let verdict = judge(&records, Some(asked));
    assert_eq!(verdict.outcome.refusal().map(|(reason, _)| reason), Some(ReasonCode::ControlUnnoticed));
}
