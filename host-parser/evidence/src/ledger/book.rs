//! The ledger: all exclusions of a session, kept as its runs and probes come in.

use std::collections::{BTreeMap, BTreeSet};

use super::pace::{Pace, PaceRule};
use super::probe::{FailedProbe, Probe, ProbeRule, Probes};
use crate::gate::{Exclusion, Measurement, Scope, Verdict};

/// A run as the ledger sees it.
#[derive(Clone, Copy, Debug)]
pub struct JudgedRun<'a> {
    /// Its number: its place in the order in which runs are made, from 0.
    pub run: u32,
    /// Its round, from 0.
    pub round: u32,
    /// Whether it shows more than function, and is held to speed.
    pub held_to_speed: bool,
    /// What the gate says of it.
    pub verdict: &'a Verdict<Measurement>,
    /// Why its round is excluded already, for what the host did to another row of it.
    pub carried: Option<&'a Exclusion>,
}

/// The exclusions of a session. Add what happens in the order in which it happens; no exclusion is taken back.
///
/// A round has one reason. A run's own evidence counts before what was carried from another row, that before the pace
/// checks, and those before a probe beside the round.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    probes: Probes,
    probe_rule: ProbeRule,
    pace_rule: PaceRule,
    /// By round: whether a run of it is held to speed.
    held: BTreeMap<u32, bool>,
    /// Rounds with a run that the gate refused for what the host did.
    refused: BTreeMap<u32, Exclusion>,
    carried: BTreeMap<u32, Exclusion>,
}

impl Ledger {
    /// A ledger that begins with `probes`; with [`Probes::none`] it says why there will be none.
    #[must_use]
    pub fn new(probes: Probes) -> Self {
        Self { probe_rule: ProbeRule::of(&probes), probes, ..Self::default() }
    }

    /// The ledger of a session that is over.
    #[must_use]
    pub fn of<'a, R: Into<JudgedRun<'a>>>(runs: impl IntoIterator<Item = R>, probes: Probes) -> Self {
        let mut ledger = Self::new(probes);
        runs.into_iter().for_each(|run| ledger.add_run(run));
        ledger
    }

    /// Adds a probe.
    pub fn add_probe(&mut self, probe: Probe) {
        self.probe_rule.set_cpus(self.probes.cpus);
        self.probe_rule.add(&probe);
        self.probes.made.push(probe);
    }

    /// Adds a probe that failed after an earlier one had worked.
    pub fn add_failed_probe(&mut self, probe: FailedProbe) {
        self.probe_rule.add_failed(&probe);
        self.probes.failed.push(probe);
    }

    /// Says why there will be no further probe.
    pub fn end_probes(&mut self, why: impl Into<String>) {
        self.probes.missing = Some(why.into());
    }

    /// Adds a run.
    pub fn add_run<'a>(&mut self, run: impl Into<JudgedRun<'a>>) {
        let JudgedRun { run, round, held_to_speed, verdict, carried } = run.into();
        *self.held.entry(round).or_default() |= held_to_speed;
        if let Some(carried) = carried {
            self.carried.insert(round, carried.clone());
        }
        if let Some((reason, detail)) = verdict.outcome.refusal().filter(|(reason, _)| reason.is_the_hosts())
        {
            let scope = Scope::Round { round, run: Some(run) };
            self.refused.insert(round, Exclusion { reason, scope, detail: detail.to_owned() });
        }
        if let Some(measured) = verdict.outcome.measurement().filter(|_| held_to_speed) {
            self.pace_rule.add(run, round, measured);
        }
    }

    /// The probes so far.
    #[must_use]
    pub fn probes(&self) -> &Probes {
        &self.probes
    }

    /// Whether the last probe was slow: before the next round another may find the host undisturbed again.
    #[must_use]
    pub fn last_probe_was_slow(&self) -> bool {
        self.probe_rule.last_was_slow()
    }

    /// What the pace checks showed; `None` if there was none.
    #[must_use]
    pub fn pace(&self) -> Option<Pace> {
        self.pace_rule.pace()
    }

    /// Whether a round is excluded. One of which no run was made yet can be: nothing measured in it will count.
    #[must_use]
    pub fn is_excluded(&self, round: u32) -> bool {
        self.exclusion(round).is_some()
    }

    /// Why a round is excluded.
    #[must_use]
    pub fn exclusion(&self, round: u32) -> Option<Exclusion> {
        let of_runs = self.refused.get(&round).or_else(|| self.carried.get(&round)).cloned();
        of_runs.or_else(|| self.pace_rule.exclusion(round)).or_else(|| {
            let held = self.is_held_to_speed(round);
            held.then(|| self.probe_rule.exclusion(round)).flatten()
        })
    }

    /// All excluded rounds.
    #[must_use]
    pub fn excluded_rounds(&self) -> BTreeMap<u32, Exclusion> {
        let mut rounds: BTreeSet<u32> = self.probe_rule.rounds().chain(self.pace_rule.rounds()).collect();
        rounds.extend(self.refused.keys().chain(self.carried.keys()));
        rounds.into_iter().filter_map(|round| Some((round, self.exclusion(round)?))).collect()
    }

    /// The iterations of run `run` beside which a CPU was slow.
    #[must_use]
    pub fn excluded_iterations(&self, run: u32) -> Vec<Exclusion> {
        self.pace_rule.iterations(run)
    }

    /// Whether a run of the round shows more than function; before its first run, whether any run of the session does,
    /// all of whose rounds have the same runs.
    fn is_held_to_speed(&self, round: u32) -> bool {
        let any = || self.held.is_empty() || self.held.values().any(|&held| held);
        self.held.get(&round).copied().unwrap_or_else(any)
    }
}
