//! What is excluded from the results of a session, and why.
//!
//! Owns the rules that need a whole session (the guest's pace checks, the native probe) and the [`Ledger`] of all
//! exclusions of a session. Every rule reads evidence of what the host did, never a measured time. The ledger only grows:
//! a further run recomputes nothing.

mod attempts;
mod book;
mod checks;
mod in_order;
mod pace;
mod probe;
#[cfg(test)]
mod tests;

pub use attempts::Place;
pub use book::{JudgedRun, Ledger};
pub use pace::{Pace, enough_left};
pub use probe::{FailedProbe, Probe, Probes};
