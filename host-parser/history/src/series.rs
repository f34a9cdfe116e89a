//! The series of an experiment: one for each machine, system, case, program and figure.

use std::collections::BTreeMap;

use results::{Fact, MachineKey};
use rusqlite::params;
use stats::Changes;

use crate::index::{Index, IndexError};

/// One figure of one session.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The session's folder, below that of all.
    pub folder: String,
    /// When it began, in milliseconds since 1970 (UTC).
    pub started_unix_ms: i64,
    /// The manifest that it was of.
    pub manifest: String,
    /// Its kernel's build ID.
    pub kernel: String,
    /// Its VMM and version.
    pub vmm: String,
    /// Its epoch.
    pub epoch: String,
    /// The median over its rounds.
    pub median: f64,
    /// The interval of the median.
    pub interval: Option<(f64, f64)>,
}

/// A series.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The machine.
    pub machine: String,
    /// What ran the workers.
    pub system: String,
    /// How many workers.
    pub workers: u16,
    /// The program and what was asked of it.
    pub work: String,
    /// The figure.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// Its sessions, the earliest first.
    pub lines: Vec<Line>,
    /// What changed.
    pub changes: Changes,
    /// The indexes of sessions that begin an epoch, with what is new in it.
    pub epochs: Vec<(usize, Vec<String>)>,
}

/// All series of an experiment.
///
/// # Errors
/// The index cannot be read.
pub fn histories(index: &Index, experiment: &str) -> Result<Vec<History>, IndexError> {
    type Key = (String, String, u16, String, String, String);
    let mut all: BTreeMap<Key, Vec<Line>> = BTreeMap::new();
    let found = index.read(
        "SELECT s.machine_id, f.system, f.workers, f.metric, f.work, f.unit, s.folder, s.started_unix_ms, s.manifest,
                s.kernel, s.vmm, s.epoch_id, f.median, f.low, f.high
         FROM figure f JOIN session s USING (session, row_set)
         WHERE s.experiment = ?1 ORDER BY s.started_unix_ms, s.session, s.row_set",
        params![experiment],
        |row| {
            let key = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
            let interval = row.get::<_, Option<f64>>(13)?.zip(row.get::<_, Option<f64>>(14)?);
            let line = Line {
                folder: row.get(6)?,
                started_unix_ms: row.get(7)?,
                manifest: row.get(8)?,
                kernel: row.get(9)?,
                vmm: row.get(10)?,
                epoch: row.get(11)?,
                median: row.get(12)?,
                interval,
            };
            Ok((key, line))
        },
    )?;
    for (key, line) in found {
        all.entry(key).or_default().push(line);
    }
    let epochs = epochs(index)?;
    let mut series = Vec::new();
    for ((machine, system, workers, metric, work, unit), lines) in all {
        let values: Vec<f64> = lines.iter().map(|line| line.median).collect();
        let begun = begun(&machine, &lines, &epochs);
        let changes = Changes::of(&values);
        series.push(History { machine, system, workers, work, metric, unit, lines, changes, epochs: begun });
    }
    Ok(series)
}

/// The facts of every epoch, by machine and name.
fn epochs(index: &Index) -> Result<BTreeMap<(String, String), MachineKey>, IndexError> {
    let found = index.read("SELECT machine_id, epoch_id, soft_json FROM epoch", [], |row| {
        Ok(((row.get(0)?, row.get(1)?), row.get::<_, String>(2)?))
    })?;
    let facts = |json: String| {
        let facts: Vec<BTreeMap<String, String>> = serde_json::from_str(&json).unwrap_or_default();
        let fact = |mut of: BTreeMap<String, String>| {
            let name = NAMES.into_iter().find(|name| of.get("name").is_some_and(|of| of == name))?;
            Some(Fact { name, value: of.remove("value")? })
        };
        MachineKey { hard: Vec::new(), epoch: facts.into_iter().filter_map(fact).collect() }
    };
    Ok(found.into_iter().map(|(key, json)| (key, facts(json))).collect())
}

/// The names of the facts of an epoch.
const NAMES: [&str; 6] = ["firmware vendor", "firmware", "microcode", "hypervisor leaf", "host", "VMM"];

fn begun(
    machine: &str,
    lines: &[Line],
    epochs: &BTreeMap<(String, String), MachineKey>,
) -> Vec<(usize, Vec<String>)> {
    let facts = |line: &Line| epochs.get(&(machine.to_owned(), line.epoch.clone()));
    let pairs = lines.windows(2).enumerate().filter(|(_, pair)| pair[0].epoch != pair[1].epoch);
    let of_pair = |(at, pair): (usize, &[Line])| {
        let changed = facts(&pair[0]).zip(facts(&pair[1])).map(|(before, now)| now.changed_since(before));
        (at + 1, changed.unwrap_or_default())
    };
    pairs.map(of_pair).collect()
}
