//! The experiment: every case of the plan, its workers, and their records.
//!
//! What does not need this kernel (the agenda, the meeting of the workers, the records of an iteration, the
//! tables) is public: the
//! Linux twin runs the same code.

pub mod agenda;
mod case;
pub mod emit;
mod outcome;
mod rendezvous;
mod scaling;
mod table;
mod worker;

pub use agenda::Agenda;
pub use case::run;
pub use outcome::Outcome;
pub use rendezvous::Rendezvous;
pub use table::{Row, Table};
pub use worker::WATCHED_US;
