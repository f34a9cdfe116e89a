//! Which runs are attempts at one another: a run that the host disturbed is made again in its round.
//!
//! Owns the places of a round and the runs that were made at each. A run whose fault is the guest's is never disturbed in
//! this sense, and so is never made again. There is at most one undisturbed attempt, since none follows it.

use std::collections::BTreeMap;

/// Which of a round's runs a run is. A log from elsewhere has only its number, and so is at a place by itself.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// The run of a row (its set of results and its system, by their numbers) with a case; of a sweep it has none.
    Of {
        /// The set of results.
        set: usize,
        /// The system.
        system: u8,
        /// The case.
        case: Option<u16>,
    },
    /// By itself.
    Alone(u32),
}

/// The attempts of all rounds.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempts {
    /// How often a run is made again at most.
    pub repeats: u32,
    /// By round and place: the runs, in their order.
    rounds: BTreeMap<u32, Vec<(Place, Vec<u32>)>>,
    /// The last round of which there is anything.
    latest: u32,
}

impl Attempts {
    pub fn add(&mut self, round: u32, place: Place, run: u32) {
        self.reach(round);
        let places = self.rounds.entry(round).or_default();
        match places.iter_mut().find(|(of, _)| *of == place) {
            Some((_, runs)) => runs.push(run),
            None => places.push((place, vec![run])),
        }
    }

    /// There is something of `round`: the rounds before it are over.
    pub fn reach(&mut self, round: u32) {
        self.latest = self.latest.max(round);
    }

    /// Whether no further run of the round will be made.
    pub const fn is_over(&self, round: u32) -> bool {
        self.latest > round
    }

    /// Whether a run with as many attempts is not made again.
    pub fn are_all(&self, attempts: usize) -> bool {
        attempts as u64 > u64::from(self.repeats)
    }

    /// All runs of a round.
    pub fn runs(&self, round: u32) -> impl Iterator<Item = u32> {
        self.rounds.get(&round).into_iter().flatten().flat_map(|(_, runs)| runs).copied()
    }

    /// The attempts at each place of a round whose every attempt is disturbed, in the order of the first ones.
    pub fn lost(&self, round: u32, is_disturbed: impl Fn(u32) -> bool) -> impl Iterator<Item = &[u32]> {
        let places = self.rounds.get(&round).into_iter().flatten();
        places.map(|(_, runs)| runs.as_slice()).filter(move |runs| runs.iter().all(|&run| is_disturbed(run)))
    }

    /// Which attempt a run is, from 0.
    pub fn number(&self, round: u32, run: u32) -> u32 {
        let places = self.rounds.get(&round).into_iter().flatten();
        let at = places.filter_map(|(_, runs)| runs.iter().position(|&of| of == run)).next();
        at.and_then(|at| u32::try_from(at).ok()).unwrap_or(0)
    }
}
