//! The experiment: every case of the plan, its workers, and their records.
//!
//! What does not need this kernel (the meeting of the workers, the records of an iteration, the table) is public: the
//! Linux twin runs the same code.

mod case;
pub mod emit;
mod outcome;
mod rendezvous;
mod table;
mod worker;

pub use case::run;
pub use outcome::Outcome;
pub use rendezvous::Rendezvous;
pub use table::{Row, Table};
pub use worker::WATCHED_US;
