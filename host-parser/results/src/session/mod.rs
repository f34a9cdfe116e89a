//! A session of `assay run`, read back from its folder, and two of them compared.
//!
//! It takes nothing from results.json: a [sealed session](crate::seal) is judged again from its logs and the evidence in
//! its chain. It does not compare sessions whose work differed, and no session with itself.

mod contrast;
mod counted;
mod load;
mod pace;
mod verdict;

pub use contrast::{Accepted, Differing};
pub use counted::SessionCase;
pub use load::{SessionError, SessionId, StoredSession, Whole};
pub use pace::by_pace;
pub use verdict::{CaseVerdict, SessionComparison, Side, TimeUnit, compare};
