//! False alarms, power and coverage of the verdict on simulated hosts.
//!
//! A host that is known in every respect shows what no recording can: whether the interval has the true ratio, and what
//! drift, neighbours and session offsets do to two sessions. The verdicts are those of the code that `assay compare` and
//! `assay ab` use.

use abi::random::SplitMix64;
use serde::Serialize;

use super::host::{Played, SimulatedHost};
use super::{Goal, Rate};
use crate::{Comparison, Design, Difference, HostShift, Thresholds, compare};

/// What the sessions of a comparison have.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sessions {
    /// A and B ran in the same rounds: `assay ab`.
    Paired,
    /// One after the other, with native probes that see the state of the host.
    Probed,
    /// One after the other, with native probes that do not see it.
    BlindProbes,
    /// One after the other, without native probes.
    NoProbes,
}

/// The quality of the verdict on one host.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimulatedRow {
    /// The host.
    pub host: SimulatedHost,
    /// What the sessions have.
    pub sessions: Sessions,
    /// How often equally fast programs were said to differ.
    pub false_alarms: Rate,
    /// How often equally fast programs had the verdict `no-difference`.
    pub shown_alike: Rate,
    /// How often `slower` was found, by the percentage by which B is slower.
    pub found: Vec<(u16, Rate)>,
    /// How often a B that is slower by 2 % had the verdict `no-difference`.
    pub missed: Rate,
    /// How often the interval had the true ratio.
    pub covered: Rate,
}

impl Sessions {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Paired, Self::Probed, Self::BlindProbes, Self::NoProbes];

    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Paired => "paired",
            Self::Probed => "two sessions, probed",
            Self::BlindProbes => "two sessions, blind probes",
            Self::NoProbes => "two sessions, no probes",
        }
    }

    const fn design(self) -> Design {
        match self {
            Self::Paired => Design::Paired,
            Self::Probed | Self::BlindProbes | Self::NoProbes => Design::Unpaired,
        }
    }
}

/// The slowdowns that are tried, in percent.
const SLOWED: [u16; 3] = [2, 5, 10];

impl SimulatedRow {
    /// Makes `trials` comparisons of new sessions for each slowdown. The same seed gives the same sessions. There must be a
    /// trial.
    #[must_use]
    pub fn of(host: SimulatedHost, sessions: Sessions, trials: usize, seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut counts = |percent: u16| -> Counts {
            let mut counts = Counts::default();
            for _ in 0..trials {
                counts.add(&compared(host, sessions, percent, &mut random), percent);
            }
            counts
        };
        let rate = |hits| Rate::exact(hits, trials).expect("there is a trial");
        let same = counts(0);
        let slowed = SLOWED.map(|percent| (percent, counts(percent)));
        Self {
            host,
            sessions,
            false_alarms: rate(same.slower + same.faster),
            shown_alike: rate(same.alike),
            missed: rate(slowed[0].1.alike),
            found: slowed.iter().map(|(percent, counts)| (*percent, rate(counts.slower))).collect(),
            covered: rate(same.covered),
        }
    }
}

/// The rows of all hosts, of one kind of session.
#[must_use]
pub fn simulated(sessions: Sessions, trials: usize, seed: u64) -> Vec<SimulatedRow> {
    SimulatedHost::ALL.into_iter().map(|host| SimulatedRow::of(host, sessions, trials, seed)).collect()
}

/// How often what was said.
#[derive(Default)]
struct Counts {
    slower: usize,
    faster: usize,
    alike: usize,
    covered: usize,
}

impl Counts {
    fn add(&mut self, compared: &Comparison, percent: u16) {
        match compared.verdict {
            Difference::Slower => self.slower += 1,
            Difference::Faster => self.faster += 1,
            Difference::NoDifference => self.alike += 1,
            Difference::Inconclusive => {}
        }
        let truth = 1.0 + f64::from(percent) / 100.0;
        self.covered += usize::from((compared.interval.low..=compared.interval.high).contains(&truth));
    }
}

fn compared(host: SimulatedHost, sessions: Sessions, percent: u16, random: &mut SplitMix64) -> Comparison {
    let Played { times: [a, mut b], probes } = host.play(sessions.design(), Goal::ROUNDS, random);
    b.iter_mut().for_each(|(_, time)| *time *= 1.0 + f64::from(percent) / 100.0);
    let found = compare(sessions.design(), &a, &b).expect("there are rounds");
    match sessions {
        Sessions::Paired => found,
        Sessions::Probed => found.on_host(HostShift::of(&probes, Thresholds::default()).as_ref()),
        Sessions::BlindProbes => {
            let blind = SimulatedHost::Independent(0.0).play(Design::Unpaired, Goal::ROUNDS, random).probes;
            found.on_host(HostShift::of(&blind, Thresholds::default()).as_ref())
        }
        Sessions::NoProbes => found.on_host(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The promise of docs/COMPARING.md: at most 1 % false alarms wherever there is a verdict at all.
    #[test]
    fn false_alarms_are_at_most_one_percent_on_every_host() {
        for sessions in [Sessions::Paired, Sessions::Probed] {
            for row in simulated(sessions, 400, 23) {
                assert!(row.false_alarms.interval.low <= Goal::FALSE_ALARMS, "{row:?}");
                assert!(row.missed.interval.low <= Goal::FALSE_ALARMS, "{row:?}");
                assert!(row.covered.interval.high >= 0.99, "{row:?}");
            }
        }
    }

    #[test]
    fn without_probes_there_is_no_verdict() {
        for row in simulated(Sessions::NoProbes, 20, 1) {
            let found = row.found.iter().map(|(_, rate)| rate.hits).sum::<usize>();
            assert_eq!((row.false_alarms.hits, row.shown_alike.hits, found), (0, 0, 0), "{row:?}");
        }
    }

    #[test]
    fn a_quiet_host_still_gets_verdicts() {
        let rate = |row: &SimulatedRow, of: u16| {
            row.found.iter().find(|(percent, _)| *percent == of).expect("tried").1.rate
        };
        for sessions in [Sessions::Paired, Sessions::Probed] {
            let row = SimulatedRow::of(SimulatedHost::Independent(0.005), sessions, 200, 5);
            assert!(rate(&row, 5) >= Goal::FOUND, "{row:?}");
            assert!(row.shown_alike.rate > 0.25, "{row:?}");
        }
    }

    #[test]
    fn a_host_whose_state_lasts_is_noticed_in_the_rounds_alone() {
        for host in [SimulatedHost::Autoregressive(0.95), SimulatedHost::Drift(0.03)] {
            let row = SimulatedRow::of(host, Sessions::BlindProbes, 200, 7);
            assert!(row.false_alarms.rate < 0.06, "{row:?}");
        }
    }

    #[test]
    #[ignore = "prints the table of docs/COMPARING.md; takes some minutes"]
    fn prints_false_alarms_power_and_coverage_of_each_host() {
        for sessions in Sessions::ALL {
            println!("{}: alarms, alike, 2, 5, 10 % found, 2 % called alike, coverage", sessions.words());
            for row in simulated(sessions, 2000, 23) {
                let found = row.found.iter().map(|(_, rate)| rate);
                let rates = [&row.false_alarms, &row.shown_alike].into_iter().chain(found);
                let rates = rates.chain([&row.missed, &row.covered]);
                let rates: Vec<String> = rates.map(|rate| format!("{:.1}", 100.0 * rate.rate)).collect();
                println!("{}: {}", row.host.words(), rates.join(" "));
            }
        }
    }
}
