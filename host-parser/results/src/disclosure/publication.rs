//! Whether a result can be published, and what is still missing.

use serde::Serialize;

use super::Disclosure;
use evidence::gate::{Measurement, ReasonCode};

/// The publication status of results.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Publication {
    /// Whether everything is said that a reader needs to place the result.
    pub publishable: bool,
    /// Why not.
    pub reason: Option<ReasonCode>,
    /// What is missing: keys of the disclosure file, and what the log should have.
    pub missing: Vec<String>,
    /// What the disclosure file says.
    pub disclosure: Disclosure,
}

impl Publication {
    /// The status of results with these measurements, and this file beside them.
    #[must_use]
    pub fn new<'m>(
        disclosure: Option<Disclosure>,
        measured: impl IntoIterator<Item = &'m Measurement>,
    ) -> Self {
        let disclosure = disclosure.unwrap_or_default();
        let mut missing: Vec<String> = disclosure.missing().map(str::to_owned).collect();
        // One word for all boots: a log can have hundreds of thousands.
        let (mut passed, mut topology, mut platform) = (false, true, true);
        for machine in measured.into_iter().map(Measurement::machine) {
            passed = true;
            topology &= !machine.topology.cpus.is_empty();
            platform &= machine.platform.is_some();
        }
        let lacks = [
            ("a run that passed", !passed),
            ("`topology` records in the log", !topology),
            ("a `platform` record in the log", !platform),
        ];
        missing.extend(lacks.into_iter().filter(|&(_, lacks)| lacks).map(|(what, _)| what.to_owned()));
        missing.sort();
        missing.dedup();
        let publishable = missing.is_empty();
        let reason = (!publishable).then_some(ReasonCode::DisclosureMissing);
        Self { publishable, reason, missing, disclosure }
    }
}
