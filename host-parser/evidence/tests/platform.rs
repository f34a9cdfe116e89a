//! The rows of the platform: figures of a good log, and what takes a figure or the whole log away.

use abi::CpuId;
use abi::series::{SeriesClass, SeriesRow, Shortened, Unavailable};
use abi::wire::record::{SeriesNone, SeriesSamples};
use abi::wire::{Record, Text};
use evidence::gate::{
    AskedRows, Gate, HostEvidence, Measurement, ReasonCode, RunExpectation, SeriesState, Verdict,
};
use evidence::transcript::Transcript;
use test_support::guest::{Guest, KHZ};
use test_support::platform::{N, NOISE_MS, SAMPLES, log_with, records, records_with_samples};

fn log(records: &[Record]) -> Vec<u8> {
    log_with(&Guest::of(2), records)
}

fn judge(log: &[u8]) -> Verdict<Measurement> {
    Gate::default().judge(&Transcript::read(log), &RunExpectation::default(), &HostEvidence::default())
}

fn reason(records: &[Record]) -> Option<ReasonCode> {
    judge(&log(records)).outcome.refusal().map(|(reason, _)| reason)
}

/// The state of the CPUID row after a change of the records.
fn state(change: impl Fn(&mut Record)) -> SeriesState {
    let mut records = records(Shortened::None);
    records.iter_mut().for_each(change);
    let verdict = judge(&log(&records));
    let measured = verdict.outcome.measurement().unwrap_or_else(|| panic!("{:?}", verdict.outcome.refusal()));
    let row = measured.platform().and_then(|rows| rows.of(SeriesRow::ExitCpuid).next());
    row.expect("the CPUID row").state.clone()
}

#[test]
fn a_row_whose_oracle_holds_has_figures_of_one_operation() {
    let SeriesState::Passed { figures } = state(|_| ()) else { panic!("no figures") };
    let ns = |cycles: f64| cycles * 1e6 / KHZ as f64 / N as f64;
    let near = |found: f64, cycles: f64| (found - ns(cycles)).abs() <= ns(cycles) / 64.0;
    assert_eq!((figures.n, figures.count, figures.class), (N, 10, SeriesClass::Batch));
    assert!(near(figures.costs.min, 1000.0) && near(figures.costs.max, 90_000.0));
    assert!(near(figures.costs.median, 1040.0), "{}", figures.costs.median);
    assert!(near(figures.costs.mean, SAMPLES.iter().sum::<u64>() as f64 / 10.0));
}

#[test]
fn a_row_whose_oracle_fails_has_no_number_and_the_others_keep_theirs() {
    let fails: [fn(&mut Record); 2] = [
        |record| {
            if let Record::SeriesOracle(oracle) = record
                && oracle.id == 0
            {
                oracle.done -= 1;
            }
        },
        |record| {
            if let Record::SeriesOracle(oracle) = record
                && oracle.id == 0
            {
                oracle.wrong = 1;
            }
        },
    ];
    for fail in fails {
        let failed = state(fail);
        let SeriesState::Failed { reason, .. } = failed else { panic!("{failed:?}") };
        assert_eq!(reason, ReasonCode::VerifierMismatch);
    }
}

#[test]
fn a_log_that_contradicts_itself_does_not_pass() {
    type Change = fn(&mut Record);
    let changes: [(&str, Change); 8] = [
        ("due", |record| {
            if let Record::SeriesOracle(oracle) = record {
                (oracle.due, oracle.done) = (oracle.due + 1 - 2 * u64::from(oracle.id), oracle.due + 1);
            }
        }),
        ("n", |record| {
            if let Record::Series(series) = record {
                series.n += 1;
            }
        }),
        ("count", |record| {
            if let Record::Series(series) = record {
                series.count += 1;
            }
        }),
        ("class", |record| {
            if let Record::Series(series) = record {
                series.class = SeriesClass::Event;
            }
        }),
        ("cpu", |record| {
            if let Record::Series(series) = record {
                series.cpu = CpuId(7);
            }
        }),
        ("min", |record| {
            if let Record::SeriesRange(range) = record {
                range.min += 100;
            }
        }),
        ("sum", |record| {
            if let Record::SeriesRange(range) = record {
                range.sum = range.sum / 2 + 1;
            }
        }),
        ("counts", |record| {
            if let Record::SeriesCounts(counts) = record {
                counts.counts = Text::new("111");
            }
        }),
    ];
    assert_eq!(reason(&records(Shortened::None)), None);
    for (name, change) in changes {
        let mut records = records(Shortened::None);
        records.iter_mut().for_each(change);
        assert_eq!(reason(&records), Some(ReasonCode::InconsistentRecord), "{name}");
    }
}

/// The reason for a refusal if the plan asks for these rows.
fn reason_of(records: &[Record], platform: AskedRows) -> Option<ReasonCode> {
    let expectation = RunExpectation { platform: Some(platform), ..RunExpectation::default() };
    let log = Transcript::read(&log(records));
    let verdict = Gate::default().judge(&log, &expectation, &HostEvidence::default());
    verdict.outcome.refusal().map(|(reason, _)| reason)
}

const ASKED: AskedRows = AskedRows { noise_ms: NOISE_MS, short: Shortened::None, samples: false };

#[test]
fn a_log_without_the_rows_that_the_plan_asks_for_lacks_evidence() {
    assert_eq!(reason_of(&records(Shortened::None), ASKED), None);
    // Without the expectation nothing in the log says that there should be rows.
    assert_eq!(reason(&[]), None);
    assert_eq!(reason_of(&[], ASKED), Some(ReasonCode::EvidenceMissing));
    let samples = AskedRows { samples: true, ..ASKED };
    assert_eq!(reason_of(&records(Shortened::None), samples), Some(ReasonCode::EvidenceMissing));
}

#[test]
fn rows_of_another_plan_do_not_pass() {
    let longer = AskedRows { noise_ms: NOISE_MS + 1, ..ASKED };
    assert_eq!(reason_of(&records(Shortened::None), longer), Some(ReasonCode::PlanMismatch));
    let short = AskedRows { short: Shortened::All, ..ASKED };
    assert_eq!(reason_of(&records(Shortened::None), short), Some(ReasonCode::PlanMismatch));
}

#[test]
fn a_log_without_any_one_record_of_its_rows_lacks_evidence() {
    let all = records(Shortened::None);
    for at in 1..all.len() {
        let mut some = all.clone();
        let gone = some.remove(at);
        // What follows a `series` that is gone belongs to nothing, which is found first.
        let wanted = match gone {
            Record::Series(_) => ReasonCode::InconsistentRecord,
            _ => ReasonCode::EvidenceMissing,
        };
        assert_eq!(reason(&some), Some(wanted), "{gone:?}");
    }
    assert_eq!(reason(&all[1..]), Some(ReasonCode::InconsistentRecord));
}

#[test]
fn a_row_must_be_at_every_place_of_its_machine() {
    // The gaps of the second CPU, with all that belongs to them.
    let of_second = |record: &Record| match record {
        Record::Series(series) => series.id == 2,
        Record::SeriesOracle(oracle) => oracle.id == 2,
        Record::SeriesRange(range) => range.id == 2,
        _ => false,
    };
    let mut some = records(Shortened::None);
    some.retain(|record| !of_second(record));
    assert_eq!(reason(&some), Some(ReasonCode::EvidenceMissing));
}

#[test]
fn a_place_or_a_reason_that_cannot_be_contradicts_the_log() {
    type Change = fn(&mut SeriesNone);
    let changes: [(&str, Change); 4] = [
        ("one-cpu", |none| none.reason = Unavailable::OneCpu),
        ("not-applicable", |none| none.reason = Unavailable::NotApplicable),
        ("peer", |none| (none.row, none.peer) = (SeriesRow::TscRead, Some(1))),
        ("arg", |none| (none.row, none.arg) = (SeriesRow::TscRead, 7)),
    ];
    for (name, change) in changes {
        let mut records = records(Shortened::None);
        let none = records.iter_mut().find_map(|record| match record {
            Record::SeriesNone(none) if none.row == SeriesRow::TscRead => Some(none),
            _ => None,
        });
        change(none.expect("a row without a series"));
        assert_eq!(reason(&records), Some(ReasonCode::InconsistentRecord), "{name}");
    }
}

#[test]
fn a_place_is_in_the_log_once() {
    let mut twice = records(Shortened::None);
    let none = *twice.iter().find(|record| matches!(record, Record::SeriesNone(_))).expect("a reason");
    twice.push(none);
    assert_eq!(reason(&twice), Some(ReasonCode::InconsistentRecord));
}

#[test]
fn samples_are_those_of_their_histogram() {
    let samples = AskedRows { samples: true, ..ASKED };
    assert_eq!(reason_of(&records_with_samples(), samples), None);
    type Change = fn(&mut SeriesSamples);
    let changes: [(&str, Change); 4] = [
        ("id", |samples| samples.id = 9),
        ("part", |samples| samples.part = 1),
        // One sample of ten.
        ("fewer", |samples| samples.samples = Text::new("8Z")),
        ("no numbers", |samples| samples.samples = Text::new("!!")),
    ];
    for (name, change) in changes {
        let mut records = records_with_samples();
        let found = records.iter_mut().find_map(|record| match record {
            Record::SeriesSamples(samples) => Some(samples),
            _ => None,
        });
        change(found.expect("samples"));
        assert_eq!(reason(&records), Some(ReasonCode::InconsistentRecord), "{name}");
    }
}

#[test]
fn a_shortened_row_must_fail_its_oracle() {
    let short = Shortened::One(SeriesRow::ExitCpuid);
    let mut records = records(short);
    assert_eq!(reason(&records), Some(ReasonCode::ControlUnnoticed));
    for record in &mut records {
        if let Record::SeriesOracle(oracle) = record
            && oracle.id == 0
        {
            oracle.done -= 10;
        }
    }
    assert_eq!(reason(&records), Some(ReasonCode::VerifierMismatch));
}
