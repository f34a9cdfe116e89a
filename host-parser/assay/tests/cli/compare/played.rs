//! What happens in a played session.

use abi::wire::Record;
use results::{Completion, Environment, Repeats, System};

use crate::guest::KHZ;

/// Which runs are made again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Again {
    /// None: a disturbed run excludes its round.
    Never,
    /// Those that the host disturbed.
    Disturbed,
    /// None, although the session says that disturbed ones are.
    NotEvenThose,
    /// All of them, also those that nothing excludes.
    All,
}

impl Again {
    /// How often a session says that a disturbed run is made again.
    pub fn times(self) -> u32 {
        if self == Self::Never { 0 } else { 3 }
    }

    pub fn makes_again(self, disturbed: bool) -> bool {
        self == Self::All || self == Self::Disturbed && disturbed
    }

    pub fn repeats(self, played: &Played) -> Option<Repeats> {
        let runs_per_round = u32::try_from(played.cases.len()).unwrap();
        let limit = played.limit.unwrap_or(played.rounds * runs_per_round);
        (self != Self::Never).then_some(Repeats { times: self.times(), runs_per_round, limit })
    }
}

/// What happens in a session.
#[derive(Clone)]
pub struct Played {
    pub rounds: u32,
    pub cases: Vec<u16>,
    /// The time of the whole work on one CPU, in cycles, in each round.
    pub cycles: fn(u32) -> u64,
    /// How often each boot runs its case.
    pub iterations: u16,
    /// How many of a boot's first iterations take another time than the others, and what they take of it in percent.
    pub first: (u16, u64),
    /// The frequency of the TSC.
    pub khz: u64,
    /// The readings of the pace checks, in per mille of the usual number, in each round.
    pub pace: fn(u32) -> u64,
    /// A round in which the host kept a vCPU waiting.
    pub disturbed: Option<u32>,
    /// Whether a disturbed run is made again.
    pub again: Again,
    /// A change to every record of every log.
    pub edit: fn(&mut Record),
    /// CPUs of the host.
    pub host_cpus: u16,
    /// How much later than those of other sessions its runs start, in milliseconds.
    pub later_ms: u64,
    pub environment: fn(&mut Environment),
    pub completion: Completion,
    /// How many rounds were asked for, if not as many as are undisturbed.
    pub asked: Option<u32>,
    /// How many rounds may be excluded, if not all.
    pub limit: Option<u32>,
    /// How long the session may take, in place of a limit.
    pub patience_ms: Option<u64>,
    /// Seed of the order.
    pub seed: Option<u64>,
    /// How long the native probes took on one CPU, in ns; on all they take half of that.
    pub probe_ns: Option<u64>,
    /// What ran the workers of a case.
    pub system: fn(u16) -> System,
    /// What becomes of the log of a run, by the run's number, before anything reads it.
    pub damage: fn(u32, &mut Vec<u8>),
}

impl Default for Played {
    fn default() -> Self {
        Self {
            rounds: 15,
            cases: vec![1, 2],
            cycles: steady,
            iterations: 1,
            first: (0, 100),
            khz: KHZ,
            pace: |_| 1_000,
            disturbed: None,
            again: Again::Never,
            edit: |_| {},
            host_cpus: 2,
            later_ms: 0,
            environment: |_| {},
            completion: Completion::Complete,
            asked: None,
            limit: None,
            patience_ms: None,
            seed: None,
            probe_ns: None,
            system: |_| System::Assay,
            damage: |_, _| {},
        }
    }
}

/// A session with native probes, which two sessions need for a verdict.
pub fn probed() -> Played {
    Played { probe_ns: Some(270_000_000), ..Played::default() }
}

/// Within 0.7 % of the middle, about 1.7e9 cycles, in no order.
pub fn steady(round: u32) -> u64 {
    1_700_000_000 + u64::from(round * 7 % 15) * 1_600_000
}

/// The same in another order, and 5 % slower.
pub fn slower(round: u32) -> u64 {
    steady(round * 7 + 3) * 105 / 100
}

/// From 1.0e9 to 2.4e9 cycles, in no order.
pub fn noisy(round: u32) -> u64 {
    1_000_000_000 + u64::from(round * 11 % 15) * 100_000_000
}
