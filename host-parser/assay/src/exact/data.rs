//! What `assay exact` answers to a program, and its rows as tests.

use exact::{Difference, Row, Subject};
use export::{Check, Outcome, Suite};
use serde::Serialize;

use super::counted::Counted;

/// What was counted.
#[derive(Serialize)]
pub struct CountedData<'c> {
    name: &'c str,
    qemu: &'c str,
    cpu_model: &'c str,
    memory_mib: u32,
    rows: Vec<RowData<'c>>,
}

/// A row, in instructions.
#[derive(Serialize)]
struct RowData<'c> {
    name: &'c str,
    least: u64,
    median: u64,
    samples: usize,
}

/// What was counted, for a program.
pub fn counted(counted: &Counted) -> CountedData<'_> {
    let Subject { name, qemu, cpu_model, memory_mib, .. } = &counted.subject;
    let rows = counted.rows.iter().map(row).collect();
    CountedData { name, qemu, cpu_model, memory_mib: *memory_mib, rows }
}

fn row(row: &Row) -> RowData<'_> {
    RowData { name: &row.name, least: row.least(), median: row.median(), samples: row.samples() }
}

/// Each row as a test: one that differs from the lock has failed, and so has one that only the lock has.
pub fn suite(counted: &Counted, differences: &[Difference]) -> Suite {
    let passed = counted.rows.iter().filter(|row| differences.iter().all(|of| of.row() != row.name));
    let passed = passed.map(|row| Check { name: check_name(&row.name), outcome: Outcome::Passed });
    let failed = differences.iter().map(|difference| Check {
        name: check_name(difference.row()),
        outcome: Outcome::Failed(difference.word().to_owned(), difference.to_string()),
    });
    Suite::named(format!("exact.{}", counted.subject.name), passed.chain(failed).collect())
}

fn check_name(row: &str) -> String {
    format!("exact.{}", row.replace(": ", "."))
}
