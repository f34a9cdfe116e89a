//! The rows of the platform: figures of a good log, and what takes a figure or the whole log away.

use abi::CpuId;
use abi::series::{SeriesClass, SeriesRow, Shortened};
use abi::wire::{Record, Text};
use evidence::gate::{Gate, HostEvidence, Measurement, ReasonCode, RunExpectation, SeriesState, Verdict};
use evidence::transcript::Transcript;
use test_support::guest::{Guest, KHZ};
use test_support::platform::{N, SAMPLES, log_with, records};

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

#[test]
fn a_row_is_never_missing() {
    let all = records(Shortened::None);
    for at in 1..all.len() {
        let mut some = all.clone();
        let gone = some.remove(at);
        let refused = reason(&some);
        // The histogram of no gaps has no `series-counts`, so each record that there is, is needed.
        assert!(
            matches!(refused, Some(ReasonCode::EvidenceMissing | ReasonCode::InconsistentRecord)),
            "{gone:?}: {refused:?}"
        );
    }
    assert_eq!(reason(&all[1..]), Some(ReasonCode::InconsistentRecord));
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
