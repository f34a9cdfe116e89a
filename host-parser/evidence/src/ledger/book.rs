//! The ledger: all exclusions of a session, updated with each run and probe.

use std::collections::{BTreeMap, BTreeSet};

use super::pace::{Pace, PaceRule};
use super::probe::{FailedProbe, Probe, ProbeRule, Probes};
use crate::gate::{Exclusion, Measurement, Scope, Verdict};

/// What the ledger needs of a run.
#[derive(Clone, Copy, Debug)]
pub struct JudgedRun<'a> {
    /// Its number: its place in the order in which runs are made, from 0.
    pub run: u32,
    /// Its round, from 0.
    pub round: u32,
    /// Whether it can show speed: then the rules for probes and pace apply to it.
    pub held_to_speed: bool,
    /// The gate's verdict on it.
    pub verdict: &'a Verdict<Measurement>,
    /// Why its round is excluded already: the host disturbed another row of it.
    pub carried: Option<&'a Exclusion>,
}

/// The exclusions of a session. Add runs and probes in the order in which they are made. No exclusion is taken back.
///
/// A round has one reason: the evidence of one of its runs comes first, then a reason carried over from another row, then
/// the pace checks, then a native probe.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    probes: Probes,
    probe_rule: ProbeRule,
    pace_rule: PaceRule,
    /// By round: whether a run of it can show speed.
    held: BTreeMap<u32, bool>,
    any_held: bool,
    /// Rounds with a run that the gate refused because the host disturbed it.
    refused: BTreeMap<u32, Exclusion>,
    carried: BTreeMap<u32, Exclusion>,
}

impl Ledger {
    /// Returns a ledger that begins with `probes`. [`Probes::none`] says why there will be no probes.
    #[must_use]
    pub fn new(probes: Probes) -> Self {
        Self { probe_rule: ProbeRule::of(&probes), probes, ..Self::default() }
    }

    /// Returns the ledger of a finished session.
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

    /// Records why there will be no further probe.
    pub fn end_probes(&mut self, why: impl Into<String>) {
        self.probes.missing = Some(why.into());
    }

    /// Adds a run.
    pub fn add_run<'a>(&mut self, run: impl Into<JudgedRun<'a>>) {
        let JudgedRun { run, round, held_to_speed, verdict, carried } = run.into();
        *self.held.entry(round).or_default() |= held_to_speed;
        self.any_held |= held_to_speed;
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

    /// Whether the last probe was slow. Then another probe before the next round may find the host undisturbed again.
    #[must_use]
    pub fn last_probe_was_slow(&self) -> bool {
        self.probe_rule.last_was_slow()
    }

    /// What the pace checks showed; `None` if there were none.
    #[must_use]
    pub fn pace(&self) -> Option<Pace> {
        self.pace_rule.pace()
    }

    /// Whether a round is excluded. That is possible before its first run: then nothing measured in it will count.
    #[must_use]
    pub fn is_excluded(&self, round: u32) -> bool {
        self.refused.contains_key(&round)
            || self.carried.contains_key(&round)
            || self.pace_rule.excludes(round)
            || self.is_held_to_speed(round) && self.probe_rule.excludes(round)
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
        self.candidates().into_iter().filter_map(|round| Some((round, self.exclusion(round)?))).collect()
    }

    /// How many rounds are excluded.
    #[must_use]
    pub fn count_excluded(&self) -> usize {
        self.candidates().into_iter().filter(|&round| self.is_excluded(round)).count()
    }

    /// The rounds for which there is any evidence.
    fn candidates(&self) -> BTreeSet<u32> {
        let mut rounds: BTreeSet<u32> = self.probe_rule.rounds().chain(self.pace_rule.rounds()).collect();
        rounds.extend(self.refused.keys().chain(self.carried.keys()));
        rounds
    }

    /// Whether run `run` itself leaves too few iterations: CPUs were slow beside them, or its own evidence excludes them.
    #[must_use]
    pub fn is_spoilt(&self, run: u32) -> bool {
        self.pace_rule.is_spoilt(run)
    }

    /// The iterations of run `run` with a slow CPU just before or just after a worker.
    #[must_use]
    pub fn excluded_iterations(&self, run: u32) -> Vec<Exclusion> {
        self.pace_rule.iterations(run)
    }

    /// Whether a run of the round can show speed. Before its first run: whether any run of the session can, since all rounds
    /// have the same runs.
    fn is_held_to_speed(&self, round: u32) -> bool {
        let any = || self.held.is_empty() || self.any_held;
        self.held.get(&round).copied().unwrap_or_else(any)
    }
}
