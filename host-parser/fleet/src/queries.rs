//! The questions that most people ask of a fleet, in SQL.
//!
//! The views differ by engine, because each has its own way to name Hive's folders; the questions are the same text. In all of
//! them a machine counts once: its figure is the median of its own iterations, and what is said of several machines is said of
//! these figures. A boot that several logs have counts in the first of them only.

use std::collections::BTreeSet;

use crate::dataset::LABEL;
use crate::tables::{TABLES, VERSION};

/// An engine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Engine {
    /// DuckDB.
    DuckDb,
    /// Apache DataFusion.
    DataFusion,
}

impl Engine {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::DuckDb, Self::DataFusion];

    /// The file of its queries.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::DuckDb => "queries.sql",
            Self::DataFusion => "queries-datafusion.sql",
        }
    }

    const fn use_it(self) -> &'static str {
        match self {
            Self::DuckDb => "DuckDB, in this folder: duckdb < queries.sql",
            Self::DataFusion => "DataFusion, in this folder: datafusion-cli -f queries-datafusion.sql",
        }
    }

    fn table(self, name: &str) -> String {
        match self {
            // A column that is new in later files is NULL in older ones only by union_by_name. Names of experiments stay text.
            Self::DuckDb => format!(
                "CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet('{name}/v={VERSION}/*/*/*.parquet',\n  \
                 hive_partitioning = true, union_by_name = true,\n  \
                 hive_types = {{'v': BIGINT, 'experiment': VARCHAR, 'day': DATE}});\n"
            ),
            Self::DataFusion => format!(
                "CREATE EXTERNAL TABLE {name} STORED AS PARQUET\n  \
                 PARTITIONED BY (v, experiment, day) LOCATION '{name}/';\n"
            ),
        }
    }
}

/// Views of the machines, over the tables.
const VIEWS: &str = "\
-- Logs with a boot that passed in another log too: one machine's boot, in two logs. One of them counts.
CREATE OR REPLACE VIEW repeated AS
SELECT DISTINCT b.log_sha256
FROM boots b JOIN (
  SELECT nonce, min(log_sha256) AS first FROM boots WHERE outcome = 'passed' GROUP BY nonce) f ON b.nonce = f.nonce
WHERE b.outcome = 'passed' AND b.log_sha256 <> f.first;

-- The machines: a log with a boot that passed.
CREATE OR REPLACE VIEW vms AS
SELECT l.*, b.machine_id, b.cpu_model, b.hypervisor, b.cpus
FROM logs l JOIN (
  SELECT log_sha256, min(machine_id) AS machine_id, min(cpu_model) AS cpu_model,
    min(hypervisor) AS hypervisor, max(cpus) AS cpus
  FROM boots WHERE outcome = 'passed' GROUP BY log_sha256) b ON l.log_sha256 = b.log_sha256
WHERE l.outcome IN ('judged', 'partly')
  AND l.log_sha256 NOT IN (SELECT log_sha256 FROM repeated);

-- One figure for each machine: rows of the platform, which have one for each CPU, by their median.
CREATE OR REPLACE VIEW vm_figures AS
SELECT f.log_sha256, f.boot_experiment, f.system, substr(f.work, 1, 8) AS work, f.metric, f.unit, f.better,
  f.workers, f.arg, median(f.median) AS figure, sum(f.n) AS n
FROM figures f
WHERE NOT f.functional_only
GROUP BY f.log_sha256, f.boot_experiment, f.system, substr(f.work, 1, 8), f.metric, f.unit, f.better,
  f.workers, f.arg;
";

/// The questions, each with its name.
const QUESTIONS: &[(&str, &str)] = &[
    (
        "What became of the logs",
        "SELECT outcome, count(*) AS logs, sum(boots) AS boots, sum(passed) AS passed
FROM logs GROUP BY outcome ORDER BY outcome",
    ),
    (
        "Why boots did not pass, and a log to look at",
        "SELECT b.reason, count(*) AS boots, count(DISTINCT b.log_sha256) AS logs, min(l.file) AS example
FROM boots b JOIN logs l ON b.log_sha256 = l.log_sha256 AND l.outcome <> 'copy'
WHERE b.outcome <> 'passed' GROUP BY b.reason ORDER BY boots DESC, b.reason",
    ),
    (
        "Logs without a boot that was judged",
        "SELECT outcome, reason, file, detail FROM logs
WHERE boots = 0 AND outcome <> 'copy' ORDER BY outcome, reason, file LIMIT 100",
    ),
    (
        "Boots that several logs have: count such a machine once",
        "SELECT nonce, count(DISTINCT log_sha256) AS logs, min(log_sha256) AS first
FROM boots WHERE nonce IS NOT NULL GROUP BY nonce HAVING count(DISTINCT log_sha256) > 1 ORDER BY nonce",
    ),
    (
        "Figures over machines, by CPU model",
        "SELECT f.boot_experiment, f.system, f.work, f.metric, f.workers, f.arg, v.cpu_model, v.cpus, f.unit,
  count(*) AS machines, median(f.figure) AS median,
  percentile_cont(0.05) WITHIN GROUP (ORDER BY f.figure) AS p5,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY f.figure) AS p95
FROM vm_figures f JOIN vms v ON f.log_sha256 = v.log_sha256
GROUP BY f.boot_experiment, f.system, f.work, f.metric, f.workers, f.arg, v.cpu_model, v.cpus, f.unit
ORDER BY f.boot_experiment, f.system, f.metric, f.workers, f.arg, median, f.work, v.cpu_model, v.cpus",
    ),
    (
        "The ten slowest machines, by the share of their figure in the median of all with the same work",
        "SELECT v.file, v.machine_id, v.cpu_model, f.metric, f.workers, f.figure, m.median,
  f.figure / m.median AS ratio
FROM vm_figures f JOIN vms v ON f.log_sha256 = v.log_sha256
JOIN (SELECT f.boot_experiment, f.system, f.work, f.workers, median(f.figure) AS median, count(*) AS machines
  FROM vm_figures f JOIN vms v ON f.log_sha256 = v.log_sha256
  WHERE f.metric = 'time' GROUP BY f.boot_experiment, f.system, f.work, f.workers) m
  ON f.boot_experiment = m.boot_experiment AND f.system = m.system AND f.work = m.work AND f.workers = m.workers
WHERE f.metric = 'time' AND m.machines > 1
ORDER BY ratio DESC, v.file, f.workers LIMIT 10",
    ),
    (
        "Spread between machines beside that within each: standard deviations, in parts of the mean",
        "SELECT w.system, w.work, w.workers, count(*) AS machines, stddev(w.median) / avg(w.median) AS between_machines,
  median(w.spread) AS within_a_machine
FROM (SELECT s.system, f.work, s.workers, s.log_sha256, f.figure AS median, stddev(s.nanos) / avg(s.nanos) AS spread
  FROM samples s JOIN vm_figures f ON s.log_sha256 = f.log_sha256 AND s.workers = f.workers
    AND s.system = f.system AND f.metric = 'time'
  JOIN vms v ON s.log_sha256 = v.log_sha256
  WHERE s.counts GROUP BY s.system, f.work, s.workers, s.log_sha256, f.figure) w
GROUP BY w.system, w.work, w.workers HAVING count(*) > 1 ORDER BY w.system, w.work, w.workers",
    ),
    (
        "Scaling: the band of speed-ups over machines",
        "SELECT f.boot_experiment, f.system, f.work, f.workers, count(*) AS machines,
  percentile_cont(0.05) WITHIN GROUP (ORDER BY f.figure) AS p5, median(f.figure) AS median,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY f.figure) AS p95
FROM vm_figures f JOIN vms v ON f.log_sha256 = v.log_sha256
WHERE f.metric IN ('speed-up', 'efficiency')
GROUP BY f.boot_experiment, f.system, f.work, f.workers
ORDER BY f.boot_experiment, f.system, f.work, f.workers",
    ),
];

/// The questions for one engine, in which each label that the dataset has is asked for too.
#[must_use]
pub fn queries(engine: Engine, labels: &BTreeSet<String>) -> String {
    let mut text = format!("-- Written by assay fleet, anew each time. {}\n", engine.use_it());
    text += "-- Paths are relative to this folder. docs/FLEET.md has the columns and what they mean.\n\n";
    for table in TABLES {
        text += &engine.table(table.name);
    }
    text += &format!("\n{VIEWS}");
    let mut number = 0;
    let mut ask = |name: &str, question: &str| {
        number += 1;
        text += &format!("\n-- {number}. {name}.\n{question};\n");
    };
    QUESTIONS.iter().for_each(|(name, question)| ask(name, question));
    for column in labels {
        let label = column.strip_prefix(LABEL).unwrap_or(column);
        ask(&format!("Times over machines, by {label}"), &by_label(column));
        ask(&format!("What became of the logs, by {label}"), &outcomes_by_label(column));
    }
    text
}

fn by_label(column: &str) -> String {
    format!(
        "SELECT v.{column}, f.boot_experiment, f.system, f.work, f.workers, count(*) AS machines,
  median(f.figure) AS median_ns,
  percentile_cont(0.05) WITHIN GROUP (ORDER BY f.figure) AS p5,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY f.figure) AS p95
FROM vm_figures f JOIN vms v ON f.log_sha256 = v.log_sha256
WHERE f.metric = 'time'
GROUP BY v.{column}, f.boot_experiment, f.system, f.work, f.workers
ORDER BY f.boot_experiment, f.system, f.work, f.workers, v.{column}"
    )
}

fn outcomes_by_label(column: &str) -> String {
    format!(
        "SELECT {column}, outcome, reason, count(*) AS logs FROM logs
GROUP BY {column}, outcome, reason ORDER BY {column}, outcome, reason"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_are_asked_the_same() {
        let labels: BTreeSet<String> = ["label_zone".to_owned()].into();
        let [duckdb, datafusion] = Engine::ALL.map(|engine| queries(engine, &labels));
        let questions = |text: &str| text.split_once("-- Logs with a boot").expect("the views").1.to_owned();
        assert_eq!(questions(&duckdb), questions(&datafusion));
        assert!(duckdb.contains("-- 9. Times over machines, by zone.") && duckdb.contains("v.label_zone"));
    }
}
