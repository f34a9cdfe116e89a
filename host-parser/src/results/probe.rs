//! The native probe: what the host's own CPUs give to the experiment's worker, between one round and the next.
//!
//! Owns the rule by which a round counts for nothing because the host gave less than it can. The rule looks at the
//! probes alone, never at what was measured in a round.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::gate::limits;
use crate::stats::lower_quartile;

/// What sets a round aside, as a stable word.
const SLOW: &str = "probe-slow";

/// The probes of a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Probes {
    /// How many host CPUs the probes with all of them used.
    pub cpus: u16,
    /// Why there are none, or no more of them.
    pub missing: Option<String>,
    /// Those there are, in the order in which they were made.
    pub made: Vec<Probe>,
}

/// One probe: the worker's whole on one host CPU, and the same whole in parts on all of those in force together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
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

/// One of the two times of a probe.
type Figure = fn(&Probe) -> u64;

impl Probes {
    /// None, for this reason.
    #[must_use]
    pub fn none(why: impl Into<String>) -> Self {
        Self { missing: Some(why.into()), ..Self::default() }
    }

    /// The rounds that have a slow probe beside them, each with what it shows.
    ///
    /// What is slow is told by the quick ones of the session so far (their lower quartile), for the host can only take
    /// away: a disturbed probe never looks better than a quiet one. Not by the very quickest, since one that met a cold
    /// and therefore fast CPU would condemn all others. Only probes up to the one after a round count for it, so that
    /// what was once decided stays.
    #[must_use]
    pub fn slow_rounds(&self) -> BTreeMap<u32, String> {
        let mut slow = BTreeMap::new();
        let rounds = self.made.iter().map(|probe| probe.before_round);
        for round in rounds {
            let known = self.made.iter().filter(|probe| probe.before_round <= round.saturating_add(1));
            let known: Vec<&Probe> = known.collect();
            let beside = known.iter().filter(|probe| probe.before_round >= round);
            if let Some(why) = beside.filter_map(|probe| self.slow(probe, round, &known)).next() {
                slow.insert(round, why);
            }
        }
        slow
    }

    /// What a probe beside `round` shows against the quick ones of `known`, where that is too much.
    fn slow(&self, probe: &Probe, round: u32, known: &[&Probe]) -> Option<String> {
        let all = format!("all {} host CPUs together", self.cpus);
        let figures: [(&str, Figure); 2] = [("one host CPU", |p| p.one_ns), (&all, |p| p.all_ns)];
        figures.into_iter().find_map(|(what, of)| {
            let (took, quick) = (of(probe) as f64, quick(known.iter().map(|probe| of(probe)))?);
            let late = took - quick;
            let much = late * 1e3 > quick * limits::PROBE_PER_MILLE as f64;
            (much && late > limits::PROBE_MICROS as f64 * 1e3).then(|| {
                let place = if probe.before_round == round { "before" } else { "after" };
                let percent = late / quick * 100.0;
                format!(
                    "{SLOW}: {what} took {percent:.0} % longer than at best in the native probe {place} it"
                )
            })
        })
    }

    /// The largest part by which any probe took longer than the quick ones, of all of them.
    #[must_use]
    pub fn spread(&self) -> Option<f64> {
        let worst = |of: Figure| {
            let quick = quick(self.made.iter().map(of))?;
            let most = self.made.iter().map(of).max()?;
            Some(most as f64 / quick - 1.0)
        };
        Some(worst(|probe| probe.one_ns)?.max(worst(|probe| probe.all_ns)?))
    }
}

/// What the quick ones of these times are, in ns.
fn quick(times: impl Iterator<Item = u64>) -> Option<f64> {
    lower_quartile(&times.map(|nanos| nanos as f64).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probes of two CPUs with these times, in percent of quiet ones: of one, and of both.
    fn probes(percent: &[[u64; 2]]) -> Probes {
        let probe =
            |(round, [one, all]): (u32, &[u64; 2])| Probe::new(round, 0, 2_669_000 * one, 1_337_000 * all);
        Probes { cpus: 2, missing: None, made: (0..).zip(percent).map(probe).collect() }
    }

    fn slow(percent: &[[u64; 2]]) -> Vec<u32> {
        probes(percent).slow_rounds().into_keys().collect()
    }

    #[test]
    fn a_quiet_session_loses_no_round() {
        assert_eq!(slow(&[[100, 100], [109, 101], [100, 110], [101, 100]]), [0_u32; 0]);
    }

    #[test]
    fn a_slow_probe_costs_the_rounds_on_both_sides() {
        assert_eq!(slow(&[[100, 100], [100, 100], [100, 140], [100, 100], [100, 100]]), [1, 2]);
        assert_eq!(slow(&[[100, 100], [111, 100], [100, 100]]), [0, 1]);
    }

    #[test]
    fn says_what_took_longer_and_where() {
        let slow = probes(&[[100, 100], [100, 150]]).slow_rounds();
        let told =
            "probe-slow: all 2 host CPUs together took 50 % longer than at best in the native probe after it";
        assert_eq!(slow[&0], told);
        let slow = probes(&[[120, 100], [100, 100]]).slow_rounds();
        assert!(slow[&0].contains("one host CPU took 20 % longer") && slow[&0].ends_with("before it"));
    }

    #[test]
    fn what_comes_later_changes_no_decision() {
        // The first two are slow and nobody can know; the third tells, and costs the rounds beside it alone.
        let session = [[150, 150], [150, 150], [100, 100], [100, 100]];
        assert_eq!(slow(&session[..2]), [0_u32; 0]);
        assert_eq!(slow(&session), [1]);
    }

    #[test]
    fn a_short_probe_is_not_held_to_a_moment() {
        let probe = |round, all_ns| Probe::new(round, 0, 16_000_000, all_ns);
        let session =
            |last| Probes { cpus: 2, missing: None, made: vec![probe(0, 8_000_000), probe(1, last)] };
        assert_eq!(session(12_900_000).slow_rounds().len(), 0);
        assert_eq!(session(13_100_000).slow_rounds().len(), 2);
    }

    #[test]
    fn one_freak_does_not_condemn_the_rest() {
        let mut session = [[100, 100]; 9];
        session[4] = [80, 80];
        assert_eq!(slow(&session), [0_u32; 0]);
    }

    #[test]
    fn capacity_is_what_all_cpus_gave() {
        assert!((probes(&[[100, 100]]).made[0].capacity - 1.996).abs() < 1e-3);
        assert_eq!(Probes::none("--no-probe").spread(), None);
        assert_eq!(probes(&[[100, 100], [100, 107]]).spread().map(|part| (part * 100.0).round()), Some(7.0));
    }
}
