//! The experiment: every case of the plan, its workers, and their records.

mod case;
mod emit;
mod rendezvous;
mod table;
mod worker;

pub use case::run;
pub use table::{Row, print as print_table};
