//! What an experiment leaves behind, as data: its runs, their statistics, its claim and the comparison of its systems.
//!
//! Owns the form of results.json (a `schema` number, keys in snake_case as the fields of records are, words in
//! kebab-case as reason codes are), the sealed chain that a session writes and its verification ([`seal`]), the comparison
//! of two sessions ([`session`]), what a host's
//! owner discloses ([`disclosure`]), and why a guest died ([`diagnosis`]). Refuses to know how the runs were driven:
//! the code that drives them fills in [`Environment`] and a [`RunRecord`] for each.

#![forbid(unsafe_code)]

pub mod diagnosis;
pub mod disclosure;
pub mod osbench;
pub mod seal;
pub mod session;

mod boot_cost;
mod claim;
mod compare;
mod conclusion;
mod environment;
mod exclude;
mod experienced;
mod file;
mod form;
mod from_runs;
mod machine_key;
mod model;
mod neighbours;
mod not_run;
mod patience;
mod rate;
mod run_record;
#[cfg(feature = "schema")]
mod schema;
mod selection;
mod series;
mod system;
mod times;
mod workloads;

pub use boot_cost::BootCost;
pub use claim::{Claim, ClaimEvidence, ClaimRule, Shown};
pub use compare::{
    CostRow, Figure, NotComparable, OptionDifference, RatioRow, Refusal, Same, SystemComparison,
};
pub use conclusion::Conclusion;
pub use environment::{Accelerator, Artifact, Environment, Host, OtherVmm, Pinning, Program};
pub use exclude::exclude_iterations;
pub use experienced::{ExperiencedCase, ExperiencedSpeedup};
pub use file::{WriteError, write_atomically};
pub use machine_key::{Fact, MachineKey};
pub use model::{CaseRow, ClaimReport, Completion, Experiment, Repeats, Results, SCHEMA, Tool};
pub use neighbours::{Neighbours, Taken};
pub use not_run::NotRun;
pub use patience::in_words as patience_in_words;
pub use rate::{CaseRate, NoPrice, Price};
pub use run_record::{Making, RunRecord, SealedRun};
pub use selection::{ExcludedShare, Group, Lost, Selection, SelectionTest};
pub use series::{CaseStats, MedianOfIterations, Pairing, Scope, Series, Speedup, cases};
pub use system::System;
pub use workloads::{CaseFigures, SystemFigures, WorkloadFigures};
