//! Which runs are attempts at one another: a run that the host disturbed is made again in its round.
//!
//! Owns the places of a round and the runs that were made at each. A run whose fault is the guest's is never disturbed in
//! this sense, and so is never made again. There is at most one undisturbed attempt, since none follows it.

use std::collections::HashMap;
use std::num::NonZeroU32;

use super::in_order::InOrder;

/// Which of a round's runs a run is. A log from elsewhere has only its number, and so is at a place by itself.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
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
    runs: InOrder<(u32, u32), Made>,
    /// The places of runs that are not by themselves, of which there are few.
    places: Vec<Place>,
    /// Where a place is in `places`.
    known: HashMap<Place, NonZeroU32>,
    /// The last round of which there is anything.
    latest: u32,
}

/// A run that was made.
#[derive(Clone, Copy, Debug)]
struct Made {
    /// Where its place is in `places`; `None` if it is by itself.
    place: Option<NonZeroU32>,
    /// Whether it can show speed.
    held_to_speed: bool,
}

impl Attempts {
    /// Makes room for runs.
    pub fn reserve(&mut self, runs: usize) {
        self.runs.reserve(runs);
    }

    pub fn add(&mut self, round: u32, place: Place, run: u32, held_to_speed: bool) {
        self.reach(round);
        let place = if place == Place::Alone(run) { None } else { Some(self.number_of(place)) };
        self.runs.insert((round, run), Made { place, held_to_speed });
    }

    /// The number of a place, from 1.
    fn number_of(&mut self, place: Place) -> NonZeroU32 {
        *self.known.entry(place).or_insert_with(|| {
            self.places.push(place);
            u32::try_from(self.places.len()).ok().and_then(NonZeroU32::new).expect("fewer places than bytes")
        })
    }

    /// Whether there is any run.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether a run of the round can show speed; `None` if it has no run.
    pub fn is_held_to_speed(&self, round: u32) -> Option<bool> {
        self.made(round).map(|(_, made)| made.held_to_speed).reduce(|one, other| one | other)
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
        let Some((_, place)) = self.of_round(round).find(|&(of, _)| of == run) else { return 0 };
        let before = self.of_round(round).take_while(|&(of, _)| of < run).filter(|&(_, of)| of == place);
        u32::try_from(before.count()).unwrap_or(0)
    }

    /// The runs of a round, with their places.
    fn of_round(&self, round: u32) -> impl Iterator<Item = (u32, Place)> {
        self.made(round).map(|(run, made)| {
            let place = made.place.map(|number| self.places[number.get() as usize - 1]);
            (run, place.unwrap_or(Place::Alone(run)))
        })
    }

    fn made(&self, round: u32) -> impl Iterator<Item = (u32, Made)> {
        self.runs.range((round, 0)..=(round, u32::MAX)).map(|((_, run), &made)| (run, made))
    }
}
