//! The figures that stand for a boot: what its iterations took, in three ways.

use std::collections::BTreeMap;

use evidence::gate::{Cycles, Sample};
use serde::Serialize;
use stats::{Summary, lower_quartile};

/// What stands for the iterations of a boot.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// The lower quartile of the iterations that are not excluded.
    QuickQuartile,
    /// The median of the same iterations.
    Median,
    /// The mean of all iterations, with none left out.
    Experienced,
}

/// A figure of each round, in cycles.
pub type ByRound = BTreeMap<u32, f64>;

/// One figure of each round by the clock, and by pace.
#[derive(Clone, Debug, Default)]
pub struct Timed {
    /// In TSC cycles.
    pub clock: ByRound,
    /// In cycles times readings, of boots with enough iterations that have pace checks.
    pub by_pace: ByRound,
}

/// The figures of each round of a case.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// [`Figure::QuickQuartile`].
    pub quick: Timed,
    /// [`Figure::Median`].
    pub median: Timed,
    /// [`Figure::Experienced`], by the clock only: dividing the clock out leaves something out.
    pub experienced: Timed,
}

impl Figure {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::QuickQuartile, Self::Median, Self::Experienced];

    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::QuickQuartile => "quartile",
            Self::Median => "median",
            Self::Experienced => "mean (all)",
        }
    }
}

impl Figures {
    /// One of the figures.
    #[must_use]
    pub const fn of(&self, figure: Figure) -> &Timed {
        match figure {
            Figure::QuickQuartile => &self.quick,
            Figure::Median => &self.median,
            Figure::Experienced => &self.experienced,
        }
    }

    /// Adds a round, in which `counted` of `all` iterations count; `paces` are those of the counted ones, if known. There is
    /// at least one counted iteration.
    pub(super) fn add(
        &mut self,
        round: u32,
        all: &[Sample],
        counted: &[&Sample],
        paces: Option<&[f64]>,
        of: fn(&Sample) -> Cycles,
    ) {
        let cycles = |sample: &Sample| of(sample).0 as f64;
        let times: Vec<f64> = counted.iter().map(|sample| cycles(sample)).collect();
        self.quick.clock.extend(lower_quartile(times.iter().copied()).map(|time| (round, time)));
        self.median.clock.extend(Summary::of(&times).map(|times| (round, times.median)));
        let everything: Vec<f64> = all.iter().map(cycles).collect();
        self.experienced.clock.extend(Summary::of(&everything).map(|times| (round, times.mean)));
        if let Some(paces) = paces {
            let scaled: Vec<f64> = times.iter().zip(paces).map(|(time, pace)| time * pace).collect();
            self.quick.by_pace.extend(lower_quartile(scaled.iter().copied()).map(|time| (round, time)));
            self.median.by_pace.extend(Summary::of(&scaled).map(|times| (round, times.median)));
        }
    }
}
