//! A fleet: the serial logs of many machines, judged, as tables that any engine queries.
//!
//! Owns the form of the tables ([`tables`]), where their files are ([`Dataset`]), and the questions that most people ask
//! of them ([`queries`]). Each log is judged by a gate of its own, exactly as `assay parse LOG` does it alone. No figure is
//! made of several logs here: that is for the queries, in which a machine counts once, however often it iterated.
#![forbid(unsafe_code)]

mod cell;
mod dataset;
mod figures;
mod gather;
mod hashing;
mod labels;
mod one_log;
mod pool;
mod queries;
mod samples;
mod summary;
mod tables;

pub use cell::{Column, FileError, Kind, Rows};
pub use dataset::{Dataset, DatasetError};
pub use gather::{Fleet, GatherError, Gathered, gather};
pub use labels::{LabelError, LabelProblem, Labels};
pub use one_log::{LogRows, Outcome, judge_log};
pub use queries::{Engine, queries};
pub use samples::{Origin, export_samples};
pub use summary::Summary;
pub use tables::{BOOTS, FIGURES, LOGS, SAMPLES, TABLES, Table, Unit, markdown};
