//! The figures that may leave: of cases that count, that show speed, in sessions that were not refused.

use results::{CaseRate, CaseStats, Conclusion, Results, System};

use crate::Subject;

/// A case of a system whose figures may be cited.
pub struct Figure<'r> {
    /// What ran the workers.
    pub system: System,
    /// Its figures.
    pub stats: &'r CaseStats,
    /// Whether every worker does the whole: then the ratio to the smallest case is the efficiency.
    weak: bool,
}

impl Figure<'_> {
    /// `smp-process-scale/assay/smp2`.
    pub fn name(&self, subject: &Subject<'_>) -> String {
        format!("{}/{}/{}", subject.results.experiment.name, self.system, self.stats.label)
    }

    /// What the ratio of the smallest case's time to its own is.
    pub const fn ratio_name(&self) -> &'static str {
        if self.weak { "efficiency" } else { "speed-up" }
    }

    /// Whether its ratio says something: it is not the case that others are compared with, and workers share no core.
    pub fn scales(&self) -> Option<&results::Speedup> {
        self.stats.speedup.as_ref().filter(|of| of.against != self.stats.case && !self.stats.smt)
    }
}

/// The figures of a session; none if it was refused.
pub fn figures(results: &Results) -> Vec<Figure<'_>> {
    if matches!(results.conclusion(), Conclusion::Refused(_)) {
        return Vec::new();
    }
    let cited = results.cases.iter().filter(|row| row.stats.functional_only.is_none());
    let weak = results.experiment.is_weak();
    cited.map(|row| Figure { system: row.system, stats: &row.stats, weak }).collect()
}

/// The work of a figure in a second, if its log has a count of work and its time is known in ns.
pub fn rate(results: &Results, figure: &Figure<'_>) -> Option<CaseRate> {
    let rates = results.rates();
    rates.into_iter().find(|of| (of.system, of.case) == (figure.system, figure.stats.case))
}

/// One iteration that counts.
pub struct Time {
    /// How long it took, in TSC cycles.
    pub cycles: u64,
    /// The same in ns, if the frequency is known.
    pub nanos: Option<u64>,
}

/// The iterations of a figure that count, in the order in which they were made.
pub fn times(results: &Results, figure: &Figure<'_>) -> Vec<Time> {
    let mut times = Vec::new();
    for run in results.runs.iter().filter(|run| run.system == figure.system && run.excluded.is_none()) {
        let Some(measured) = run.verdict.outcome.measurement() else { continue };
        let khz = measured.clock().tsc.as_ref().map(|tsc| tsc.khz);
        let counted =
            |sample: &&evidence::gate::Sample| sample.case == figure.stats.case && sample.excluded.is_none();
        times.extend(measured.samples().iter().filter(counted).map(|sample| Time {
            cycles: sample.cycles.0,
            nanos: khz.and_then(|khz| sample.cycles.nanos(khz)).map(|nanos| nanos.0),
        }));
    }
    times
}
