//! The library's crates under the names that the command has used for them so far.
#![forbid(unsafe_code)]

pub use evidence::{gate, transcript};
pub use experiment::{boot_config, manifest, plan};
pub use results::{diagnosis, disclosure};

/// Results, and the forms they are written in.
pub mod results {
    pub use ::results::*;
    pub use evidence::baseline::quick;
    pub use report::*;
}

/// Statistics, and the claims and series made with them.
pub mod stats {
    pub use ::stats::*;
    pub use results::{CaseStats, Claim, ClaimEvidence, ClaimRule, Pairing, Series, Speedup, claim};
}

/// Stored sessions and their comparison.
pub mod session {
    pub use results::session::{SessionComparison as SideBySide, StoredSession as Session, *};
}
