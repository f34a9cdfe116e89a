//! The rules, by subject.
//!
//! There are two kinds. Some rules need one record only: a fault is a fault, whatever else was lost. The others draw
//! conclusions from a record that is missing or from records that do not fit together; they apply only to a log in which
//! every record arrived. So a lost line is reported as a lost line, without findings that only follow from it.

mod account;
mod answers;
mod brackets;
mod cases;
mod census;
mod clock;
mod conditions;
mod copies;
mod counters;
mod descriptions;
mod elapsed;
mod gaps;
mod grants;
mod host;
mod identity;
pub mod limits;
mod log;
mod machine;
mod mechanisms;
mod offsets;
mod order;
mod platform_places;
mod platform_rows;
mod presence;
mod registers;
mod second;
mod seconds;
mod series;
mod settle;
mod stamps;
mod strays;
mod superlinear;
mod sweep;
mod workers;

pub(super) use answers::{answers, common_whole, plan, workload};
pub(super) use brackets::brackets;
pub(super) use cases::{cases, span};
pub(super) use census::census;
pub(super) use clock::{basis, clock};
pub(super) use conditions::conditions;
pub(super) use copies::{Boots as EarlierBoots, copies};
pub(super) use counters::{counters, effective_khz};
pub(super) use descriptions::descriptions;
pub(super) use elapsed::elapsed;
pub(super) use gaps::gap_records;
pub(super) use grants::grants;
pub(super) use host::host;
pub(super) use identity::{Known, Said, identity};
pub(super) use log::{control, log, status};
pub(super) use machine::machine;
pub(super) use offsets::offsets;
pub(super) use order::order;
pub(super) use platform_rows::{platform_rows, rows as platform_rows_of};
pub(super) use presence::presence;
pub(super) use registers::registers;
pub(super) use second::second_clock;
pub(super) use seconds::seconds;
pub(super) use settle::{SoundTimes, settle};
pub(super) use stamps::stamps;
pub(super) use strays::strays;
pub(super) use superlinear::superlinear;
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
    pub facts: &'a Facts<'a>,
    pub expectation: &'a RunExpectation,
    pub evidence: &'a HostEvidence,
    /// Whether every record of the boot arrived, in order, up to `end`.
    pub whole: bool,
    pub findings: &'a mut Findings,
    /// The iterations that the host disturbed, if the boot has several.
    pub disturbed: &'a mut Disturbed,
    /// Time that no record accounts for, by case and iteration, until [`settle`] decides whose it is.
    pub open: Vec<((u16, u16), account::Missing)>,
}

/// What the host did to iterations of a boot that has several, by the iteration's number.
pub(super) type Disturbed = BTreeMap<u16, Vec<Finding>>;

impl Run<'_> {
    fn add(&mut self, reason: ReasonCode, line: impl Into<Option<u64>>, detail: impl Into<String>) {
        self.findings.add(reason, line, detail);
    }

    /// Whether the guest had more vCPUs than host CPUs. Then some vCPU always waits or is late, and nothing is claimed.
    fn is_functional_only(&self) -> bool {
        self.evidence.functional_only(Some(self.facts.online())).is_some()
    }

    /// Records that the host disturbed an iteration. If the boot has several, that iteration is excluded; if it has only
    /// this one, the run does not pass.
    fn disturb(&mut self, iteration: u16, reason: ReasonCode, line: Option<u64>, detail: String) {
        if self.iterations() > 1 {
            self.disturbed.entry(iteration).or_default().push(Finding { reason, line, detail });
        } else {
            self.findings.add(reason, line, detail);
        }
    }

    /// How many iterations the boot ran of its cases.
    fn iterations(&self) -> usize {
        self.facts.turns
    }

    /// Whether the kernel reported an error and ran no case. Then missing records are no findings.
    fn refused(&self) -> bool {
        self.facts.one::<record::Problem>().is_some() && self.facts.iterations.is_empty()
    }
}

/// The larger of `floor` and `per_mille` thousandths of `of`: the limit of a rule that has both.
fn limit_of(per_mille: u64, of: u64, floor: u64) -> u64 {
    let part = u128::from(of) * u128::from(per_mille) / 1_000;
    u64::try_from(part).unwrap_or(u64::MAX).max(floor)
}

/// Whether `part` is more than `per_mille` thousandths of `of`.
fn exceeds(part: u64, per_mille: u64, of: u64) -> bool {
    u128::from(part) * 1_000 > u128::from(of) * u128::from(per_mille)
}
