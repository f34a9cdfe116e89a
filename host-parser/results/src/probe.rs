//! The native probe: what the host's own CPUs give to the experiment's worker, between one round and the next.
//!
//! Owns the rule by which a round counts for nothing because the host gave less than it can. The rule looks at the
//! probes alone, never at what was measured in a round.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use evidence::baseline::quick;
use evidence::gate::{ReasonCode, limits};

/// The probes of a session.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Probes {
    /// How many host CPUs the probes with all of them used.
    pub cpus: u16,
    /// Why there are none, or no more of them.
    pub missing: Option<String>,
    /// Those there are, in the order in which they were made.
    pub made: Vec<Probe>,
    /// Those that came to nothing, though others had not.
    #[serde(default)]
    pub failed: Vec<FailedProbe>,
}

/// A probe that failed where an earlier one had worked: its host had no time even for that.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct FailedProbe {
    /// The round that it was to be made before, from 0.
    pub before_round: u32,
    /// What went wrong.
    pub why: String,
}

/// One probe: the worker's whole on one host CPU, and the same whole in parts on all of those in force together.
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

/// One of the two times of a probe.
type Figure = fn(&Probe) -> u64;

impl Probes {
    /// None, for this reason.
    #[must_use]
    pub fn none(why: impl Into<String>) -> Self {
        Self { missing: Some(why.into()), ..Self::default() }
    }

    /// The rounds that have a slow probe beside them, or one that failed, each with what it shows.
    ///
    /// What is slow is told by the quick ones of the session so far, for the host can only take away: a disturbed probe
    /// never looks better than a quiet one. A later probe can tell that an earlier one was slow, never that it was not:
    /// what is quick only ever gets quicker. So a host that becomes busy and stays so is found out however long it
    /// stays, and no round is ever set aside and then taken back.
    #[must_use]
    pub fn slow_rounds(&self) -> BTreeMap<u32, String> {
        // Of several between two rounds the first is beside the one before them, the last beside the one after.
        let by_round = self.made.iter().map(|probe| (probe.before_round, probe));
        let (first, last): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (by_round.clone().rev().collect(), by_round.collect());
        let slow = |(before, probe): (u32, &Probe)| Some((before, self.slow(probe)?));
        let failed: Vec<(u32, String)> =
            self.failed.iter().map(|probe| (probe.before_round, format!("failed: {}", probe.why))).collect();
        let mut rounds = BTreeMap::new();
        let mut add = |round, place, why: String| {
            let told = || format!("{}: the native probe {place} it {why}", ReasonCode::ProbeSlow);
            rounds.entry(round).or_insert_with(told);
        };
        for (before, why) in failed.iter().cloned().chain(last.into_iter().filter_map(slow)) {
            add(before, "before", why);
        }
        for (before, why) in failed.into_iter().chain(first.into_iter().filter_map(slow)) {
            if let Some(round) = before.checked_sub(1) {
                add(round, "after", why);
            }
        }
        rounds
    }

    /// Whether the last probe was slow: before the next round another may find the host quick again.
    #[must_use]
    pub fn last_was_slow(&self) -> bool {
        self.made.last().is_some_and(|probe| self.slow(probe).is_some())
    }

    /// What a probe shows against the quick ones, where that is too much.
    fn slow(&self, probe: &Probe) -> Option<String> {
        let all = format!("on all {} host CPUs together", self.cpus);
        let figures: [(&str, Figure); 2] = [("on one host CPU", |p| p.one_ns), (&all, |p| p.all_ns)];
        figures.into_iter().find_map(|(where_, of)| {
            let (took, quick) = (of(probe) as f64, self.quick_of(of)?);
            let late = took - quick;
            let much = late * 1e3 > quick * limits::PROBE_PER_MILLE as f64;
            (much && late > limits::PROBE_MICROS as f64 * 1e3)
                .then(|| format!("took {:.0} % longer than the quick ones {where_}", late / quick * 100.0))
        })
    }

    /// What the quick ones took, in ns: on one CPU, and on all of them.
    #[must_use]
    pub fn quick(&self) -> Option<[f64; 2]> {
        Some([self.quick_of(|probe| probe.one_ns)?, self.quick_of(|probe| probe.all_ns)?])
    }

    fn quick_of(&self, figure: Figure) -> Option<f64> {
        quick(self.made.iter().map(|probe| figure(probe) as f64))
    }

    /// The largest part by which any probe took longer than the quick ones, of all of them.
    #[must_use]
    pub fn spread(&self) -> Option<f64> {
        let worst = |of: Figure| {
            let most = self.made.iter().map(of).max()?;
            Some(most as f64 / self.quick_of(of)? - 1.0)
        };
        Some(worst(|probe| probe.one_ns)?.max(worst(|probe| probe.all_ns)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probes of two CPUs with these times, in percent of quiet ones: of one, and of both.
    fn probes(percent: &[[u64; 2]]) -> Probes {
        let probe =
            |(round, [one, all]): (u32, &[u64; 2])| Probe::new(round, 0, 2_669_000 * one, 1_337_000 * all);
        let made = (0..).zip(percent).map(probe).collect();
        Probes { cpus: 2, made, ..Probes::default() }
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
        let slow = probes(&[[100, 100], [100, 100], [100, 150]]).slow_rounds();
        let told = "probe-slow: the native probe after it took 50 % longer than the quick ones on all 2 host CPUs \
                    together";
        assert_eq!(slow[&1], told);
        let slow = probes(&[[120, 100], [100, 100], [100, 100]]).slow_rounds();
        assert!(slow[&0].contains("before it took 20 % longer than the quick ones on one host CPU"));
    }

    #[test]
    fn a_host_that_becomes_busy_and_stays_so_is_found_out() {
        let mut session = vec![[100, 100], [100, 100]];
        session.extend([[190, 190]; 20]);
        assert_eq!(slow(&session), (1..=21).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_that_was_set_aside_is_taken_back() {
        let session = [[100, 100], [97, 160], [100, 100], [150, 98], [80, 100], [70, 100], [100, 100]];
        let mut before = Vec::new();
        for made in 1..=session.len() {
            let after = slow(&session[..made]);
            assert!(before.iter().all(|round| after.contains(round)), "{before:?}, then {after:?}");
            before = after;
        }
        // Two quick ones tell what the host could have given all along.
        assert_eq!(slow(&[[150, 150], [150, 150], [100, 100]]), [0_u32; 0]);
        assert_eq!(slow(&[[150, 150], [150, 150], [100, 100], [100, 100]]), [0, 1]);
    }

    #[test]
    fn a_probe_that_fails_is_a_slow_one() {
        let why = "the twin did not do its work: Deadline".to_owned();
        let failed = vec![FailedProbe { before_round: 2, why }];
        let session = Probes { failed, ..probes(&[[100, 100], [100, 100]]) };
        let slow = session.slow_rounds();
        assert_eq!(slow.keys().copied().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(
            slow[&1],
            "probe-slow: the native probe after it failed: the twin did not do its work: Deadline"
        );
    }

    #[test]
    fn of_two_probes_between_rounds_each_is_beside_its_own() {
        let mut session = probes(&[[100, 100], [100, 100], [150, 150], [100, 100], [100, 100]]);
        let quick = session.made[1];
        session.made.insert(3, Probe { before_round: 2, ..quick });
        let slow = session.slow_rounds();
        assert!(slow.len() == 1 && slow[&1].contains("after it"), "{slow:?}");
        session.made.swap(2, 3);
        let slow = session.slow_rounds();
        assert!(slow.len() == 1 && slow[&2].contains("before it"), "{slow:?}");
    }

    #[test]
    fn of_two_probes_before_the_first_round_the_last_is_beside_it() {
        let mut session = probes(&[[100, 100], [100, 100], [100, 100]]);
        session.made.insert(0, Probe::new(0, 0, 900_000_000, 900_000_000));
        assert_eq!(session.slow_rounds().len(), 0);
        session.made.swap(0, 1);
        assert_eq!(session.slow_rounds().into_keys().collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn a_short_probe_is_not_held_to_a_moment() {
        let probe = |round, all_ns| Probe::new(round, 0, 16_000_000, all_ns);
        let session = |last| Probes {
            cpus: 2,
            made: vec![probe(0, 8_000_000), probe(1, 8_000_000), probe(2, last)],
            ..Probes::default()
        };
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
        let spread = probes(&[[100, 100], [100, 100], [100, 107]]).spread();
        assert_eq!(spread.map(|part| (part * 100.0).round()), Some(7.0));
    }
}
