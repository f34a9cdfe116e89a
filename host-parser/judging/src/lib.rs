//! Logs and sessions as a command line names them, judged again: what every command that shows, exports or keeps results
//! begins with.
//!
//! `assay` and `assay-keep` both use it, so that a log has the same result whoever reads it. It decides which boots belong
//! together; what a boot is worth is for `evidence` to say, and what follows from several of them for `results`.
#![forbid(unsafe_code)]

mod ahead;
mod logs;
mod opened;
mod rank;
mod rows;
mod subject;

pub use logs::{JudgedLogs, judge_boots, judge_logs, refusal_of_nothing, results_of};
pub use opened::{Opened, is_archive, load};
pub use rank::rank;
pub use rows::{introduction, measured, results as row_results};
pub use subject::{Judged, Seal, judge};
