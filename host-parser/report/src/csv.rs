//! samples.csv: one row for each worker of each sample, one for each time of a run that only the host spoiled, and one for
//! each other run that did not pass.

use std::io::{self, Write};

use results::{Results, RunRecord};
use serde::Serialize;

use super::exporter::Exporter;
use evidence::gate::{Experienced, ExperiencedTime, Sample, WorkerSample};

/// Writes every sample as rows of CSV (RFC 4180, with line feeds).
#[derive(Clone, Copy, Debug)]
pub struct SamplesCsv;

/// The header: the names of [`Row`]'s fields. Written even if there is no row.
const HEADER: [&str; 26] = [
    "run",
    "round",
    "system",
    "set_aside",
    "outcome",
    "reason",
    "functional_only",
    "case",
    "smt",
    "iteration",
    "basis",
    "sample_cycles",
    "sample_nanos",
    "makespan",
    "start_spread",
    "worker",
    "cpu",
    "skew",
    "cycles",
    "scaled",
    "answer",
    "work",
    "digest",
    "reads_before",
    "reads_after",
    "scope",
];

/// A row. Fields are `None`, and empty in the file, if they do not apply to the run.
#[derive(Default, Serialize)]
struct Row {
    run: u32,
    round: u32,
    system: &'static str,
    set_aside: u8,
    outcome: &'static str,
    reason: Option<&'static str>,
    functional_only: u8,
    case: Option<u16>,
    smt: Option<u8>,
    iteration: Option<u16>,
    basis: Option<&'static str>,
    sample_cycles: Option<u64>,
    sample_nanos: Option<u64>,
    makespan: Option<u64>,
    start_spread: Option<u64>,
    worker: Option<u16>,
    cpu: Option<u16>,
    skew: Option<u64>,
    cycles: Option<u64>,
    scaled: Option<u32>,
    answer: Option<u64>,
    work: Option<u64>,
    digest: Option<String>,
    reads_before: Option<u32>,
    reads_after: Option<u32>,
    /// What an interval of these times is about.
    scope: &'static str,
}

impl Exporter for SamplesCsv {
    fn file_name(&self) -> &'static str {
        "samples.csv"
    }

    fn export(&self, results: &Results, out: &mut dyn Write) -> io::Result<()> {
        let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(out);
        csv.write_record(HEADER)?;
        for row in results.runs.iter().flat_map(rows) {
            csv.serialize(Row { scope: results.experiment.pairing.scope().word(), ..row })?;
        }
        csv.flush()
    }
}

/// The rows of a run.
fn rows(run: &RunRecord) -> Vec<Row> {
    let Some(measurement) = run.verdict.outcome.measurement() else {
        let times = run.verdict.outcome.disturbed_times();
        return times.map_or_else(|| vec![Row::without_time(run)], |times| Row::of_times(run, times));
    };
    let khz = measurement.clock().tsc.as_ref().map(|tsc| tsc.khz);
    let mut rows = Vec::new();
    for sample in measurement.samples() {
        rows.extend(sample.workers.iter().map(|worker| Row::of_worker(run, khz, sample, worker)));
    }
    rows
}

impl Row {
    /// The fields that every row of a run begins with.
    fn of_run(run: &RunRecord) -> Self {
        Self {
            run: run.run,
            round: run.round_number,
            system: run.system.word(),
            set_aside: run.excluded.is_some().into(),
            outcome: run.verdict.outcome.word(),
            reason: run.verdict.outcome.refusal().map(|(reason, _)| reason.code()),
            functional_only: run.functional_only.is_some().into(),
            ..Self::default()
        }
    }

    fn without_time(run: &RunRecord) -> Self {
        Self { case: run.case, ..Self::of_run(run) }
    }

    /// The rows of a run that was refused only for what the host did: its times, as experienced.
    fn of_times(run: &RunRecord, times: &Experienced) -> Vec<Self> {
        let row = |time: &ExperiencedTime| Self {
            case: Some(time.case),
            iteration: Some(time.iteration),
            sample_cycles: Some(time.cycles.0),
            sample_nanos: times.khz().and_then(|khz| time.cycles.nanos(khz)).map(|nanos| nanos.0),
            ..Self::of_run(run)
        };
        times.times().iter().map(row).collect()
    }

    fn of_worker(run: &RunRecord, khz: Option<u64>, sample: &Sample, worker: &WorkerSample) -> Self {
        let excluded = run.excluded.is_some() || sample.excluded.is_some();
        Self {
            set_aside: excluded.into(),
            case: Some(sample.case),
            smt: Some(sample.smt.into()),
            iteration: Some(sample.iteration),
            basis: Some(sample.basis.word()),
            sample_cycles: Some(sample.cycles.0),
            sample_nanos: khz.and_then(|khz| sample.cycles.nanos(khz)).map(|nanos| nanos.0),
            makespan: Some(sample.makespan().0),
            start_spread: Some(sample.start_spread().0),
            worker: Some(worker.worker),
            cpu: Some(worker.cpu),
            skew: Some(worker.skew.0),
            cycles: Some(worker.cycles.0),
            scaled: Some(worker.scaled()),
            answer: Some(worker.task.answer),
            work: Some(worker.task.work),
            digest: Some(worker.task.digest.to_string()),
            reads_before: Some(worker.reads_before),
            reads_after: Some(worker.reads_after),
            ..Self::of_run(run)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_the_fields_of_a_row() {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.serialize(Row::default()).expect("a flat row");
        let text = String::from_utf8(csv.into_inner().expect("memory takes all")).expect("ASCII");
        assert_eq!(text.lines().next(), Some(HEADER.join(",").as_str()));
    }
}
