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
    /// By round and run: the run's place. Runs are numbered in the order in which they are made. Flat, because a log may
    /// have hundreds of thousands of rounds with one run each.
    places: BTreeMap<(u32, u32), Place>,
    /// The last round of which there is anything.
    latest: u32,
}

impl Attempts {
    pub fn add(&mut self, round: u32, place: Place, run: u32) {
        self.reach(round);
        self.places.insert((round, run), place);
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

    /// All runs of a round, in their order.
    pub fn runs(&self, round: u32) -> impl Iterator<Item = u32> {
        self.of_round(round).map(|(run, _)| run)
    }

    /// The attempts at each place of a round whose every attempt is disturbed, in the order of the first ones.
    pub fn lost(&self, round: u32, is_disturbed: impl Fn(u32) -> bool) -> impl Iterator<Item = Vec<u32>> {
        let mut attempts: Vec<(Place, Vec<u32>)> = Vec::new();
        for (run, place) in self.of_round(round) {
            match attempts.iter_mut().find(|(of, _)| *of == place) {
                Some((_, runs)) => runs.push(run),
                None => attempts.push((place, vec![run])),
            }
        }
        let all = attempts.into_iter().map(|(_, runs)| runs);
        all.filter(move |runs| runs.iter().all(|&run| is_disturbed(run)))
    }

    /// Which attempt a run is, from 0.
    pub fn number(&self, round: u32, run: u32) -> u32 {
        let Some(&place) = self.places.get(&(round, run)) else { return 0 };
        let before = self.of_round(round).take_while(|&(of, _)| of < run).filter(|&(_, of)| of == place);
        u32::try_from(before.count()).unwrap_or(0)
    }

    /// The runs of a round, with their places.
    fn of_round(&self, round: u32) -> impl Iterator<Item = (u32, Place)> {
        self.places.range((round, 0)..=(round, u32::MAX)).map(|(&(_, run), &place)| (run, place))
    }
}
