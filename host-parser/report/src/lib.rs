//! Results in the forms that people and programs read.
//!
//! Owns the table on the terminal, summary.md, samples.csv, and the writing of results.json, and where
//! stored files differ from derived results. It computes no result: it reads [`Results`](results::Results) and changes nothing.

#![forbid(unsafe_code)]

pub mod answer;
mod cases;
mod conditions;
mod csv;
mod differences;
mod export;
mod exporter;
pub mod facts;
mod field;
mod foreign;
mod json;
mod lines;
mod markdown;
mod note;
mod number;
mod osbench;
pub mod page;
mod platform;
mod rates;
mod side_by_side;
mod table;
mod terminal;
mod verdict;
mod words;
mod workloads;

pub use csv::SamplesCsv;
pub use differences::differences;
pub use export::{EXPORTERS, write_all};
pub use exporter::Exporter;
pub use field::{FIELD, FieldWorkload, Measured, field};
pub use foreign::{BesideOurs, beside_ours, foreign, foreign_alone};
pub use json::ResultsJson;
pub use markdown::SummaryMarkdown;
pub use note::note;
pub use osbench::osbench;
pub use rates::{rate_note, rate_table, rates};
pub use table::Table;
pub use terminal::{terminal, terminal_in_colour};
pub use workloads::workloads;
