//! The rows of the platform on a real guest: all of them in one short boot, and what a log that leaves some out is worth.

use std::fs;
use std::time::Duration;

use abi::plan::Platform;
use abi::series::{SeriesRow, Shortened};
use abi::wire::Record;
use evidence::gate::{AskedRows, Gate, HostEvidence, Measurement, ReasonCode, RunExpectation, Verdict};
use evidence::transcript::Transcript;
use test_support::script::Script;

use crate::assay::{assay, manifest, run};
use crate::experiments::one_cpu;

const DEADLINE: Duration = Duration::from_secs(150);

/// What the manifest of this test asks for.
const ASKED: Platform = Platform { noise_ms: 100, short: Shortened::None, samples: true };

/// The verdict on a log of one boot.
fn judge(log: &[u8]) -> Verdict<Measurement> {
    let expectation = RunExpectation { platform: Some(AskedRows::from(ASKED)), ..RunExpectation::default() };
    // One host CPU: no vCPU need run beside another.
    let evidence = HostEvidence { vcpus: Some(2), host_cpus: Some(1), ..HostEvidence::default() };
    Gate::default().judge(&Transcript::read(log), &expectation, &evidence)
}

/// Boots two CPUs for a few samples of every row, and returns the log.
fn log() -> Vec<u8> {
    let out = tempfile::tempdir().unwrap();
    let options = ["run", "--label", "t", "--rounds", "1", "--no-probe", "--cpus", &one_cpu(), "--out"];
    let said = run(assay(options).arg(out.path()).arg(manifest("platform.toml")), DEADLINE);
    assert!(said.out.contains("PLATFORM, assay: one boot"), "{}{}", said.out, said.err);
    let runs = fs::read_dir(out.path().join("platform-quick/t/runs")).unwrap();
    let log =
        runs.map(|entry| entry.unwrap().path()).find(|path| path.to_string_lossy().ends_with(".serial.log"));
    fs::read(log.expect("the log of the run")).unwrap()
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn every_row_is_there_and_a_log_without_one_is_refused() {
    let log = log();
    let verdict = judge(&log);
    let measured = verdict.outcome.measurement().unwrap_or_else(|| panic!("{:?}", verdict.outcome.refusal()));
    let rows = measured.platform().unwrap();
    // A clock of another CPU that is as far as this one when it is read is possible on a translated CPU, and is no figure.
    for (place, reason, detail) in rows.failed() {
        assert_eq!(place.row, SeriesRow::TscOrder, "{place}: {reason}: {detail}");
    }
    for row in [SeriesRow::ExitCpuid, SeriesRow::IpiRt, SeriesRow::MemCopy, SeriesRow::HwNoise] {
        assert!(rows.of(row).any(|series| series.figures().is_some()), "{row}");
    }

    let script = Script::of(&log);
    let of_rows = |record: &Record| {
        matches!(record, Record::PlatformRows(_) | Record::Series(_) | Record::SeriesOracle(_))
            || matches!(record, Record::SeriesRange(_) | Record::SeriesCounts(_) | Record::SeriesSamples(_))
            || matches!(record, Record::SeriesNone(_) | Record::PlatformNote(_))
    };
    let without = |gone: &dyn Fn(&Record) -> bool| {
        let mut script = script.clone();
        script.records.retain(|envelope| !gone(&envelope.record));
        judge(&script.log()).outcome.refusal().map(|(reason, _)| reason)
    };
    assert_eq!(without(&of_rows), Some(ReasonCode::EvidenceMissing), "all rows");
    let samples_or_note = |record: &Record| {
        matches!(record, Record::SeriesSamples(_)) || matches!(record, Record::PlatformNote(_))
    };
    assert_eq!(without(&samples_or_note), Some(ReasonCode::EvidenceMissing), "samples and note");
    let last = script.records.iter().rev().find_map(|envelope| match envelope.record {
        Record::Series(series) => Some(series.id),
        _ => None,
    });
    // The gaps of the second CPU.
    let of_last = |record: &Record| match record {
        Record::Series(it) => Some(it.id) == last,
        Record::SeriesOracle(it) => Some(it.id) == last,
        Record::SeriesRange(it) => Some(it.id) == last,
        Record::SeriesCounts(it) => Some(it.id) == last,
        Record::SeriesSamples(it) => Some(it.id) == last,
        _ => false,
    };
    assert_eq!(without(&of_last), Some(ReasonCode::EvidenceMissing), "the gaps of one CPU");
}
