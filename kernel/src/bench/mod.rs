//! The kernel's side of an experiment: teams of workers in ring 3, for the driver in `harness`.

mod backend;
mod team;

pub use backend::Bench;
