//! Every iteration that has a time: of a log for a fleet, and of a session for `assay export --format parquet`.

use evidence::gate::{Experienced, ExperiencedTime, Measurement, Sample};
use parquet::data_type::ByteArray;
use results::{Results, RunRecord};

use crate::cell::{Column, Kind, Rows, text};
use crate::tables::SampleRow;

/// Adds the samples of a row of a log.
pub fn add_samples(results: &Results, sha256: &ByteArray, to: &mut Rows) {
    results.runs.iter().for_each(|run| add_run(run, sha256, to));
}

fn add_run(run: &RunRecord, sha256: &ByteArray, to: &mut Rows) {
    match (run.verdict.outcome.measurement(), run.verdict.outcome.disturbed_times()) {
        (Some(measured), _) => {
            measured.samples().iter().for_each(|sample| of_sample(run, measured, sample, sha256).add(to));
        }
        (None, Some(times)) => {
            times.times().iter().for_each(|time| of_time(run, times, time, sha256).add(to));
        }
        (None, None) => {}
    }
}

fn of_sample(run: &RunRecord, measured: &Measurement, sample: &Sample, sha256: &ByteArray) -> SampleRow {
    let khz = measured.clock().tsc.map(|tsc| tsc.khz);
    let excluded = run.excluded.as_ref().or(sample.excluded.as_ref()).map(|why| why.reason.code());
    SampleRow {
        log_sha256: sha256.clone(),
        boot: run.run.into(),
        system: run.system.word(),
        workers: sample.case.into(),
        iteration: sample.iteration.into(),
        cycles: integer(sample.cycles.0),
        nanos: khz.and_then(|khz| sample.cycles.nanos(khz)).map(|nanos| integer(nanos.0)),
        basis: Some(sample.basis.word()),
        makespan_cycles: Some(integer(sample.makespan().0)),
        start_spread_cycles: Some(integer(sample.start_spread().0)),
        irqs: Some(sample.workers.iter().map(|worker| i64::from(worker.irqs)).sum()),
        counts: excluded.is_none(),
        excluded,
        smt: Some(sample.smt),
        functional_only: run.functional_only.is_some(),
    }
}

fn of_time(run: &RunRecord, times: &Experienced, time: &ExperiencedTime, sha256: &ByteArray) -> SampleRow {
    let nanos = times.khz().and_then(|khz| time.cycles.nanos(khz));
    SampleRow {
        log_sha256: sha256.clone(),
        boot: run.run.into(),
        system: run.system.word(),
        workers: time.case.into(),
        iteration: time.iteration.into(),
        cycles: integer(time.cycles.0),
        nanos: nanos.map(|nanos| integer(nanos.0)),
        basis: None,
        makespan_cycles: None,
        start_spread_cycles: None,
        irqs: None,
        counts: false,
        excluded: run.verdict.outcome.refusal().map(|(reason, _)| reason.code()),
        smt: None,
        functional_only: run.functional_only.is_some(),
    }
}

fn integer(of: u64) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

/// Where samples that are exported come from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'o> {
    /// The session's name.
    pub session: &'o str,
    /// The machine's short name.
    pub machine: &'o str,
}

/// The samples of sessions as one table: the columns of [`crate::SAMPLES`], and of each sample its session, experiment,
/// machine, tool and round, from 1. `log_sha256` is empty for a run whose log was not sealed.
#[must_use]
pub fn export_samples<'r>(of: impl IntoIterator<Item = (Origin<'r>, &'r Results)>) -> Rows {
    const TEXTS: [&str; 4] = ["session", "experiment", "machine_id", "tool"];
    let mut rows = SampleRow::none();
    let own = rows.columns.len();
    rows.columns.extend(TEXTS.map(|name| Column::new(name, Kind::Text, false)));
    rows.columns.push(Column::new("round", Kind::Integer, false));
    for (origin, results) in of {
        let (tool, experiment) = (results.tool.to_string(), results.experiment.name.as_str());
        let texts = [origin.session, experiment, origin.machine, &tool].map(text);
        for run in &results.runs {
            let sealed = run.made.sealed.as_ref().and_then(|sealed| sealed.log_sha256);
            let before = rows.count;
            add_run(run, &text(&sealed.map(|of| of.to_string()).unwrap_or_default()), &mut rows);
            for _ in before..rows.count {
                let mut columns = rows.columns[own..].iter_mut();
                for (value, column) in texts.iter().zip(&mut columns) {
                    column.add(value.clone());
                }
                columns.for_each(|column| column.add(run.round_number));
            }
        }
    }
    rows
}
