//! From files to a dataset.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use abi::Digest;
use evidence::gate::Gate;
use results::seal::CHAIN;
use results::{Tool, WriteError, write_atomically};

use crate::cell::Micros;
use crate::dataset::{Dataset, DatasetError, label_columns};
use crate::hashing::Hashing;
use crate::labels::Labels;
use crate::one_log::{LogRows, Outcome, judge_log};
use crate::pool::in_order;
use crate::queries::{Engine, queries};
use crate::summary::Summary;
use crate::tables::LogRow;

/// What is to be done.
pub struct Fleet<'f> {
    /// Logs, and folders of them.
    pub logs: &'f [PathBuf],
    /// What is known of them from elsewhere.
    pub labels: Option<&'f Labels>,
    /// The folder of the dataset.
    pub out: &'f Path,
    /// How many logs are judged at a time; `None` for as many as there are CPUs.
    pub jobs: Option<NonZero<usize>>,
    /// Makes the gate of a log.
    pub gate: &'f (dyn Fn() -> Gate + Sync),
    /// What judges.
    pub tool: &'f Tool,
}

/// What was done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Gathered {
    /// What became of the logs.
    pub summary: Summary,
    /// The files with the queries.
    pub queries: Vec<PathBuf>,
}

/// What ends the work.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// A folder of logs cannot be read.
    #[error("{}: {source}", path.display())]
    Logs {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A session's folder, whose logs are judged with its own evidence.
    #[error("{}: a session's folder; `assay export --format parquet` exports sessions", .0.display())]
    Session(PathBuf),
    /// No file.
    #[error("no log in what was named: name the folder that the logs are in")]
    Nothing,
    /// The dataset.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The queries cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Judges the logs and adds them to the dataset; then writes the queries. `progress` is called after each log, with how many
/// are done, of how many.
///
/// # Errors
/// A folder of logs or the dataset cannot be used. A log that cannot be read is no error: it is a row.
pub fn gather(fleet: &Fleet<'_>, progress: &mut dyn FnMut(usize, usize)) -> Result<Gathered, GatherError> {
    let logs = files(fleet.logs)?;
    let mut dataset = Dataset::open(fleet.out)?;
    let mut summary = Summary { found: logs.len(), ..Summary::default() };
    if let Some(labels) = fleet.labels {
        summary.labels_without_log = labels.without_log(&logs).into_iter().map(str::to_owned).collect();
        summary.logs_without_labels = logs.iter().filter(|log| labels.of(log).is_none()).count();
    }
    let jobs = fleet.jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get);
    let before = dataset.digests().clone();
    in_order(
        jobs,
        &logs,
        |log| judge(log, &before, fleet),
        |at, judged| {
            let log = &logs[at];
            add(&mut dataset, &mut summary, fleet, log, judged)?;
            progress(at + 1, logs.len());
            Ok::<_, DatasetError>(())
        },
    )?;
    dataset.flush()?;
    let written: Result<Vec<_>, WriteError> = Engine::ALL
        .into_iter()
        .map(|engine| {
            let path = fleet.out.join(engine.file_name());
            let text = queries(engine, dataset.labels());
            write_atomically(&path, |out| out.write_all(text.as_bytes())).map(|()| path)
        })
        .collect();
    Ok(Gathered { summary, queries: written? })
}

/// Judges a log. One that is in the dataset from `before` is hashed, and not judged again.
fn judge(log: &Path, before: &HashSet<Digest>, fleet: &Fleet<'_>) -> LogRows {
    if !before.is_empty()
        && let Ok((sha256, bytes)) = Hashing::open(log).and_then(Hashing::finish)
        && before.contains(&sha256)
    {
        return LogRows::copy(sha256, bytes);
    }
    judge_log(log, (fleet.gate)(), fleet.tool)
}

/// Adds a log to the dataset, if it is not there.
fn add(
    dataset: &mut Dataset,
    summary: &mut Summary,
    fleet: &Fleet<'_>,
    log: &Path,
    judged: LogRows,
) -> Result<(), DatasetError> {
    let name = log.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if dataset.take_row(&name, judged.sha256) {
        summary.known += 1;
        return Ok(());
    }
    // Machines that printed nothing are not copies of each other.
    let is_copy =
        judged.outcome != Outcome::Empty && judged.sha256.is_some_and(|of| dataset.digests().contains(&of));
    let judged = match judged.sha256 {
        Some(sha256) if is_copy => LogRows::copy(sha256, judged.bytes),
        _ => judged,
    };
    summary.add(&judged);
    let mut rows = LogRow::none();
    judged.add_log_row(log, fleet.tool, now(), &mut rows);
    if let Some(labels) = fleet.labels {
        rows.columns.extend(label_columns(labels.columns(), labels.of(log)));
    }
    let day = fleet.labels.and_then(|labels| labels.day(log)).map_or_else(|| day_of(log), str::to_owned);
    dataset.add(rows, judged, &day, &name)
}

/// All files in the order in which they are named; those of a folder by their path.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, GatherError> {
    let mut files = Vec::new();
    for log in named {
        if log.is_dir() { search(log, &mut files)? } else { files.push(log.clone()) }
    }
    if files.is_empty() { Err(GatherError::Nothing) } else { Ok(files) }
}

fn search(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), GatherError> {
    if folder.join(CHAIN).exists() {
        return Err(GatherError::Session(folder.to_owned()));
    }
    let error = |source| GatherError::Logs { path: folder.to_owned(), source };
    let entries: Result<Vec<_>, io::Error> = fs::read_dir(folder).map_err(error)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(error)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { search(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// The day on which a log was last written (UTC); today, if that is not known.
fn day_of(log: &Path) -> String {
    let written = fs::metadata(log).and_then(|of| of.modified()).unwrap_or_else(|_| SystemTime::now());
    let text = humantime::format_rfc3339_seconds(written).to_string();
    text.get(..10).unwrap_or_default().to_owned()
}

fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
