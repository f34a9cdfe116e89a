//! The index as a file of SQLite.
//!
//! Several processes may write at once, and any may be killed at any moment: a session is one transaction, which takes the
//! write lock when it begins (`BEGIN IMMEDIATE`), waits for others, and is on the disk when it returns (`synchronous=FULL`).
//! The journal is a write-ahead log, except on file systems of a network: SQLite's shared memory does not work there
//! (sqlite.org, "Write-Ahead Logging", section 1), so a rollback journal takes its place.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::entry::{Entry, Row};

/// The name of the file, beside the folders of the experiments.
pub const NAME: &str = "history.sqlite";

/// The version of the tables. An index of an older version is made again: nothing is only in it.
const VERSION: i64 = 1;

/// How long a process waits for another that writes.
const PATIENCE: Duration = Duration::from_secs(30);

const TABLES: &str = "
    CREATE TABLE machine (machine_id TEXT PRIMARY KEY, key_json TEXT NOT NULL) STRICT;
    CREATE TABLE epoch (machine_id TEXT NOT NULL, epoch_id TEXT NOT NULL, soft_json TEXT NOT NULL,
        PRIMARY KEY (machine_id, epoch_id)) STRICT;
    CREATE TABLE folder (folder TEXT PRIMARY KEY, chain_bytes INTEGER NOT NULL, chain_written INTEGER NOT NULL,
        session TEXT, left_out TEXT) STRICT;
    CREATE TABLE session (session TEXT NOT NULL, row_set TEXT NOT NULL, head TEXT NOT NULL, folder TEXT NOT NULL,
        experiment TEXT NOT NULL, manifest TEXT NOT NULL, started_unix_ms INTEGER NOT NULL, tool TEXT NOT NULL,
        kernel TEXT NOT NULL, vmm TEXT NOT NULL, machine_id TEXT NOT NULL, epoch_id TEXT NOT NULL,
        outcome TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (session, row_set)) STRICT;
    CREATE INDEX session_of_experiment ON session (experiment, started_unix_ms);
    CREATE TABLE figure (session TEXT NOT NULL, row_set TEXT NOT NULL, system TEXT NOT NULL, workers INTEGER NOT NULL,
        work TEXT NOT NULL, metric TEXT NOT NULL, unit TEXT NOT NULL, rounds INTEGER NOT NULL, median REAL NOT NULL,
        low REAL, high REAL, PRIMARY KEY (session, row_set, system, workers, metric)) STRICT;
";

/// Why the index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// SQLite says so.
    #[error("{}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// It is of a newer version of Assay.
    #[error("{}: version {found} of the index, this tool reads {VERSION}: use the assay that made it, or remove the file", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
}

/// An open index.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    connection: Connection,
}

/// A session's folder as the index knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Known {
    pub folder: String,
    pub stamp: (i64, i64),
    /// Why it has no entry.
    pub left_out: Option<String>,
}

impl Index {
    /// Opens the index of the sessions in `out`; makes it if there is none.
    ///
    /// # Errors
    /// The file cannot be opened or made, or is of a newer version.
    pub fn open(out: &Path) -> Result<Self, IndexError> {
        let path = out.join(NAME);
        let failed = |source| IndexError::Sqlite { path: path.clone(), source };
        let connection = Connection::open(&path).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        let journal = if is_of_a_network(out) { "DELETE" } else { "WAL" };
        let pragmas = [("journal_mode", journal), ("synchronous", "FULL")];
        pragmas.iter().try_for_each(|(name, value)| set(&connection, name, value)).map_err(failed)?;
        let mut index = Self { path: path.clone(), connection };
        let found = index.make_tables().map_err(failed)?;
        if found > VERSION {
            return Err(IndexError::Newer { path, found });
        }
        Ok(index)
    }

    /// Makes the tables if there are none, or those of an older version; returns the version that was found.
    fn make_tables(&mut self) -> rusqlite::Result<i64> {
        let version = |connection: &Connection| {
            connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
        };
        let found = version(&self.connection)?;
        if found >= VERSION {
            return Ok(found);
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have made them meanwhile.
        let found = version(&transaction)?;
        if found < VERSION {
            let mut names = transaction.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
            let names: Vec<String> =
                names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            names.iter().try_for_each(|name| transaction.execute_batch(&format!("DROP TABLE \"{name}\"")))?;
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        transaction.commit()?;
        Ok(found)
    }

    /// Adds a session, or replaces what was known of it: all of it, or nothing if the process dies.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn put(&mut self, known: &Known, entries: &[Entry]) -> Result<(), IndexError> {
        let path = self.path.clone();
        self.write(known, entries).map_err(|source| IndexError::Sqlite { path, source })
    }

    fn write(&mut self, known: &Known, entries: &[Entry]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        forget(&transaction, &known.folder)?;
        let session = entries.first().map(|entry| entry.session.as_str());
        transaction.execute(
            "INSERT INTO folder VALUES (?1, ?2, ?3, ?4, ?5)",
            params![known.folder, known.stamp.0, known.stamp.1, session, known.left_out],
        )?;
        entries.iter().try_for_each(|entry| insert(&transaction, &known.folder, entry))?;
        transaction.commit()
    }

    /// Forgets the folders of `gone`, and the sessions that were in them.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn forget(&mut self, gone: &[String]) -> Result<(), IndexError> {
        let path = self.path.clone();
        let mut forget_all = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            gone.iter().try_for_each(|folder| forget(&transaction, folder))?;
            transaction.commit()
        };
        forget_all().map_err(|source| IndexError::Sqlite { path, source })
    }

    /// Every folder that it knows, by name.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn known(&self) -> Result<Vec<Known>, IndexError> {
        self.read(
            "SELECT folder, chain_bytes, chain_written, left_out FROM folder ORDER BY folder",
            [],
            |row| Ok(Known { folder: row.get(0)?, stamp: (row.get(1)?, row.get(2)?), left_out: row.get(3)? }),
        )
    }

    /// The names of all experiments, each with its number of sessions.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn experiments(&self) -> Result<Vec<(String, u64)>, IndexError> {
        self.read(
            "SELECT experiment, count(*) FROM session GROUP BY experiment ORDER BY experiment",
            [],
            |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())),
        )
    }

    pub(crate) fn read<T>(
        &self,
        query: &str,
        parameters: impl rusqlite::Params,
        of_row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, IndexError> {
        let read = || -> rusqlite::Result<Vec<T>> {
            let mut statement = self.connection.prepare(query)?;
            statement.query_map(parameters, of_row)?.collect()
        };
        read().map_err(|source| IndexError::Sqlite { path: self.path.clone(), source })
    }

    /// All rows of all tables but `folder`, as text: what two indexes of the same sessions have in common.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn dump(&self) -> Result<String, IndexError> {
        let mut text = String::new();
        for (table, columns) in [("machine", 2), ("epoch", 3), ("session", 14), ("figure", 11)] {
            let order: Vec<String> = (1..=columns).map(|column| column.to_string()).collect();
            let query = format!("SELECT * FROM {table} ORDER BY {}", order.join(", "));
            let lines = self.read(&query, [], |row| {
                let value = |column| Ok(format!("{:?}", row.get_ref(column)?));
                Ok((0..columns).map(value).collect::<rusqlite::Result<Vec<_>>>()?.join("\t"))
            })?;
            text += &format!("{table}\n{}\n", lines.join("\n"));
        }
        Ok(text)
    }

    /// That the file is whole (`PRAGMA integrity_check`).
    ///
    /// # Errors
    /// It is not, or cannot be read.
    pub fn check(&self) -> Result<Option<String>, IndexError> {
        let found: Vec<String> = self.read("PRAGMA integrity_check", [], |row| row.get(0))?;
        Ok(Some(found.join("; ")).filter(|found| found != "ok"))
    }
}

fn set(connection: &Connection, pragma: &str, value: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA {pragma} = {value}"), [], |_| Ok(())).optional().map(drop)
}

fn forget(transaction: &Transaction<'_>, folder: &str) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM figure WHERE (session, row_set) IN (SELECT session, row_set FROM session WHERE folder = ?1)",
        [folder],
    )?;
    transaction.execute("DELETE FROM session WHERE folder = ?1", [folder])?;
    transaction.execute("DELETE FROM folder WHERE folder = ?1", [folder])?;
    transaction.execute(
        "DELETE FROM epoch WHERE (machine_id, epoch_id) NOT IN (SELECT machine_id, epoch_id FROM session)",
        [],
    )?;
    transaction
        .execute("DELETE FROM machine WHERE machine_id NOT IN (SELECT machine_id FROM session)", [])?;
    Ok(())
}

fn insert(transaction: &Transaction<'_>, folder: &str, entry: &Entry) -> rusqlite::Result<()> {
    let (machine, epoch) = (entry.machine.machine_id(), entry.machine.epoch_id());
    let json = |facts: &[results::Fact]| serde_json::to_string(facts).unwrap_or_default();
    transaction.execute(
        "INSERT OR IGNORE INTO machine VALUES (?1, ?2)",
        params![machine, json(&entry.machine.hard)],
    )?;
    transaction.execute(
        "INSERT OR IGNORE INTO epoch VALUES (?1, ?2, ?3)",
        params![machine, epoch, json(&entry.machine.epoch)],
    )?;
    // A copy of a session is the same session: the last folder that was looked at has it.
    transaction.execute(
        "DELETE FROM figure WHERE session = ?1 AND row_set = ?2",
        params![entry.session, entry.set],
    )?;
    transaction.execute(
        "INSERT OR REPLACE INTO session VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
        params![
            entry.session,
            entry.set,
            entry.head,
            folder,
            entry.experiment,
            entry.manifest,
            i64::try_from(entry.started_unix_ms).unwrap_or(i64::MAX),
            entry.tool,
            entry.kernel,
            entry.vmm,
            machine,
            epoch,
            entry.outcome,
            entry.reason
        ],
    )?;
    for Row { system, case, work, metric, unit, n, median, interval } in &entry.rows {
        transaction.execute(
            "INSERT INTO figure VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
            params![
                entry.session,
                entry.set,
                system,
                case,
                work,
                metric,
                unit,
                i64::try_from(*n).unwrap_or(i64::MAX),
                median,
                interval.map(|of| of.0),
                interval.map(|of| of.1)
            ],
        )?;
    }
    Ok(())
}

/// Whether a folder is on a file system that other machines have too. The numbers are Linux's (statfs(2)): NFS, SMB, CIFS,
/// SMB 2, 9P, FUSE (which may be sshfs), AFS, Ceph, GFS 2, OCFS 2.
fn is_of_a_network(folder: &Path) -> bool {
    const NETWORKS: [u32; 10] = [
        0x6969,
        0x517b,
        0xff53_4d42,
        0xfe53_4d42,
        0x0102_1997,
        0x6573_5546,
        0x5346_414f,
        0x00c3_6400,
        0x0116_1970,
        0x7461_636f,
    ];
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    rustix::fs::statfs(folder).is_ok_and(|of| NETWORKS.iter().any(|&network| i64::from(network) == of.f_type))
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
