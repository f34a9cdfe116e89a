//! How often a change is found if there is none, how often if there is one, and how soon.

use abi::random::SplitMix64;
use serde::Serialize;

use super::Changes;
use crate::median;
use crate::quality::host::{normal, unit};
use crate::summary::count;

/// How many sessions a simulated series has.
const LENGTH: usize = 60;
/// After how many of them the level changes, if it does.
const STEP_AFTER: usize = 30;

/// What a series is of, apart from a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeriesKind {
    /// Independent values of a normal distribution.
    Normal,
    /// Independent values of a lognormal distribution.
    Lognormal,
    /// Normal, with one value in twenty ten standard deviations too high.
    Spikes,
    /// First-order autoregressive, by this much.
    Lasting(f64),
}

/// Simulated series of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ChangeTrial {
    /// What they are of.
    pub kind: SeriesKind,
    /// The step in the middle, in standard deviations; 0 for none.
    pub step: f64,
    /// How many series there were.
    pub series: usize,
    /// The part of them in which a change was found: without a step false alarms, with one those that begin at most
    /// three sessions from it.
    pub found: f64,
    /// After how many sessions of the new level, in the median.
    pub delay: Option<f64>,
}

impl SeriesKind {
    /// In words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Normal => "normal".to_owned(),
            Self::Lognormal => "lognormal".to_owned(),
            Self::Spikes => "5 % spikes".to_owned(),
            Self::Lasting(by) => format!("lasting, AR(1) {by}"),
        }
    }

    fn series(self, step: f64, random: &mut SplitMix64) -> Vec<f64> {
        let mut last = 0.0;
        let value = |at: usize| {
            let normal = normal(random);
            let shift = if at < STEP_AFTER { 0.0 } else { step };
            match self {
                Self::Normal => normal + shift,
                Self::Lognormal => (normal + shift).exp(),
                Self::Spikes => normal + shift + if unit(random) < 0.05 { 10.0 } else { 0.0 },
                Self::Lasting(by) => {
                    last = by * last + (1.0 - by * by).sqrt() * normal;
                    last + shift
                }
            }
        };
        (0..LENGTH).map(value).collect()
    }
}

/// Tries series of 60 sessions, looked at after each: without a change, and with a step after the 30th.
#[must_use]
pub fn change_trials(series: usize, seed: u64) -> Vec<ChangeTrial> {
    use SeriesKind::{Lasting, Lognormal, Normal, Spikes};
    let still = [Normal, Lognormal, Spikes, Lasting(0.3), Lasting(0.6)].map(|kind| (kind, 0.0));
    let steps = [(Normal, 1.0), (Normal, 2.0), (Spikes, 2.0), (Lasting(0.3), 2.0)];
    still.into_iter().chain(steps).map(|(kind, step)| trial(kind, step, series, seed)).collect()
}

fn trial(kind: SeriesKind, step: f64, series: usize, seed: u64) -> ChangeTrial {
    let mut random = SplitMix64::new(seed);
    let mut delays = Vec::new();
    for _ in 0..series {
        let changes = Changes::of(&kind.series(step, &mut random)).changes;
        let near = |at: usize| step == 0.0 || at.abs_diff(STEP_AFTER) <= 3;
        if let Some(change) = changes.iter().find(|change| near(change.at)) {
            delays.push(count((change.found + 1).saturating_sub(STEP_AFTER)));
        }
    }
    let found = count(delays.len()) / count(series);
    ChangeTrial { kind, step, series, found, delay: median(delays).filter(|_| step != 0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rates that docs/HISTORY.md has, by fewer series.
    #[test]
    fn false_alarms_are_as_rare_as_the_limits_promise_and_steps_are_found() {
        let trials = change_trials(400, 1);
        for trial in trials.iter().filter(|trial| trial.step == 0.0) {
            let most = if matches!(trial.kind, SeriesKind::Lasting(_)) { 0.5 } else { 0.14 };
            assert!(trial.found <= most, "{trial:?}");
        }
        let two = trials.iter().find(|trial| trial.kind == SeriesKind::Normal && trial.step > 1.5).unwrap();
        assert!(two.found > 0.9 && two.delay.unwrap() < 9.0, "{two:?}");
    }
}
