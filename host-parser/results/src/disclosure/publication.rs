//! Whether a result can be published, and what is still missing.

use serde::Serialize;

use super::Disclosure;
use evidence::gate::{Measurement, ReasonCode};

/// The publication status of results.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
        let mut measured = measured.into_iter().peekable();
        if measured.peek().is_none() {
            missing.push("a run that passed".to_owned());
        }
        for machine in measured.map(Measurement::machine) {
            let lacks = [
                ("`topology` records in the log", machine.topology.cpus.is_empty()),
                ("a `platform` record in the log", machine.platform.is_none()),
            ];
            let lacks = lacks.into_iter().filter(|&(_, lacks)| lacks).map(|(what, _)| what.to_owned());
            missing.extend(lacks.collect::<Vec<_>>());
        }
        missing.sort();
        missing.dedup();
        let publishable = missing.is_empty();
        let reason = (!publishable).then_some(ReasonCode::DisclosureMissing);
        Self { publishable, reason, missing, disclosure }
    }
}
