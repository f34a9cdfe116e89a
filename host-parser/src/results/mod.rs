//! What an experiment leaves behind: its results as data, and the files and the table made from them.
//!
//! Owns the form of results.json (a `schema` number, keys in snake_case as the fields of records are, words in
//! kebab-case as reason codes are), of samples.csv, of summary.md and of the table on the terminal. Refuses to know
//! how the runs were driven: whoever drives them fills in [`Environment`] and a [`RunRecord`] for each.

mod boot_cost;
mod compare;
mod conclusion;
mod csv;
mod environment;
mod experiment;
mod export;
mod from_runs;
mod json;
mod pace;
mod probe;
mod quick;
mod report;
mod set_aside;
mod system;

pub use boot_cost::BootCost;
pub use compare::{Comparison, CostRow, Figure, NotComparable, OptionDifference, RatioRow, Refusal, Same};
pub use conclusion::Conclusion;
pub use csv::SamplesCsv;
pub use environment::{Accelerator, Artifact, Environment, Host, Pinning, Program};
pub use experiment::{CaseRow, ClaimReport, Completion, Experiment, Results, RunRecord, SCHEMA, Tool};
pub use export::{EXPORTERS, Exporter, WriteError, write_all, write_atomically};
pub use json::ResultsJson;
pub use pace::Pace;
pub(crate) use pace::are_enough;
pub use probe::{FailedProbe, Probe, Probes};
pub use quick::quick;
pub use report::{SummaryMarkdown, terminal};
pub use set_aside::{disturbed_rounds, set_slow_iterations_aside};
pub use system::System;
