//! A session of `assay run`, read back from its folder, and two of them compared.
//!
//! From results.json it takes the host's evidence, the excluded rounds and the environment. It takes no time and no
//! verdict from there: today's gate judges every log again. It does not compare sessions whose work differed.

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
