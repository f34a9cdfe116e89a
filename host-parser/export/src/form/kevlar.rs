//! The lines of Kevlar's benchmarks: `BENCH NAME ITERATIONS TOTAL PER`, with the time of all iterations and of one, in whole ns.
//!
//! A case is an iteration of its own: its total is that of all iterations that count. Of a row of the platform or of the
//! mechanisms, an iteration is an operation, over all boots that count. A line has one mean: it says nothing of the spread.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use evidence::gate::SeriesPlace;
use results::{Conclusion, Results, System};

use super::{Better, FormError};
use crate::Subject;
use crate::figures::{figures, times};

pub fn write(subjects: &[Subject<'_>], _: Better) -> Result<String, FormError> {
    // A name stands once in a file: a reader takes a second one for another run.
    let [subject] = subjects else { return Err(FormError::OneSession) };
    let mut lines = String::new();
    let all = figures(subject.results);
    for figure in &all {
        let nanos: Option<Vec<u64>> = times(subject.results, figure).iter().map(|time| time.nanos).collect();
        let nanos = nanos.ok_or(FormError::NoTime)?;
        line(&mut lines, &figure.name(subject), nanos.len() as u64, nanos.iter().sum());
    }
    for ((system, place), Sum { operations, nanos }) in rows(subject.results) {
        let name = format!("{}/{system}/{}", subject.results.experiment.name, name(place));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "ns of a session, above 0"
        )]
        line(&mut lines, &name, operations, nanos.round() as u64);
    }
    if lines.is_empty() { Err(FormError::Nothing) } else { Ok(lines) }
}

/// What took no time, or was not done, is no line.
fn line(lines: &mut String, name: &str, iterations: u64, total: u64) {
    if let Some(per) = total.checked_div(iterations).filter(|_| total > 0) {
        let _ = writeln!(lines, "BENCH {name} {iterations} {total} {per}");
    }
}

/// Operations over all boots, and how long all of them took.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    operations: u64,
    nanos: f64,
}

/// The rows that have a figure, of runs that count and show speed, in sessions that were not refused. Gaps are no operations.
fn rows(results: &Results) -> BTreeMap<(System, SeriesPlace), Sum> {
    let mut rows: BTreeMap<_, Sum> = BTreeMap::new();
    if matches!(results.conclusion(), Conclusion::Refused(_)) {
        return rows;
    }
    let counted = results.runs.iter().filter(|run| run.excluded.is_none() && run.functional_only.is_none());
    for run in counted {
        let platform = run.verdict.outcome.measurement().and_then(|measured| measured.platform());
        for series in platform.into_iter().flat_map(|platform| &platform.series) {
            let Some(figures) = series.figures().filter(|figures| figures.window.is_none()) else { continue };
            let operations = figures.n * figures.count;
            let sum = rows.entry((run.system, series.place)).or_default();
            sum.operations += operations;
            #[expect(clippy::cast_precision_loss, reason = "a count of operations")]
            let all = operations as f64;
            sum.nanos += figures.costs.mean * all;
        }
    }
    rows
}

/// `ipi_rt/cpu0-1`, `timer/50/cpu0`: one word.
fn name(SeriesPlace { row, arg, cpu, peer }: SeriesPlace) -> String {
    let arg = if arg == 0 { String::new() } else { format!("/{arg}") };
    let peer = peer.map(|peer| format!("-{peer}")).unwrap_or_default();
    format!("{row}{arg}/cpu{cpu}{peer}")
}
