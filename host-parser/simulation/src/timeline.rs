//! When a source of slowness is there: an alternating renewal process, or a fixed period.

use abi::random::SplitMix64;

/// A number above 0 and at most 1.
pub(crate) fn unit(random: &mut SplitMix64) -> f64 {
    ((random.draw() >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

/// A nearly normal number with a deviation of 1: twelve uniform numbers less their mean.
pub(crate) fn normal(random: &mut SplitMix64) -> f64 {
    (0..12).map(|_| unit(random)).sum::<f64>() - 6.0
}

/// How a source comes and goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Presence {
    /// Present for `part` of the time, in stretches with an exponential length of `mean_ms`.
    Random { part: f64, mean_ms: f64 },
    /// Present for the last `part` of each period of `period_ms`.
    Periodic { part: f64, period_ms: f64 },
    /// Always present.
    Always,
}

/// The stretches of time, in ms, in which a source is present. Time only goes on.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    presence: Presence,
    on: bool,
    until: f64,
    stretches: Vec<(f64, f64)>,
}

impl Timeline {
    /// A timeline that begins in its steady state.
    pub fn new(presence: Presence, random: &mut SplitMix64) -> Self {
        let (on, until) = match presence {
            Presence::Random { part, .. } => (unit(random) < part, 0.0),
            Presence::Periodic { period_ms, .. } => (false, -unit(random) * period_ms),
            Presence::Always => (true, 0.0),
        };
        Self { presence, on, until, stretches: Vec::new() }
    }

    /// Forgets what was before `from`, and makes the stretches up to `to`.
    pub fn cover(&mut self, from: f64, to: f64, random: &mut SplitMix64) {
        self.stretches.retain(|stretch| stretch.1 > from);
        while self.until < to {
            let length = self.length(random);
            if self.on {
                self.stretches.push((self.until, self.until + length));
            }
            self.until += length;
            self.on = !self.on || matches!(self.presence, Presence::Always);
        }
    }

    /// When each stretch began, in ms, that is there at a time between `from` and `to`. What is always there begins anew.
    pub fn begun(&self, from: f64, to: f64) -> impl Iterator<Item = f64> {
        let always = matches!(self.presence, Presence::Always);
        let meets = move |stretch: &&(f64, f64)| stretch.0 < to && stretch.1 > from;
        self.stretches.iter().filter(meets).map(move |stretch| if always { from } else { stretch.0 })
    }

    fn length(&self, random: &mut SplitMix64) -> f64 {
        match self.presence {
            Presence::Random { part, mean_ms } => {
                let mean = if self.on { mean_ms } else { mean_ms * (1.0 - part) / part };
                -unit(random).ln() * mean
            }
            Presence::Periodic { part, period_ms } => period_ms * if self.on { part } else { 1.0 - part },
            Presence::Always => 1e6,
        }
    }

    /// Whether it is present at `at`, and when that next changes. Only within what is covered.
    pub fn at(&self, at: f64) -> (bool, f64) {
        match self.stretches.iter().find(|stretch| stretch.1 > at) {
            Some(&(from, to)) if from <= at => (true, to),
            Some(&(from, _)) => (false, from),
            None => (false, self.until),
        }
    }
}
