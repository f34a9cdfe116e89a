//! A session of `assay run`, read back from its folder, and two of them compared.
//!
//! It takes nothing from results.json: a [sealed session](crate::seal) is judged again from its logs and the evidence in
//! its chain. It does not compare sessions whose work differed, and no session with itself.

mod contrast;
mod counted;
mod figures;
mod load;
mod offset;
mod pace;
mod side_by_side;
mod verdict;

pub use contrast::{Accepted, Differing};
pub use counted::{Excluded, SessionCase};
pub use figures::{ByRound, Figure, Figures, Timed};
pub use load::{SessionError, SessionId, StoredSession, Whole};
pub use pace::has_comparable_paces;
pub use verdict::{CaseVerdict, FigureVerdict, SessionComparison, Side, TimeUnit, compare};
