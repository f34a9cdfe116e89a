//! The native probe: the experiment's worker, run as processes of the host between two rounds.
//!
//! Owns the rule that excludes a round beside which the host gave less than it can. The rule reads the probes alone,
//! never a measurement.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::baseline::Baseline;
use crate::gate::{Exclusion, ReasonCode, Scope, limits};

/// The probes of a session.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Probes {
    /// How many host CPUs the probes with all of them used.
    pub cpus: u16,
    /// Why there are none, or no more of them.
    pub missing: Option<String>,
    /// The probes, in the order in which they were made.
    pub made: Vec<Probe>,
    /// Probes that failed after an earlier one had worked.
    #[serde(default)]
    pub failed: Vec<FailedProbe>,
}

/// A probe that failed after an earlier one had worked: the host had no time even for that.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct FailedProbe {
    /// The round that it was to be made before, from 0.
    pub before_round: u32,
    /// What went wrong.
    pub why: String,
}

/// One probe: the worker's whole on one host CPU, and the same whole in parts on all CPUs in force together.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Probe {
    /// The round that it was made before, from 0; it was made after the one before that.
    pub before_round: u32,
    /// When it began, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// How long the whole took on one CPU, in ns.
    pub one_ns: u64,
    /// How long it took on all of them, in ns.
    pub all_ns: u64,
    /// How many CPUs' worth all of them gave: the quotient of the two.
    pub capacity: f64,
}

impl Probe {
    /// A probe with these times, neither of which is 0.
    #[must_use]
    pub fn new(before_round: u32, started_unix_ms: u64, one_ns: u64, all_ns: u64) -> Self {
        let capacity = one_ns as f64 / all_ns as f64;
        Self { before_round, started_unix_ms, one_ns, all_ns, capacity }
    }
}

impl Probes {
    /// No probes, for this reason.
    #[must_use]
    pub fn none(why: impl Into<String>) -> Self {
        Self { missing: Some(why.into()), ..Self::default() }
    }

    /// Whether the last probe was slow: before the next round another may find the host undisturbed again.
    #[must_use]
    pub fn last_was_slow(&self) -> bool {
        ProbeRule::of(self).last_was_slow()
    }

    /// The baseline of both times, in ns: on one CPU, and on all of them.
    #[must_use]
    pub fn baseline(&self) -> Option<[f64; 2]> {
        let rule = ProbeRule::of(self);
        Some([rule.one.time()?, rule.all.time()?])
    }

    /// The largest part by which any probe took longer than the baseline.
    #[must_use]
    pub fn spread(&self) -> Option<f64> {
        let rule = ProbeRule::of(self);
        let worst = |baseline: &Baseline| Some(baseline.longest()? / baseline.time()? - 1.0);
        Some(worst(&rule.one)?.max(worst(&rule.all)?))
    }
}

/// The probes beside one round's beginning: after the round before it, and before the round itself.
#[derive(Clone, Debug, Default)]
struct Between {
    /// The first is beside the round that is over.
    first: Option<Probe>,
    /// The last is beside the round that comes.
    last: Option<Probe>,
    /// Why one failed, which counts for both.
    failed: Option<String>,
}

/// On which side of a round a probe was made.
#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

/// The rule, with what the probes have shown so far.
///
/// A probe is slow against the baseline of the session so far, for the host can only take away: a disturbed probe never
/// takes less time than an undisturbed one. A later probe can show that an earlier one was slow, never that it was not,
/// since the baseline never rises. So a host that becomes busy and stays so is found however long it stays, and no
/// exclusion is taken back.
#[derive(Clone, Debug, Default)]
pub(super) struct ProbeRule {
    /// How many CPUs a probe with all of them uses.
    cpus: u16,
    one: Baseline,
    all: Baseline,
    /// By the round they were made before.
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

    /// The rounds that have a probe beside them.
    pub fn rounds(&self) -> impl Iterator<Item = u32> {
        self.between.keys().flat_map(|&before| before.checked_sub(1).into_iter().chain([before]))
    }

    /// Why a round is excluded; `None` if no probe beside it failed or was slow.
    pub fn exclusion(&self, round: u32) -> Option<Exclusion> {
        let (side, found) = self
            .beside(round, Side::Before)
            .map(|found| ("before", found))
            .or_else(|| Some(("after", self.beside(round, Side::After)?)))?;
        let detail = format!("the native probe {side} it {found}");
        Some(Exclusion { reason: ReasonCode::ProbeSlow, scope: Scope::Round { round, run: None }, detail })
    }

    /// What the probe on one side of a round shows, if that is too much.
    fn beside(&self, round: u32, side: Side) -> Option<String> {
        let (between, probe) = match side {
            Side::Before => self.between.get(&round).map(|between| (between, between.last))?,
            Side::After => {
                self.between.get(&round.checked_add(1)?).map(|between| (between, between.first))?
            }
        };
        match &between.failed {
            Some(why) => Some(format!("failed: {why}")),
            None => self.slow(&probe?),
        }
    }

    /// What a probe shows against the baseline, if that is too much.
    fn slow(&self, probe: &Probe) -> Option<String> {
        let one = is_slow(probe.one_ns, &self.one).map(|part| (part, "on one host CPU".to_owned()));
        let (part, place) = one.or_else(|| {
            let part = is_slow(probe.all_ns, &self.all)?;
            Some((part, format!("on all {} host CPUs together", self.cpus)))
        })?;
        Some(format!("took {:.0} % longer than the quick ones {place}", part * 100.0))
    }
}

/// By what part a time is above its baseline, if that is too much.
fn is_slow(took_ns: u64, baseline: &Baseline) -> Option<f64> {
    let baseline = baseline.time()?;
    let late = took_ns as f64 - baseline;
    let slow =
        late * 1e3 > baseline * limits::PROBE_PER_MILLE as f64 && late > limits::PROBE_MICROS as f64 * 1e3;
    slow.then_some(late / baseline)
}
