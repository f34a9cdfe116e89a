//! The rules, by subject.
//!
//! Two kinds: those of the first need only the record at hand (a fault is a fault, whatever else was lost), those of
//! the second draw conclusions from what is absent or from how records fit together, and are asked only of a stream
//! that arrived whole. So a lost line is reported as that, and not as all that follows from it.

mod answers;
mod cases;
mod census;
mod clock;
mod gaps;
mod host;
mod identity;
pub mod limits;
mod log;
mod machine;
mod passed;
mod sweep;
mod workers;

pub(super) use answers::{answers, common_whole, plan, workload};
pub(super) use cases::{cases, span};
pub(super) use census::census;
pub(super) use clock::{basis, clock};
pub(super) use gaps::gaps_told;
pub(super) use host::host;
pub(super) use identity::{Known, identity};
pub(super) use log::{control, log, status};
pub(super) use machine::machine;
pub(super) use passed::stamps;
pub(super) use sweep::sweep;
pub(super) use workers::workers;

use abi::wire::record;
use std::collections::BTreeMap;

use super::evidence::{HostEvidence, RunExpectation};
use super::facts::Facts;
use super::reason::ReasonCode;
use super::verdict::{Finding, Findings};

/// A boot under judgement.
pub(super) struct Run<'a> {
    pub facts: &'a Facts,
    pub expectation: &'a RunExpectation,
    pub evidence: &'a HostEvidence,
    /// Whether every record of the boot is there, in order, up to `end`.
    pub whole: bool,
    pub findings: &'a mut Findings,
    /// What the host did in one of several iterations, by their number.
    pub disturbed: &'a mut Disturbed,
}

/// The iterations, of several, that the host disturbed, and how.
pub(super) type Disturbed = BTreeMap<u16, Vec<Finding>>;

impl Run<'_> {
    fn add(&mut self, reason: ReasonCode, line: impl Into<Option<u64>>, detail: impl Into<String>) {
        self.findings.add(reason, line, detail);
    }

    /// Whether the guest had more vCPUs than host CPUs: then some vCPU waits or is late by nature, and nothing is claimed.
    fn waits_by_nature(&self) -> bool {
        self.evidence.functional_only(Some(self.facts.online())).is_some()
    }

    /// Notes what the host did in an iteration. Of several that one counts for nothing; a run with a single one is
    /// condemned by it, and made again.
    fn note(&mut self, iteration: u16, reason: ReasonCode, line: Option<u64>, detail: String) {
        if self.iterations() > 1 {
            self.disturbed.entry(iteration).or_default().push(Finding { reason, line, detail });
        } else {
            self.findings.add(reason, line, detail);
        }
    }

    /// How often the boot ran its cases.
    fn iterations(&self) -> usize {
        let last = self.facts.iterations.iter().map(|iteration| usize::from(iteration.iter) + 1).max();
        last.unwrap_or(0)
    }

    /// Whether the kernel reported a problem and ran no case: absent records are then no finding.
    fn refused(&self) -> bool {
        self.facts.one::<record::Problem>().is_some() && self.facts.iterations.is_empty()
    }
}

/// Whether `part` is more than `per_mille` thousandths of `of`.
fn exceeds(part: u64, per_mille: u64, of: u64) -> bool {
    u128::from(part) * 1_000 > u128::from(of) * u128::from(per_mille)
}
