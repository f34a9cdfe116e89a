//! A session of `assay run`, read back from its folder, and two of them compared.
//!
//! From results.json it takes the host's evidence, the excluded rounds and the environment. It takes no time and no
//! verdict from there: today's gate judges every log again. It does not compare sessions whose work differed.

mod contrast;
mod counted;
mod figures;
mod index;
mod load;
mod offset;
mod pace;
mod side_by_side;
mod verdict;

pub use contrast::{Accepted, Differing};
pub use counted::{Excluded, SessionCase};
pub use figures::{ByRound, Figure, Figures, Timed};
pub use load::{SessionError, StoredSession};
pub use pace::has_comparable_paces;
pub use verdict::{CaseVerdict, FigureVerdict, SessionComparison, Side, TimeUnit, compare};
