//! The library's crates under the names that the command has used for them so far.
#![forbid(unsafe_code)]

pub use evidence::{gate, transcript};
pub use experiment::{boot_config, manifest, plan};
pub use results::{diagnosis, disclosure};

/// Results, the forms they are written in, and what is excluded from them.
pub mod results {
    use std::collections::BTreeMap;

    pub use ::results::*;
    use evidence::baseline::Baseline;
    pub use evidence::gate::Exclusion;
    use evidence::ledger::Ledger;
    pub use evidence::ledger::{FailedProbe, Pace, Probe, Probes};
    pub use report::*;

    /// The excluded rounds: use a [`Ledger`] that grows with the session instead.
    #[must_use]
    pub fn disturbed_rounds(runs: &[RunRecord], probes: &Probes) -> BTreeMap<u32, Exclusion> {
        Ledger::of(runs, probes.clone()).excluded_rounds()
    }

    /// Excludes iterations by what `runs` show: use a [`Ledger`] that grows with the session instead.
    pub fn set_slow_iterations_aside(runs: &mut [RunRecord]) {
        let ledger = Ledger::of(&*runs, Probes::default());
        exclude_iterations(runs, &ledger);
    }

    /// The baseline of `times`: use [`Baseline`] instead.
    #[must_use]
    pub fn quick(times: impl IntoIterator<Item = f64>) -> Option<f64> {
        Baseline::of(times).time()
    }
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
