//! Simulated hosts: what they do to the rounds of two sessions, and what native probes see of it.

use abi::random::SplitMix64;
use serde::Serialize;

use crate::Design;

/// How much a probe varies by itself, as a fraction of its time.
const PROBE_NOISE: f64 = 0.005;

/// What a host does. Its state shows in rounds and probes alike; what varies from run to run does not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SimulatedHost {
    /// Rounds are independent and normal, with this deviation.
    Independent(f64),
    /// Independent, with a deviation of 1 %, and every fifth is slowed by up to as much again.
    Outliers,
    /// Independent, with a deviation of 1 %, and two in five are slowed by up to half.
    HeavyNeighbour,
    /// Independent, with one-sided Cauchy tails of 1 %.
    HeavyTails,
    /// The state is an autoregressive series with this coefficient and a deviation of 2 %.
    Autoregressive(f64),
    /// The state rises steadily by this fraction over both sessions.
    Drift(f64),
    /// A neighbour slows runs of ten rounds on average by 30 %; it is there 30 % of the time.
    Runs,
    /// Each session has an offset of its own, normal with this deviation.
    Offset(f64),
}

/// Rounds of A and B, and the probes of both sessions.
pub(super) struct Played {
    pub times: [Vec<(u32, f64)>; 2],
    /// For each kind of probe, those of A and of B.
    pub probes: Vec<[Vec<f64>; 2]>,
}

impl SimulatedHost {
    /// The hosts of the published table.
    pub const ALL: [Self; 12] = [
        Self::Independent(0.005),
        Self::Independent(0.01),
        Self::Outliers,
        Self::HeavyNeighbour,
        Self::HeavyTails,
        Self::Autoregressive(0.5),
        Self::Autoregressive(0.8),
        Self::Autoregressive(0.95),
        Self::Drift(0.01),
        Self::Drift(0.03),
        Self::Runs,
        Self::Offset(0.01),
    ];

    /// In words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Independent(deviation) => format!("independent, {} %", deviation * 100.0),
            Self::Outliers => "every fifth up to x2".to_owned(),
            Self::HeavyNeighbour => "two in five up to x1.5".to_owned(),
            Self::HeavyTails => "Cauchy tails, 1 %".to_owned(),
            Self::Autoregressive(coefficient) => format!("AR(1) {coefficient}, 2 %"),
            Self::Drift(whole) => format!("drift of {} %", whole * 100.0),
            Self::Runs => "runs of 10, x1.3".to_owned(),
            Self::Offset(deviation) => format!("session offset {} %", deviation * 100.0),
        }
    }

    /// Plays two equally fast programs of `rounds` rounds each. In pairs both are in one session, in either order within a
    /// round; else A's session is over before B's begins.
    pub(super) fn play(self, design: Design, rounds: usize, random: &mut SplitMix64) -> Played {
        let states = self.states(2 * rounds, random);
        let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
        match design {
            Design::Unpaired => {
                let offsets = [0, 1].map(|_| self.offset(random));
                of_a.extend(states[..rounds].iter().map(|state| state + offsets[0]));
                of_b.extend(states[rounds..].iter().map(|state| state + offsets[1]));
            }
            Design::Paired => {
                for round in states.chunks_exact(2) {
                    let b_first = happens(random, 0.5);
                    of_a.push(round[usize::from(b_first)]);
                    of_b.push(round[usize::from(!b_first)]);
                }
            }
        }
        let states = [of_a, of_b];
        let kinds = [(); 2].map(|()| [probes(&states[0], random), probes(&states[1], random)]);
        let times = states.map(|states| {
            let times = states.into_iter().map(|state| 1e9 * state.exp() * self.run(random));
            (0..).zip(times).collect()
        });
        Played { times, probes: kinds.to_vec() }
    }

    /// The state of the host in each place of a timeline, as a logarithm.
    fn states(self, places: usize, random: &mut SplitMix64) -> Vec<f64> {
        let mut state = match self {
            Self::Autoregressive(_) => 0.02 * normal(random),
            Self::Runs if happens(random, 0.3) => 1.3_f64.ln(),
            _ => 0.0,
        };
        let mut states = Vec::with_capacity(places);
        for _ in 0..places {
            states.push(state);
            state = match self {
                Self::Autoregressive(coefficient) => {
                    coefficient * state + 0.02 * (1.0 - coefficient.powi(2)).sqrt() * normal(random)
                }
                Self::Drift(whole) => state + whole / (places - 1) as f64,
                // Of a neighbour that stays for 10 rounds and is there 30 % of the time.
                Self::Runs if state > 0.0 && happens(random, 0.07) => 0.0,
                Self::Runs if state == 0.0 && happens(random, 0.03) => 1.3_f64.ln(),
                _ => state,
            };
        }
        states
    }

    fn offset(self, random: &mut SplitMix64) -> f64 {
        match self {
            Self::Offset(deviation) => deviation * normal(random),
            _ => 0.0,
        }
    }

    /// What one run takes in addition, as a factor.
    fn run(self, random: &mut SplitMix64) -> f64 {
        let slowed = |random: &mut SplitMix64, part, most| {
            if happens(random, part) { 1.0 + most * unit(random) } else { 1.0 }
        };
        match self {
            Self::Independent(deviation) => (deviation * normal(random)).exp(),
            Self::Outliers => (0.01 * normal(random)).exp() * slowed(random, 0.2, 1.0),
            Self::HeavyNeighbour => (0.01 * normal(random)).exp() * slowed(random, 0.4, 0.5),
            Self::HeavyTails => {
                let cauchy = (std::f64::consts::FRAC_PI_2 * unit(random)).tan();
                (0.005 * normal(random)).exp() * (1.0 + 0.01 * cauchy)
            }
            Self::Autoregressive(_) | Self::Drift(_) | Self::Runs | Self::Offset(_) => {
                (0.005 * normal(random)).exp()
            }
        }
    }
}

/// A probe before each round and one after the last.
fn probes(states: &[f64], random: &mut SplitMix64) -> Vec<f64> {
    let places = states.iter().chain(states.last());
    places.map(|state| 270e6 * (state + PROBE_NOISE * normal(random)).exp()).collect()
}

/// A number from 0 to 1, less than 1.
pub(crate) fn unit(random: &mut SplitMix64) -> f64 {
    (random.draw() >> 11) as f64 / (1_u64 << 53) as f64
}

fn happens(random: &mut SplitMix64, probability: f64) -> bool {
    unit(random) < probability
}

/// A number of the standard normal distribution (Box and Muller, "A Note on the Generation of Random Normal Deviates",
/// Annals of Mathematical Statistics 29(2), 1958).
pub(crate) fn normal(random: &mut SplitMix64) -> f64 {
    let (radius, angle) = (1.0 - unit(random), std::f64::consts::TAU * unit(random));
    (-2.0 * radius.ln()).sqrt() * angle.cos()
}
