//! samples.csv: a row for each worker of each sample, and one for each run that has none. No value has a comma, a
//! quote or a line feed in it.

use std::io::{self, Write};

use results::{Results, RunRecord};

use super::exporter::Exporter;
use evidence::gate::{Measurement, Sample};

/// Writes every sample as a row of CSV (RFC 4180, with line feeds).
#[derive(Clone, Copy, Debug)]
pub struct SamplesCsv;

const HEADER: &str = "run,round,system,set_aside,outcome,reason,functional_only,case,smt,iteration,basis,sample_cycles,sample_nanos,\
                      makespan,start_spread,worker,cpu,skew,cycles,scaled,answer,work,digest,reads_before,reads_after";

impl Exporter for SamplesCsv {
    fn file_name(&self) -> &'static str {
        "samples.csv"
    }

    fn export(&self, results: &Results, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{HEADER}")?;
        for run in &results.runs {
            match run.verdict.outcome.measurement() {
                Some(measurement) => passed(out, run, measurement)?,
                None => refused(out, run)?,
            }
        }
        Ok(())
    }
}

/// The columns that every row of a run begins with; with those of `sample`, if it has any.
fn head(run: &RunRecord, sample: Option<&Sample>) -> String {
    let reason = run.verdict.outcome.refusal().map_or("", |(reason, _)| reason.code());
    let excluded = run.excluded.is_some() || sample.is_some_and(|sample| sample.excluded.is_some());
    let functional_only = u8::from(run.functional_only.is_some());
    let (word, set_aside) = (run.verdict.outcome.word(), u8::from(excluded));
    format!("{},{},{},{set_aside},{word},{reason},{functional_only}", run.run, run.round, run.system)
}

fn refused(out: &mut dyn Write, run: &RunRecord) -> io::Result<()> {
    let case = run.case.map(|case| case.to_string()).unwrap_or_default();
    writeln!(out, "{},{case}{}", head(run, None), ",".repeat(17))
}

fn passed(out: &mut dyn Write, run: &RunRecord, measurement: &Measurement) -> io::Result<()> {
    let khz = measurement.clock().tsc.as_ref().map(|tsc| tsc.khz);
    for sample in measurement.samples() {
        rows(out, &head(run, Some(sample)), khz, sample)?;
    }
    Ok(())
}

fn rows(out: &mut dyn Write, head: &str, khz: Option<u64>, sample: &Sample) -> io::Result<()> {
    let Sample { case, iteration, cycles, makespan, start_spread, .. } = sample;
    let nanos = khz.and_then(|khz| cycles.nanos(khz)).map(|nanos| nanos.0.to_string()).unwrap_or_default();
    let (basis, smt) = (sample.basis.word(), u8::from(sample.smt));
    for w in &sample.workers {
        writeln!(
            out,
            "{head},{case},{smt},{iteration},{basis},{cycles},{nanos},{makespan},{},{},{},{},{},{},{},{},{},{},{}",
            start_spread,
            w.worker,
            w.cpu,
            w.skew,
            w.cycles,
            w.scaled,
            w.answer,
            w.work,
            w.digest,
            w.reads_before,
            w.reads_after
        )?;
    }
    Ok(())
}
