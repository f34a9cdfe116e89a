//! The workloads, and the reference answer of each.
pub mod reference;
