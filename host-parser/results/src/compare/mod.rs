//! Systems side by side: whether their rows may be compared at all, and by how much they differ.
//!
//! Owns the proof that the rows had the same work in the same envelope, from what each run's log and command say of
//! themselves; its reasons are [`NotComparable`]. Refuses to divide one system's figure by another's if the proof
//! fails.

mod comparison;
mod cost;
mod envelope;
mod equivalence;
mod options;
mod reason;

pub use comparison::{RatioRow, SystemComparison};
pub use cost::{CostRow, Figure};
pub use equivalence::Same;
pub use options::OptionDifference;
pub use reason::{NotComparable, Refusal};

pub(super) use cost::costs;
