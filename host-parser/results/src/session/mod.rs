//! A session of `assay run`, read back from its folder, and two of them compared.
//!
//! Owns what results.json may still be asked once a run is over: the host's evidence, which rounds were set aside,
//! where it was done. Refuses to take a time, or a verdict, from it: every log is judged again, by the gate of today.
//! Refuses to compare what was not given the same to do.

mod contrast;
mod counted;
mod index;
mod load;
mod pace;
mod verdict;

pub use contrast::{Accepted, Differing};
pub use counted::SessionCase;
pub use load::{SessionError, StoredSession};
pub use pace::by_pace;
pub use verdict::{CaseVerdict, SessionComparison, Side, TimeUnit, compare};
