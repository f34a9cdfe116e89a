//! What the index keeps of a session.

use std::fs;
use std::path::Path;

use report::differences;
use results::seal::{Problem, SealedSession};
use results::{Conclusion, MachineKey, Results};

/// One set of results of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// SHA-256 of the first line of its chain.
    pub session: String,
    /// The row whose results these are; empty if the session has one set.
    pub set: String,
    /// SHA-256 of the last line of its chain.
    pub head: String,
    /// The experiment.
    pub experiment: String,
    /// Its manifest, by the path that it was read from.
    pub manifest: String,
    /// When it began, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// What recorded it.
    pub tool: String,
    /// The first 8 bytes of the build ID of the kernel of our first run that passed, in hexadecimal; empty if none did.
    pub kernel: String,
    /// The VMM and its version; empty if there was none.
    pub vmm: String,
    /// The machine.
    pub machine: MachineKey,
    /// What came of it, as a word.
    pub outcome: String,
    /// The reason code of a refusal; empty if it was not refused.
    pub reason: String,
    /// Its figures; none if it was refused.
    pub rows: Vec<Row>,
}

/// A figure of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What ran the workers.
    pub system: String,
    /// The case: how many workers.
    pub case: u16,
    /// SHA-256 of the worker's program, and what was asked of it: figures of other work are of another series.
    pub work: String,
    /// `time` or `speed-up` (`efficiency` if every worker does the whole).
    pub metric: String,
    /// `ms`, `Mcycles` or `x`.
    pub unit: String,
    /// How many rounds it is of.
    pub n: u64,
    /// The median over the rounds.
    pub median: f64,
    /// The interval of the median, if there are rounds enough.
    pub interval: Option<(f64, f64)>,
}

/// Verifies the session in `folder` and takes what the index keeps: an entry for each set of results.
///
/// # Errors
/// Why it is not taken, in words.
pub fn read(folder: &Path) -> Result<Vec<Entry>, String> {
    let session = SealedSession::read(folder).map_err(|error| error.to_string())?;
    if session.chain.end.is_none() {
        return Err("has no end: it still runs, or was killed".to_owned());
    }
    if let Some(problem) = problem(&session) {
        return Err(format!("does not verify: {problem}"));
    }
    Ok((0..session.sets().len()).map(|set| entry(&session, set)).collect())
}

/// The first thing that does not verify.
fn problem(session: &SealedSession) -> Option<Problem> {
    let of_files = |set| differences(&session.folder_of(set), &session.results(set)).into_iter().next();
    session.problems.first().cloned().or_else(|| (0..session.sets().len()).find_map(of_files))
}

fn entry(session: &SealedSession, set: usize) -> Entry {
    let (results, commitment) = (session.results(set), &session.chain.commitment);
    let conclusion = results.conclusion();
    let reason = match conclusion {
        Conclusion::Refused(reason) => reason.code().to_owned(),
        _ => String::new(),
    };
    let measured = results.runs.iter().find_map(|run| run.verdict.outcome.measurement());
    Entry {
        session: session.chain.commitment_sha256.to_string(),
        set: session.sets()[set].row.clone().unwrap_or_default(),
        head: session.chain.head.to_string(),
        experiment: results.experiment.name.clone(),
        manifest: results.experiment.manifest.clone().unwrap_or_default(),
        started_unix_ms: commitment.started_unix_ms,
        tool: commitment.tool.to_string(),
        kernel: measured.map_or_else(String::new, |of| of.identity().build.to_string()),
        vmm: results.environment.vmm_version().unwrap_or_default().to_owned(),
        machine: MachineKey::of(&results),
        outcome: word(conclusion).to_owned(),
        rows: if reason.is_empty() { rows(&results) } else { Vec::new() },
        reason,
    }
}

const fn word(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Measured => "measured",
        Conclusion::Holds => "holds",
        Conclusion::HoldsUndisturbed => "holds-undisturbed",
        Conclusion::WithinBoot => "within-boot",
        Conclusion::DoesNotHold => "does-not-hold",
        Conclusion::Inconclusive => "inconclusive",
        Conclusion::Refused(_) => "refused",
    }
}

/// The figures that show speed.
fn rows(results: &Results) -> Vec<Row> {
    let mut rows = Vec::new();
    for case in results.cases.iter().filter(|case| case.stats.functional_only.is_none()) {
        let stats = &case.stats;
        let Some(work) = work(results, case.system, stats.case) else { continue };
        let row = |metric: &str, unit: &str, n: usize, median: f64, interval| Row {
            system: case.system.word().to_owned(),
            case: stats.case,
            work: work.clone(),
            metric: metric.to_owned(),
            unit: unit.to_owned(),
            n: n as u64,
            median,
            interval,
        };
        let (unit, time) = stats.nanos.map_or(("Mcycles", stats.cycles), |nanos| ("ms", nanos));
        rows.push(row("time", unit, time.n, time.median / 1e6, None));
        if let Some(speedup) = stats.speedup.as_ref().filter(|of| of.against != stats.case && !stats.smt) {
            let metric = if results.experiment.is_weak() { "efficiency" } else { "speed-up" };
            let interval = speedup.interval.map(|of| (of.low, of.high));
            rows.push(row(metric, "x", speedup.ratios.len(), speedup.median, interval));
        }
    }
    rows
}

/// What a case of a system did: its program, and the whole that was asked of it.
fn work(results: &Results, system: results::System, case: u16) -> Option<String> {
    let runs = results.runs.iter().filter(|run| run.system == system && run.excluded.is_none());
    let mut measured = runs.filter_map(|run| run.verdict.outcome.measurement());
    let of_case = measured.find(|of| of.samples().iter().any(|sample| sample.case == case))?;
    let identity = of_case.identity();
    let [a, b, c, d] = identity.whole;
    Some(format!("{} {a} {b} {c} {d}", identity.blob_sha256))
}

/// The size of a session's chain and when it was written: as long as both are the same, it needs no second look.
pub fn stamp(folder: &Path) -> Option<(i64, i64)> {
    let file = fs::metadata(folder.join(results::seal::CHAIN)).ok()?;
    let written = file.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some((i64::try_from(file.len()).ok()?, i64::try_from(written.as_nanos()).ok()?))
}
