//! The native probe: the experiment's worker, run as processes of the host between two rounds.
//!
//! Owns the rule that excludes a round if the probe before or after it shows that the host gave less than it can. The rule
//! reads the probes only, never a measurement.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::baseline::Baseline;
use crate::gate::{Exclusion, ReasonCode, Scope, limits};

/// The probes of a session.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Probes {
    /// How many host CPUs the probes with all of them used.
    pub cpus: u16,
    /// Why there are no probes, or no further ones.
    pub missing: Option<String>,
    /// The probes, in the order in which they were made.
    pub made: Vec<Probe>,
    /// Probes that failed although an earlier one had worked.
    #[serde(default)]
    pub failed: Vec<FailedProbe>,
}

/// A probe that failed although an earlier one had worked: the host had no time even for that.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailedProbe {
    /// The round before which it was due, from 0.
    pub before_round: u32,
    /// What went wrong.
    pub why: String,
}

/// One probe: the workload's whole on one host CPU, then the same whole split over all host CPUs in use.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Probe {
    /// The round before which it was made, from 0. The previous round was already over.
    pub before_round: u32,
    /// When it began, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// How long the whole took on one CPU, in ns.
    pub one_ns: u64,
    /// How long it took on all CPUs, in ns.
    pub all_ns: u64,
    /// How many times as much all CPUs gave as one: `one_ns / all_ns`.
    pub capacity: f64,
}

impl Probe {
    /// Returns a probe with these times. Neither may be 0.
    #[must_use]
    pub fn new(before_round: u32, started_unix_ms: u64, one_ns: u64, all_ns: u64) -> Self {
        let capacity = one_ns as f64 / all_ns as f64;
        Self { before_round, started_unix_ms, one_ns, all_ns, capacity }
    }
}

impl Probes {
    /// Returns no probes, for this reason.
    #[must_use]
    pub fn none(why: impl Into<String>) -> Self {
        Self { missing: Some(why.into()), ..Self::default() }
    }

    /// Whether the last probe was slow. Then another probe before the next round may find the host undisturbed again.
    #[must_use]
    pub fn last_was_slow(&self) -> bool {
        ProbeRule::of(self).last_was_slow()
    }

    /// The baselines of both times, in ns: on one CPU, and on all.
    #[must_use]
    pub fn baseline(&self) -> Option<[f64; 2]> {
        let rule = ProbeRule::of(self);
        Some([rule.one.time()?, rule.all.time()?])
    }

    /// Whether each probe was slow on one CPU, and whether on all.
    #[must_use]
    pub fn slow(&self) -> Vec<[bool; 2]> {
        let rule = ProbeRule::of(self);
        let slow = |probe: &Probe| {
            [is_slow(probe.one_ns, &rule.one).is_some(), is_slow(probe.all_ns, &rule.all).is_some()]
        };
        self.made.iter().map(slow).collect()
    }

    /// The largest part by which a probe took longer than its baseline.
    #[must_use]
    pub fn spread(&self) -> Option<f64> {
        let rule = ProbeRule::of(self);
        let worst = |baseline: &Baseline| Some(baseline.longest()? / baseline.time()? - 1.0);
        Some(worst(&rule.one)?.max(worst(&rule.all)?))
    }
}

/// The probes between two rounds.
#[derive(Clone, Debug, Default)]
struct Between {
    /// The first one judges the round that is over.
    first: Option<Probe>,
    /// The last one judges the round that follows.
    last: Option<Probe>,
    /// Why a probe failed; that counts for both rounds.
    failed: Option<String>,
}

/// Whether a probe was made before or after a round.
#[derive(Clone, Copy)]
enum Place {
    Before,
    After,
}

/// The rule, with what the probes have shown so far.
///
/// A probe is compared with the baseline of the session so far. A disturbed probe never takes less time than an undisturbed
/// one, and the baseline never rises. So a later probe can show that an earlier one was slow, but never that it was not:
/// no exclusion is taken back, and a host that becomes busy and stays busy is found however long that lasts.
#[derive(Clone, Debug, Default)]
pub(super) struct ProbeRule {
    /// How many CPUs a probe on all CPUs uses.
    cpus: u16,
    one: Baseline,
    all: Baseline,
    /// By the round that follows.
    between: BTreeMap<u32, Between>,
    last: Option<Probe>,
}

impl ProbeRule {
    pub fn of(probes: &Probes) -> Self {
        let mut rule = Self { cpus: probes.cpus, ..Self::default() };
        probes.made.iter().for_each(|probe| rule.add(probe));
        probes.failed.iter().for_each(|probe| rule.add_failed(probe));
        rule
    }

    pub fn set_cpus(&mut self, cpus: u16) {
        self.cpus = cpus;
    }

    pub fn add(&mut self, probe: &Probe) {
        self.one.add(probe.one_ns as f64);
        self.all.add(probe.all_ns as f64);
        let between = self.between.entry(probe.before_round).or_default();
        between.first.get_or_insert(*probe);
        between.last = Some(*probe);
        self.last = Some(*probe);
    }

    pub fn add_failed(&mut self, probe: &FailedProbe) {
        let between = self.between.entry(probe.before_round).or_default();
        between.failed.get_or_insert_with(|| probe.why.clone());
    }

    pub fn last_was_slow(&self) -> bool {
        self.last.is_some_and(|probe| self.slow(&probe).is_some())
    }

    /// The rounds with a probe just before or just after them.
    pub fn rounds(&self) -> impl Iterator<Item = u32> {
        self.between.keys().flat_map(|&before| before.checked_sub(1).into_iter().chain([before]))
    }

    /// Whether a probe just before or just after a round failed or was slow.
    pub fn excludes(&self, round: u32) -> bool {
        [Place::Before, Place::After].into_iter().any(|place| self.beside(round, place).is_some())
    }

    /// Why a round is excluded; `None` if no probe just before or just after it failed or was slow.
    pub fn exclusion(&self, round: u32) -> Option<Exclusion> {
        let (place, found) = self
            .beside(round, Place::Before)
            .map(|found| ("before", found))
            .or_else(|| Some(("after", self.beside(round, Place::After)?)))?;
        let detail = format!("the native probe {place} it {found}");
        Some(Exclusion { reason: ReasonCode::ProbeSlow, scope: Scope::Round { round, run: None }, detail })
    }

    /// What the probe before or after a round shows, if it failed or was slow.
    fn beside(&self, round: u32, place: Place) -> Option<String> {
        let (between, probe) = match place {
            Place::Before => self.between.get(&round).map(|between| (between, between.last))?,
            Place::After => {
                self.between.get(&round.checked_add(1)?).map(|between| (between, between.first))?
            }
        };
        match &between.failed {
            Some(why) => Some(format!("failed: {why}")),
            None => self.slow(&probe?),
        }
    }

    /// How much longer than the baseline a probe took, if that is too much.
    fn slow(&self, probe: &Probe) -> Option<String> {
        let one = is_slow(probe.one_ns, &self.one).map(|part| (part, "on one host CPU".to_owned()));
        let (part, place) = one.or_else(|| {
            let part = is_slow(probe.all_ns, &self.all)?;
            Some((part, format!("on all {} host CPUs together", self.cpus)))
        })?;
        let limit = limits::PROBE_PER_MILLE / 10;
        Some(format!("took {:.0} % longer than the baseline {place} (limit {limit} %)", part * 100.0))
    }
}

/// The part by which a time exceeds its baseline, if that is too much.
fn is_slow(took_ns: u64, baseline: &Baseline) -> Option<f64> {
    let baseline = baseline.time()?;
    let late = took_ns as f64 - baseline;
    let slow =
        late * 1e3 > baseline * limits::PROBE_PER_MILLE as f64 && late > limits::PROBE_MICROS as f64 * 1e3;
    slow.then_some(late / baseline)
}
