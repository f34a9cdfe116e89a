//! Sessions on simulated hosts: how often the rules call a figure `HOLDS` that is not so.
//!
//! Owns the hosts (neighbours that come and go, vCPUs that share a core) and the sessions on them. It has **no rule of its
//! own**: each boot is a log with every record, which the gate judges; the ledger excludes; the session loop's own
//! `Rounds` decides what runs next; and the claim is that of `results`. Only the times, the pace checks and the
//! scheduler's account come from the simulated host.

#![forbid(unsafe_code)]

mod boot;
mod host;
mod pattern;
mod quality;
mod recorded;
mod session;
mod text;
mod timeline;

pub use host::Host;
pub use pattern::{PATTERNS, Pattern};
pub use quality::{RepeatRow, SelectionQuality, SelectionRow};
pub use session::{SHAPES, Shape};
