//! What `assay exact` answers to a program.

use exact::{Row, Subject};
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
