//! Simulated hosts, and the method's false alarms, power and coverage on each of them.
//!
//! A session of a host that is known in every respect shows what no recording can: whether the interval has the true ratio.

use abi::random::SplitMix64;

use super::Rate;
use crate::{Design, Difference, compare};

/// Rounds of a side, as in [`super::Goal::ROUNDS`].
const ROUNDS: usize = 15;

/// What a host does to the rounds of a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Host {
    /// Rounds vary by 0.5 %.
    Quiet,
    /// Rounds vary by 1 %, and every fifth of each side is slowed by up to as much again.
    Outliers,
    /// The same with 2 %.
    Noisy,
    /// Rounds vary by 1 %, and two in five of each side are slowed by up to half.
    HeavyNeighbour,
    /// A neighbour comes and stays for about three rounds, and slows both sides of a pair by up to 60 %, each by its own
    /// amount.
    Bursts,
    /// The host's speed is a random walk of 1 % a round, and rounds vary by 0.5 % around it.
    Drift,
}

impl Host {
    const ALL: [Self; 6] =
        [Self::Quiet, Self::Outliers, Self::Noisy, Self::HeavyNeighbour, Self::Bursts, Self::Drift];

    /// Whether rounds of two sessions are independent: only then may an unpaired comparison expect its level.
    const fn has_independent_rounds(self) -> bool {
        !matches!(self, Self::Bursts | Self::Drift)
    }

    /// The times of A and B, equally fast programs, in units of their undisturbed time. Paired, both are of one session.
    fn times(self, design: Design, random: &mut SplitMix64) -> [Vec<f64>; 2] {
        let states = match design {
            Design::Paired => {
                let session = self.states(random);
                [session.clone(), session]
            }
            Design::Unpaired => [self.states(random), self.states(random)],
        };
        states.map(|states| states.into_iter().map(|state| self.time(state, random)).collect())
    }

    /// What both sides of each round of a session share: how far the host has drifted, or whether a neighbour is there.
    fn states(self, random: &mut SplitMix64) -> Vec<f64> {
        let mut state = if self == Self::Bursts && happens(random, 0.3) { 1.0 } else { 0.0 };
        let mut next = || {
            match self {
                Self::Drift => state += 0.01 * normal(random),
                Self::Bursts if state > 0.0 => state = if happens(random, 0.3) { 0.0 } else { 1.0 },
                Self::Bursts => state = if happens(random, 0.13) { 1.0 } else { 0.0 },
                _ => {}
            }
            state
        };
        (0..ROUNDS).map(|_| next()).collect()
    }

    /// The time of one run in a round of this state.
    fn time(self, state: f64, random: &mut SplitMix64) -> f64 {
        let (deviation, slowed, most) = match self {
            Self::Quiet => (0.005, 0.0, 0.0),
            Self::Outliers => (0.01, 0.2, 1.0),
            Self::Noisy => (0.02, 0.2, 1.0),
            Self::HeavyNeighbour => (0.01, 0.4, 0.5),
            Self::Bursts => (0.01, state, 0.6),
            Self::Drift => (0.005, 0.0, 0.0),
        };
        let drifted = if self == Self::Drift { state } else { 0.0 };
        let undisturbed = (drifted + deviation * normal(random)).exp();
        if happens(random, slowed) { undisturbed * (1.0 + most * unit(random)) } else { undisturbed }
    }
}

/// A number from 0 to 1.
fn unit(random: &mut SplitMix64) -> f64 {
    (random.draw() >> 11) as f64 / (1_u64 << 53) as f64
}

fn happens(random: &mut SplitMix64, probability: f64) -> bool {
    unit(random) < probability
}

/// A number of the standard normal distribution (Box and Muller, "A Note on the Generation of Random Normal Deviates",
/// Annals of Mathematical Statistics 29(2), 1958).
fn normal(random: &mut SplitMix64) -> f64 {
    let (radius, angle) = (1.0 - unit(random), std::f64::consts::TAU * unit(random));
    (-2.0 * radius.ln()).sqrt() * angle.cos()
}

/// What came of comparisons on one host.
struct Outcome {
    /// How often the verdict was that there is a difference: `slower` if B is slower, else `slower` or `faster`.
    found: Rate,
    /// How often the interval had the true ratio.
    covered: Rate,
}

/// The times in ns, scaled by `factor`, with their rounds.
fn by_round(times: Vec<f64>, factor: f64) -> Vec<(u32, f64)> {
    (0..).zip(times.into_iter().map(|time| 1e9 * factor * time)).collect()
}

/// Compares A with a B that is slower by the part `slowdown`, each time with rounds of a new session.
fn compare_on(host: Host, design: Design, slowdown: f64, trials: usize) -> Outcome {
    let mut random = SplitMix64::new(23);
    let (mut found, mut covered) = (0, 0);
    for _ in 0..trials {
        let [a, b] = host.times(design, &mut random);
        let compared = compare(design, &by_round(a, 1.0), &by_round(b, 1.0 + slowdown)).expect("rounds");
        found += usize::from(match compared.verdict {
            Difference::Slower => true,
            Difference::Faster => slowdown == 0.0,
            Difference::NoDifference | Difference::Inconclusive => false,
        });
        let interval = compared.interval;
        covered += usize::from((interval.low..=interval.high).contains(&(1.0 + slowdown)));
    }
    let rate = |hits: usize| Rate::exact(hits, trials).expect("trials");
    Outcome { found: rate(found), covered: rate(covered) }
}

#[test]
fn false_alarms_and_coverage_are_at_their_level_on_every_host() {
    for host in Host::ALL {
        for design in [Design::Unpaired, Design::Paired] {
            if design == Design::Unpaired && !host.has_independent_rounds() {
                continue;
            }
            let Outcome { found, covered } = compare_on(host, design, 0.0, 500);
            assert!(found.interval.low <= 0.01, "{host:?}, {design:?}: {found:?}");
            assert!(covered.interval.high >= 0.99, "{host:?}, {design:?}: {covered:?}");
        }
    }
}

#[test]
fn pairs_see_through_what_two_sessions_cannot() {
    let rate = |design, slowdown| compare_on(Host::Drift, design, slowdown, 200).found.rate;
    // Two sessions of a host that drifts differ, and the comparison reports that.
    assert!(rate(Design::Unpaired, 0.0) > 0.3);
    assert!(rate(Design::Paired, 0.0) <= 0.02);
    assert!(rate(Design::Paired, 0.02) > 0.95);
}

#[test]
fn what_is_found_depends_on_the_host() {
    let found = |host, design, slowdown| compare_on(host, design, slowdown, 200).found.rate;
    for design in [Design::Unpaired, Design::Paired] {
        assert!(found(Host::Quiet, design, 0.02) > 0.95);
        assert!(found(Host::Quiet, design, 0.05) > 0.99);
        assert!(found(Host::Outliers, design, 0.05) > 0.85);
        let noisy = [0.02, 0.05, 0.1].map(|slowdown| found(Host::Noisy, design, slowdown));
        assert!(noisy[0] < 0.4 && noisy.is_sorted() && noisy[2] > 0.9, "{design:?}: {noisy:?}");
    }
}

#[test]
#[ignore = "prints false alarms, power and coverage for each host; takes a minute in the release profile"]
fn prints_false_alarms_power_and_coverage_of_each_host() {
    println!("design, host: false alarms, 2 %, 5 % and 10 % found, coverage (in per cent)");
    for design in [Design::Unpaired, Design::Paired] {
        for host in Host::ALL {
            let [none, two, five, ten] =
                [0.0, 0.02, 0.05, 0.1].map(|slowdown| compare_on(host, design, slowdown, 4000));
            let rates = [&none.found, &two.found, &five.found, &ten.found, &none.covered];
            let [alarms, two, five, ten, covered] = rates.map(|rate| 100.0 * rate.rate);
            println!("{design:?}, {host:?}: {alarms:.2}, {two:.1}, {five:.1}, {ten:.1}, {covered:.2}");
        }
    }
}
