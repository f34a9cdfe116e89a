//! The patterns that are tried.

use crate::host::{Effect, Host, Source};
use crate::timeline::Presence;

/// What slows a simulated host, by a name.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    /// Its name.
    pub name: &'static str,
    /// Whether the platform itself slows two workers more than one, with or without neighbours. Then what is excluded must not
    /// make a claim hold.
    pub platform: bool,
    /// Whether it is tried in other shapes of session, too.
    pub everywhere: bool,
    sources: &'static [Source],
    drift: f64,
    /// Quiet time after each repetition of the recorded noise, in ms; `None` without it.
    recorded: Option<f64>,
}

impl Pattern {
    /// Whether anything slows its host.
    pub(crate) const fn slows(&self) -> bool {
        !self.sources.is_empty() || self.recorded.is_some()
    }

    const fn everywhere(self) -> Self {
        Self { everywhere: true, ..self }
    }

    pub(crate) fn host(&self, seed: u64) -> Host {
        Host::new(self.sources, self.drift, self.recorded, seed)
    }
}

/// Every CPU that a session uses.
const ALL: &[u16] = &[0, 1, 2, 3];

const fn random(part: f64, mean_ms: f64) -> Presence {
    Presence::Random { part, mean_ms }
}

/// A neighbour of each CPU by itself, as on a core that something else uses too.
const fn neighbours(part: f64, mean_ms: f64) -> Source {
    let (effect, presence) = (Effect::Slow(1.8), random(part, mean_ms));
    Source { effect, presence, cpus: ALL, together: false, from_case: 1 }
}

/// Both vCPUs on one core while both are busy.
const fn sharing(part: f64, mean_ms: f64, times: f64) -> Source {
    let (effect, presence) = (Effect::Slow(times), random(part, mean_ms));
    Source { effect, presence, cpus: ALL, together: true, from_case: 2 }
}

const fn neighbour(name: &'static str, sources: &'static [Source]) -> Pattern {
    Pattern { name, platform: false, everywhere: false, sources, drift: 0.0, recorded: None }
}

const fn platform(name: &'static str, sources: &'static [Source]) -> Pattern {
    Pattern { name, platform: true, everywhere: false, sources, drift: 0.0, recorded: None }
}

/// Every pattern.
pub const PATTERNS: &[Pattern] = &[
    neighbour("no neighbour", &[]),
    neighbour("neighbours 5 % of the time, 50 ms each", &[neighbours(0.05, 50.0)]),
    neighbour("neighbours 10 %, 50 ms", &[neighbours(0.1, 50.0)]).everywhere(),
    neighbour("neighbours 25 %, 5 ms", &[neighbours(0.25, 5.0)]),
    neighbour("neighbours 25 %, 50 ms", &[neighbours(0.25, 50.0)]),
    neighbour("neighbours 25 %, 500 ms", &[neighbours(0.25, 500.0)]),
    neighbour("neighbours 25 %, 10 s", &[neighbours(0.25, 10_000.0)]),
    neighbour("neighbours 40 %, 200 ms", &[neighbours(0.4, 200.0)]),
    neighbour("neighbours 60 %, 200 ms", &[neighbours(0.6, 200.0)]),
    neighbour(
        "one neighbour of both CPUs, 30 %, 200 ms",
        &[Source { together: true, ..neighbours(0.3, 200.0) }],
    ),
    neighbour(
        "CPUs taken away by neighbours, 10 %, 30 ms",
        &[Source { effect: Effect::Taken, ..neighbours(0.1, 30.0) }],
    ),
    neighbour("a neighbour of CPU 1 only, 40 %, 100 ms", &[Source { cpus: &[1], ..neighbours(0.4, 100.0) }]),
    neighbour(
        "CPU 1 always slower by a quarter",
        &[Source {
            effect: Effect::Slow(1.25),
            presence: Presence::Always,
            cpus: &[1],
            together: false,
            from_case: 1,
        }],
    ),
    Pattern {
        name: "the clock falls by 15 % a minute",
        platform: false,
        everywhere: false,
        sources: &[],
        drift: 9.0,
        recorded: None,
    },
    Pattern { recorded: Some(0.0), ..neighbour("recorded beside builds", &[]) },
    Pattern { recorded: Some(12_000.0), ..neighbour("recorded, a third of the time", &[]) },
    platform("both vCPUs on one core 10 %, 100 ms", &[sharing(0.1, 100.0, 1.6)]),
    platform("both vCPUs on one core 25 %, 20 ms", &[sharing(0.25, 20.0, 1.6)]),
    platform("both vCPUs on one core 25 %, 50 ms", &[sharing(0.25, 50.0, 1.6)]),
    platform("both vCPUs on one core 25 %, 200 ms", &[sharing(0.25, 200.0, 1.6)]).everywhere(),
    platform("both vCPUs on one core 25 %, 500 ms", &[sharing(0.25, 500.0, 1.6)]),
    platform("both vCPUs on one core 30 %, 100 ms", &[sharing(0.3, 100.0, 1.6)]).everywhere(),
    platform("both vCPUs on one core 35 %, 50 ms", &[sharing(0.35, 50.0, 1.6)]),
    platform("both vCPUs on one core 35 %, 200 ms", &[sharing(0.35, 200.0, 1.6)]),
    platform("both vCPUs on one core 35 %, 500 ms", &[sharing(0.35, 500.0, 1.6)]),
    platform("both vCPUs on one core 40 %, 50 ms", &[sharing(0.4, 50.0, 1.6)]),
    platform("both vCPUs on one core 40 %, 200 ms", &[sharing(0.4, 200.0, 1.6)]),
    platform("both vCPUs on one core 40 %, 500 ms", &[sharing(0.4, 500.0, 1.6)]),
    platform("both vCPUs on one core 50 %, 100 ms", &[sharing(0.5, 100.0, 1.6)]),
    platform("both vCPUs on one core 50 %, 1 s", &[sharing(0.5, 1_000.0, 1.6)]).everywhere(),
    platform("both vCPUs on one core 60 %, 40 ms", &[sharing(0.6, 40.0, 1.6)]),
    platform("both vCPUs on one core 40 %, 5 s", &[sharing(0.4, 5_000.0, 1.6)]),
    platform("both vCPUs on one core 80 %, 300 ms", &[sharing(0.8, 300.0, 1.6)]),
    platform(
        "both vCPUs on one core always",
        &[Source { presence: Presence::Always, ..sharing(0.5, 1.0, 1.6) }],
    ),
    platform("two vCPUs slower by 15 %, 50 %, 1 s", &[sharing(0.5, 1_000.0, 1.15)]).everywhere(),
    platform(
        "two vCPUs slower by 8 %, always",
        &[Source { presence: Presence::Always, ..sharing(0.5, 1.0, 1.08) }],
    ),
    platform(
        "neighbours only beside two vCPUs, 25 %, 50 ms",
        &[Source { from_case: 2, ..neighbours(0.25, 50.0) }],
    ),
    platform(
        "neighbours only beside two vCPUs, 40 %, 500 ms",
        &[Source { from_case: 2, ..neighbours(0.4, 500.0) }],
    ),
    platform(
        "neighbours 10 %, 50 ms, and one core 30 %, 100 ms",
        &[neighbours(0.1, 50.0), sharing(0.3, 100.0, 1.6)],
    ),
    platform(
        "two vCPUs taken away, 20 %, 40 ms",
        &[Source { effect: Effect::Taken, from_case: 2, ..neighbours(0.2, 40.0) }],
    ),
    platform(
        "quota of 1.5 CPUs, 100 ms period",
        &[Source {
            effect: Effect::Taken,
            presence: Presence::Periodic { part: 0.25, period_ms: 100.0 },
            cpus: ALL,
            together: true,
            from_case: 2,
        }],
    ),
];
