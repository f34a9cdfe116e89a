//! The ledger: all exclusions of a session, updated with each run and probe.

use std::collections::{BTreeMap, BTreeSet};

use super::attempts::{Attempts, Place};
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
    /// Which of a round's runs it is. Another run of the same place in the same round is a further attempt at it.
    pub place: Place,
    /// Whether it can show speed: then the rules for probes and pace apply to it.
    pub held_to_speed: bool,
    /// The gate's verdict on it.
    pub verdict: &'a Verdict<Measurement>,
    /// Why its round is excluded already: the host disturbed another row of it.
    pub carried: Option<&'a Exclusion>,
}

/// The exclusions of a session. Add runs and probes in the order in which they are made. No exclusion is taken back.
///
/// A run is excluded if its own evidence shows that the host disturbed it, or left too few of its iterations. It is made
/// again in its round, at most as often as [`Ledger::repeating`] says. A round is excluded if a run of it was disturbed in
/// every attempt, and no further one will be made; or if a native probe beside it was slow.
///
/// A round has one reason: the evidence of one of its runs comes first, then a reason carried over from another row, then
/// the pace checks, then a native probe.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    probes: Probes,
    probe_rule: ProbeRule,
    pace_rule: PaceRule,
    attempts: Attempts,
    any_held: bool,
    /// Runs that the gate refused because the host disturbed them.
    refused: BTreeMap<u32, Exclusion>,
    /// The rounds of these.
    refused_rounds: BTreeSet<u32>,
    carried: BTreeMap<u32, Exclusion>,
}

impl Ledger {
    /// Returns a ledger that begins with `probes`. [`Probes::none`] says why there will be no probes. No run is made again.
    #[must_use]
    pub fn new(probes: Probes) -> Self {
        Self { probe_rule: ProbeRule::of(&probes), probes, ..Self::default() }
    }

    /// The same for a session in which a disturbed run is made again at most `repeats` times in its round.
    #[must_use]
    pub fn repeating(mut self, repeats: u32) -> Self {
        self.attempts.repeats = repeats;
        self
    }

    /// Returns the ledger of a finished session.
    #[must_use]
    pub fn of<'a, R: Into<JudgedRun<'a>>>(runs: impl IntoIterator<Item = R>, probes: Probes) -> Self {
        let (mut ledger, runs) = (Self::new(probes), runs.into_iter());
        let (count, _) = runs.size_hint();
        ledger.attempts.reserve(count);
        ledger.pace_rule.reserve(count);
        runs.for_each(|run| ledger.add_run(run));
        ledger
    }

    /// Adds a probe.
    pub fn add_probe(&mut self, probe: Probe) {
        self.attempts.reach(probe.before_round);
        self.probe_rule.set_cpus(self.probes.cpus);
        self.probe_rule.add(&probe);
        self.probes.made.push(probe);
    }

    /// Adds a probe that failed after an earlier one had worked.
    pub fn add_failed_probe(&mut self, probe: FailedProbe) {
        self.attempts.reach(probe.before_round);
        self.probe_rule.add_failed(&probe);
        self.probes.failed.push(probe);
    }

    /// Records why there will be no further probe.
    pub fn end_probes(&mut self, why: impl Into<String>) {
        self.probes.missing = Some(why.into());
    }

    /// Adds a run.
    pub fn add_run<'a>(&mut self, run: impl Into<JudgedRun<'a>>) {
        let JudgedRun { run, round, place, held_to_speed, verdict, carried } = run.into();
        self.attempts.add(round, place, run, held_to_speed);
        self.any_held |= held_to_speed;
        // A run that was made again says nothing of the others of its round.
        if let Some(carried) = carried.filter(|carried| matches!(carried.scope, Scope::Round { .. })) {
            self.carried.insert(round, carried.clone());
        }
        if let Some((reason, detail)) = verdict.outcome.refusal().filter(|(reason, _)| reason.is_the_hosts())
        {
            let scope = Scope::Run { run };
            self.refused.insert(run, Exclusion { reason, scope, detail: detail.to_owned() });
            self.refused_rounds.insert(round);
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

    /// Whether the host disturbed run `run`, so that it does not count itself.
    #[must_use]
    pub fn is_disturbed(&self, run: u32) -> bool {
        self.refused.contains_key(&run) || self.pace_rule.is_spoilt(run)
    }

    /// Why run `run` does not count itself.
    #[must_use]
    pub fn exclusion_of_run(&self, run: u32) -> Option<Exclusion> {
        self.refused.get(&run).cloned().or_else(|| self.pace_rule.exclusion(run))
    }

    /// The run of `round` that is to be made again next, by the number of its last attempt. `None` if there is none, or if
    /// the round does not count anyway.
    #[must_use]
    pub fn to_repeat(&self, round: u32) -> Option<u32> {
        if !self.has_disturbed(round) || self.is_excluded(round) {
            return None;
        }
        self.attempts.lost(round, |run| self.is_disturbed(run)).next().and_then(|runs| runs.last().copied())
    }

    /// How often a disturbed run is made again at most.
    #[must_use]
    pub const fn repeats(&self) -> u32 {
        self.attempts.repeats
    }

    /// Whether a run of a round does not count: it was disturbed, or its round is excluded.
    #[must_use]
    pub fn has_lost(&self, round: u32, run: u32) -> bool {
        self.is_disturbed(run) || self.is_excluded(round)
    }

    /// Which attempt at its place in its round a run is, from 0.
    #[must_use]
    pub fn attempt(&self, round: u32, run: u32) -> u32 {
        self.attempts.number(round, run)
    }

    /// Whether a round is excluded. That is possible before its first run: then nothing measured in it will count.
    #[must_use]
    pub fn is_excluded(&self, round: u32) -> bool {
        self.carried.contains_key(&round)
            || self.has_disturbed(round) && self.lost_runs(round).next().is_some()
            || self.is_held_to_speed(round) && self.probe_rule.excludes(round)
    }

    /// Why a round is excluded.
    #[must_use]
    pub fn exclusion(&self, round: u32) -> Option<Exclusion> {
        let lost: Vec<u32> = if self.has_disturbed(round) {
            self.lost_runs(round).filter_map(|runs| runs.last().copied()).collect()
        } else {
            Vec::new()
        };
        let of = |run: &u32, exclusion: Exclusion| Exclusion {
            scope: Scope::Round { round, run: Some(*run) },
            ..exclusion
        };
        let refused = lost.iter().rev().find_map(|run| Some(of(run, self.refused.get(run)?.clone())));
        let paced = || lost.iter().find_map(|run| Some(of(run, self.pace_rule.exclusion(*run)?)));
        refused.or_else(|| self.carried.get(&round).cloned()).or_else(paced).or_else(|| {
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

    /// How many runs do not count: all of an excluded round, which stands for at least `each`, and the disturbed ones of
    /// the others.
    #[must_use]
    pub fn count_lost_runs(&self, each: usize) -> usize {
        let lost = |round: u32| {
            let made = self.attempts.runs(round);
            if self.is_excluded(round) {
                made.count().max(each)
            } else {
                made.filter(|&run| self.is_disturbed(run)).count()
            }
        };
        self.candidates().into_iter().map(lost).sum()
    }

    /// The rounds for which there is any evidence.
    fn candidates(&self) -> BTreeSet<u32> {
        let mut rounds: BTreeSet<u32> = self.probe_rule.rounds().chain(self.pace_rule.rounds()).collect();
        rounds.extend(self.refused_rounds.iter().chain(self.carried.keys()));
        rounds
    }

    /// Whether a run of the round was disturbed.
    fn has_disturbed(&self, round: u32) -> bool {
        self.refused_rounds.contains(&round) || self.pace_rule.has_spoilt(round)
    }

    /// The attempts at each run of the round that was disturbed in all of them, and will not be made again.
    fn lost_runs(&self, round: u32) -> impl Iterator<Item = Vec<u32>> {
        let is_over = self.attempts.is_over(round);
        let lost = self.attempts.lost(round, |run| self.is_disturbed(run));
        lost.filter(move |runs| is_over || self.attempts.are_all(runs.len()))
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
        let any = || self.attempts.is_empty() || self.any_held;
        self.attempts.is_held_to_speed(round).unwrap_or_else(any)
    }
}
