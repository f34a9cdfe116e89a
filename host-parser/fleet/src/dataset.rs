//! The folder of the tables: `TABLE/v=1/experiment=NAME/day=YYYY-MM-DD/DIGEST.parquet`, as Hive's layout has it.
//!
//! Few files, each of many logs, are what engines read fast. A batch of logs is one file of each table, all of one name; the
//! file of `logs` is written last, so that a batch is there once it is. What was killed in the middle leaves files without
//! that one, which the next writer removes. One writer at a time: a lock is held.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use abi::Digest;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use parquet::schema::types::Type;
use results::{WriteError, write_atomically};

use crate::cell::{Column, FileError, Kind, Rows};
use crate::one_log::LogRows;
use crate::tables::{LOGS, TABLES, Table, VERSION};

/// How many bytes of rows are kept until they are written.
const MOST_BYTES: usize = 48 << 20;

/// How many logs are kept until they are written.
const MOST_LOGS: usize = 10_000;

/// What the names of half-written files begin with (`results::write_atomically`).
const HALF_WRITTEN: &str = ".assay-";

/// The file that a writer locks.
const LOCK: &str = ".assay.lock";

/// What the columns of labels begin with.
pub const LABEL: &str = "label_";

/// A dataset that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A file or a folder.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is not what this program writes.
    #[error("{}: {source}", path.display())]
    Form {
        /// Which.
        path: PathBuf,
        /// Why.
        source: ParquetError,
    },
    /// Another process writes.
    #[error("{}: another `assay fleet` writes into it; wait for its end", .0.display())]
    Locked(PathBuf),
    /// A table cannot be made.
    #[error(transparent)]
    Rows(#[from] FileError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> DatasetError + '_ {
    |source| DatasetError::Io { path: path.to_owned(), source }
}

/// A dataset that is open for writing.
#[derive(Debug)]
pub struct Dataset {
    root: PathBuf,
    /// Held as long as it is open.
    _lock: File,
    known: Known,
    pending: BTreeMap<Partition, Batch>,
    pending_bytes: usize,
    pending_logs: usize,
}

/// What is in the dataset already.
#[derive(Debug, Default)]
struct Known {
    /// The digests of all logs.
    sha256: HashSet<Digest>,
    /// How many rows there are of a file name and a digest.
    rows: HashMap<(String, Option<Digest>), usize>,
    /// The columns of labels.
    labels: BTreeSet<String>,
}

/// The keys of a folder.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Partition {
    experiment: String,
    day: String,
}

/// Logs that are written together.
#[derive(Debug)]
struct Batch {
    /// By table.
    rows: [Rows; 4],
    /// The names and the digests of its logs, one a line.
    logs: String,
}

impl Partition {
    fn folder(&self, root: &Path, table: &Table) -> PathBuf {
        let Self { experiment, day } = self;
        root.join(table.name).join(format!("v={VERSION}/experiment={experiment}/day={day}"))
    }
}

impl Dataset {
    /// Opens the dataset in `root`, which is made if it is not there, and removes what a killed writer left.
    ///
    /// # Errors
    /// It cannot be used, or another process writes into it.
    pub fn open(root: &Path) -> Result<Self, DatasetError> {
        fs::create_dir_all(root).map_err(io_at(root))?;
        let path = root.join(LOCK);
        let lock =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(io_at(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DatasetError::Locked(root.to_owned())),
            Err(TryLockError::Error(error)) => return Err(io_at(&path)(error)),
        }
        let logs = files(&root.join(LOGS.name))?;
        for table in TABLES.iter().filter(|table| table.name != LOGS.name) {
            remove_orphans(&root.join(table.name), &logs)?;
        }
        let mut known = Known::default();
        for (folder, name) in &logs {
            known.read(&root.join(LOGS.name).join(folder).join(name))?;
        }
        let (pending, root) = (BTreeMap::new(), root.to_owned());
        Ok(Self { root, _lock: lock, known, pending, pending_bytes: 0, pending_logs: 0 })
    }

    /// The digests of the logs that are in it.
    #[must_use]
    pub const fn digests(&self) -> &HashSet<Digest> {
        &self.known.sha256
    }

    /// The columns of labels that it has.
    #[must_use]
    pub fn labels(&self) -> &BTreeSet<String> {
        &self.known.labels
    }

    /// Whether a row of a log of this name with these bytes was there before, each of which counts once.
    pub fn take_row(&mut self, file_name: &str, sha256: Option<Digest>) -> bool {
        match self.known.rows.get_mut(&(file_name.to_owned(), sha256)) {
            Some(rows) if *rows > 0 => {
                *rows -= 1;
                true
            }
            _ => false,
        }
    }

    /// Adds a log: `log_row` is its row of the table of logs. Batches that are large enough are written.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn add(&mut self, log_row: Rows, log: LogRows, day: &str, name: &str) -> Result<(), DatasetError> {
        self.known.sha256.extend(log.sha256);
        let labels = log_row.columns.iter().map(Column::name).filter(|name| name.starts_with(LABEL));
        self.known.labels.extend(labels.map(str::to_owned));
        self.pending_bytes += log_row.bytes() + log.memory();
        self.pending_logs += 1;
        let partition = Partition { experiment: log.experiment.clone(), day: day.to_owned() };
        let digest = log.sha256.map(|sha256| sha256.to_string()).unwrap_or_default();
        let rows = [log_row, log.boot_rows, log.figure_rows, log.sample_rows];
        let line = format!("{digest} {name}\n");
        match self.pending.get_mut(&partition) {
            Some(batch) => {
                batch.rows.iter_mut().zip(rows).for_each(|(to, from)| to.append(from));
                batch.logs += &line;
            }
            None => drop(self.pending.insert(partition, Batch { rows, logs: line })),
        }
        if self.pending_bytes >= MOST_BYTES || self.pending_logs >= MOST_LOGS { self.flush() } else { Ok(()) }
    }

    /// Writes all that is kept.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn flush(&mut self) -> Result<(), DatasetError> {
        (self.pending_bytes, self.pending_logs) = (0, 0);
        for (partition, Batch { rows, logs }) in std::mem::take(&mut self.pending) {
            let name = format!("{}.parquet", Digest::of(logs.as_bytes()));
            // The table of logs is the first, and is written last.
            for (table, rows) in TABLES.iter().zip(&rows).rev() {
                let folder = partition.folder(&self.root, table);
                fs::create_dir_all(&folder).map_err(io_at(&folder))?;
                let mut bytes = Vec::new();
                rows.write(&mut bytes)?;
                write_atomically(&folder.join(&name), |out| out.write_all(&bytes))?;
            }
        }
        Ok(())
    }
}

impl Known {
    fn read(&mut self, path: &Path) -> Result<(), DatasetError> {
        let form = |source| DatasetError::Form { path: path.to_owned(), source };
        let file = File::open(path).map_err(io_at(path))?;
        let reader = SerializedFileReader::new(file).map_err(form)?;
        let schema = reader.metadata().file_metadata().schema();
        let named = |name: &str| schema.get_fields().iter().find(|field| field.name() == name).cloned();
        let labels =
            schema.get_fields().iter().map(|field| field.name()).filter(|name| name.starts_with(LABEL));
        self.labels.extend(labels.map(str::to_owned));
        let fields: Vec<_> = ["file_name", "log_sha256"].into_iter().filter_map(named).collect();
        let asked = Type::group_type_builder("assay").with_fields(fields).build().map_err(form)?;
        for row in reader.get_row_iter(Some(asked)).map_err(form)? {
            let row = row.map_err(form)?;
            let name = row.get_string(0).map_err(form)?.clone();
            let sha256 = row.get_string(1).ok().and_then(|digest| Digest::from_hex(digest));
            self.sha256.extend(sha256);
            *self.rows.entry((name, sha256)).or_default() += 1;
        }
        Ok(())
    }
}

/// The files of a table: the folder below the table's, and the name. Half-written ones are removed.
fn files(table: &Path) -> Result<Vec<(PathBuf, String)>, DatasetError> {
    let (mut found, mut folders) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        let whole = table.join(&folder);
        let entries = match fs::read_dir(&whole) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(io_at(&whole))?,
        };
        for entry in entries {
            let entry = entry.map_err(io_at(&whole))?;
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                folders.push(folder.join(name));
            } else if name.starts_with(HALF_WRITTEN) {
                fs::remove_file(&path).map_err(io_at(&path))?;
            } else if name.ends_with(".parquet") {
                found.push((folder.clone(), name));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Removes the files of a table that are of no batch in `logs`.
fn remove_orphans(table: &Path, logs: &[(PathBuf, String)]) -> Result<(), DatasetError> {
    for file in files(table)?.iter().filter(|file| logs.binary_search(file).is_err()) {
        let path = table.join(&file.0).join(&file.1);
        fs::remove_file(&path).map_err(io_at(&path))?;
    }
    Ok(())
}

/// Columns for labels, each with one value.
pub(crate) fn label_columns<'l>(
    columns: &'l [String],
    fields: Option<&'l [String]>,
) -> impl Iterator<Item = Column> + 'l {
    columns.iter().enumerate().map(move |(at, name)| {
        let mut column = Column::new(format!("{LABEL}{name}"), Kind::Text, true);
        let field = fields.and_then(|fields| fields.get(at)).filter(|field| !field.is_empty());
        column.add(field.map(String::as_str));
        column
    })
}

/// Whether text is a day of the calendar: `2026-11-29`.
pub(crate) fn is_day(text: &str) -> bool {
    text.len() == 10 && humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).is_ok()
}
