//! Chooses the next run. Skips the rest of an excluded round, and schedules a replacement for it.

use evidence::ledger::Ledger;
use results::RunRecord;

use crate::schedule::{Slot, schedule};

/// How many rounds of an experiment may be excluded for each that is to count. With more, less than half of what was made
/// would count, and nothing could be claimed.
pub const SPARE: u16 = 1;

/// The rounds of a session.
pub struct Rounds<T> {
    order: Vec<Slot<T>>,
    /// How many runs a round has.
    each: usize,
    /// How many rounds are to count.
    wanted: u32,
    /// How many may be excluded.
    limit: u32,
}

/// What to do about the next run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Make it.
    Make,
    /// Its round is excluded: skip it, unless the round is to be whole.
    PassOver,
    /// Make no further run: all is done, or too many rounds are excluded.
    Stop,
}

impl<T: Clone> Rounds<T> {
    /// `wanted` rounds of items in groups, each of which stays together, in an order that `seed` gives; for each round
    /// `spare` may be excluded.
    pub fn new(groups: &[Vec<T>], wanted: u16, spare: u16, seed: u64) -> Self {
        let limit = wanted.saturating_mul(spare);
        // One more than there can be, before which the last probe is made.
        let order = schedule(groups, wanted.saturating_add(limit).saturating_add(1), seed);
        let each = groups.iter().map(Vec::len).sum();
        Self { order, each, wanted: u32::from(wanted), limit: u32::from(limit) }
    }

    /// All runs that there can be, in their order.
    pub fn order(&self) -> &[Slot<T>] {
        &self.order
    }

    /// The runs of a session in which no round is excluded.
    pub fn undisturbed(&self) -> &[Slot<T>] {
        &self.order[..self.wanted as usize * self.each]
    }

    /// How many rounds are to count.
    pub const fn wanted(&self) -> u32 {
        self.wanted
    }

    /// How many runs a round has.
    pub const fn runs_per_round(&self) -> usize {
        self.each
    }

    /// How many rounds may be excluded. With more than that, the rest would be a selection.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// What is to be done about a run of `round`.
    pub fn step(&self, round: u32, ledger: &Ledger) -> Step {
        let excluded = excluded(ledger);
        if excluded > self.limit || round >= self.wanted + excluded {
            Step::Stop
        } else if ledger.is_excluded(round) {
            Step::PassOver
        } else {
            Step::Make
        }
    }

    /// The total number of runs, after `runs` were made: the runs of all rounds that count, and the runs of excluded rounds.
    pub fn planned(&self, runs: &[RunRecord], ledger: &Ledger) -> usize {
        let wasted = runs.iter().filter(|run| ledger.is_excluded(run.round)).count();
        self.undisturbed().len() + wasted
    }

    /// Whether too many rounds are excluded. Further rounds cannot change that.
    pub fn too_disturbed(&self, ledger: &Ledger) -> bool {
        excluded(ledger) > self.limit
    }
}

/// How many rounds are excluded.
fn excluded(ledger: &Ledger) -> u32 {
    u32::try_from(ledger.count_excluded()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use evidence::gate::{Gate, RunExpectation};
    use evidence::ledger::{Probe, Probes};
    use evidence::transcript::Transcript;

    use super::*;

    /// A run of a round that is held to speed.
    fn run(round: u32) -> RunRecord {
        let verdict = Gate::default().judge(
            &Transcript::read(b""),
            &RunExpectation::default(),
            &evidence::gate::HostEvidence::default(),
        );
        RunRecord::new(round, round, verdict)
    }

    /// Probes before the first `made` rounds; the probes before the rounds in `slow` take twice as long.
    fn probes(made: u32, slow: &[u32]) -> Probes {
        let nanos = |round| if slow.contains(&round) { 200_000_000 } else { 100_000_000 };
        let probe = |round| Probe::new(round, 0, nanos(round), nanos(round));
        Probes { cpus: 2, made: (0..made).map(probe).collect(), ..Probes::default() }
    }

    /// Rounds of two runs, each by itself.
    fn rounds(wanted: u16) -> Rounds<char> {
        Rounds::new(&[vec!['a'], vec!['b']], wanted, 1, 1)
    }

    #[test]
    fn a_round_that_the_host_disturbed_is_left_and_replaced() {
        let rounds = rounds(5);
        let runs: Vec<RunRecord> = (0..5).flat_map(|round| [run(round), run(round)]).collect();
        let quiet = Ledger::of(&runs, probes(6, &[]));
        assert_eq!(rounds.step(4, &Ledger::of(&runs[..8], probes(6, &[]))), Step::Make);
        assert_eq!(rounds.step(5, &quiet), Step::Stop);
        assert_eq!(rounds.planned(&runs, &quiet), 10);
        let slow = Ledger::of(&runs, probes(6, &[3]));
        assert_eq!(rounds.step(3, &slow), Step::PassOver);
        assert_eq!((rounds.step(6, &slow), rounds.step(7, &slow)), (Step::Make, Step::Stop));
        assert_eq!((rounds.planned(&runs, &slow), rounds.too_disturbed(&slow)), (14, false));
    }

    #[test]
    fn no_run_is_made_of_a_round_that_cannot_count() {
        let rounds = rounds(5);
        let runs: Vec<RunRecord> = (0..3).flat_map(|round| [run(round), run(round)]).collect();
        assert_eq!(rounds.step(3, &Ledger::of(&runs, probes(4, &[3]))), Step::PassOver);
        assert_eq!(rounds.step(4, &Ledger::of(&runs, probes(5, &[3]))), Step::Make);
    }

    #[test]
    fn what_is_decided_of_a_round_stays_while_it_is_made() {
        // A fast probe and then ordinary ones: no round may count after a run of it was passed over.
        let nanos = [90, 100, 100, 100, 100, 100, 100].map(|percent| percent * 1_000_000);
        let made = (0..).zip(nanos).map(|(round, nanos)| Probe::new(round, 0, nanos, nanos)).collect();
        let all = Probes { cpus: 2, made, ..Probes::default() };
        let rounds = rounds(5);
        let mut runs = Vec::new();
        for slot in rounds.order() {
            let made = all.made.iter().filter(|probe| probe.before_round <= slot.round).copied().collect();
            let seen = Probes { made, ..all.clone() };
            match rounds.step(slot.round, &Ledger::of(&runs, seen)) {
                Step::Make => runs.push(run(slot.round)),
                Step::PassOver => {}
                Step::Stop => break,
            }
        }
        assert_eq!(runs.len(), rounds.planned(&runs, &Ledger::of(&runs, all)));
    }

    #[test]
    fn only_so_many_rounds_may_be_excluded() {
        let rounds = Rounds::new(&[vec!['a']], 2, 1, 1);
        let runs: Vec<RunRecord> = (0..8).map(run).collect();
        let slow = |slow: &[u32]| Ledger::of(&runs, probes(9, slow));
        assert_eq!(rounds.limit(), 2);
        assert!(!rounds.too_disturbed(&slow(&[7])));
        assert_eq!(rounds.step(3, &slow(&[7])), Step::Make);
        assert!(rounds.too_disturbed(&slow(&[5, 7])));
        assert_eq!(rounds.step(3, &slow(&[5, 7])), Step::Stop);
        // The last of all rounds that there can be, and one more for the probe after it.
        assert_eq!((rounds.undisturbed().len(), rounds.order().len()), (2, 5));
    }
}
