//! Which run comes next: the rounds in their order, less what is left of those that the host disturbed, and a further one
//! for each of these.

use std::collections::BTreeMap;

use host_parser::results::{Probes, RunRecord, disturbed_rounds};

use crate::schedule::{Slot, schedule};

/// How many rounds of an experiment may be set aside for each that is to count. On a host whose cores are shared every
/// other round is no rarity.
pub const SPARE: u16 = 2;

/// The rounds of a session.
pub struct Rounds<T> {
    order: Vec<Slot<T>>,
    /// How many runs a round has.
    each: usize,
    /// How many rounds are to count.
    wanted: u32,
    /// How many may be set aside.
    limit: u32,
}

/// What is to be done about a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Make it.
    Make,
    /// Its round counts for nothing, and what is left of it would too.
    PassOver,
    /// No further run can be of use: all is done, or too many rounds were set aside.
    Stop,
}

impl<T: Clone> Rounds<T> {
    /// `wanted` rounds of `items`, in an order that `seed` gives; for each of them `spare` may be set aside.
    pub fn new(items: &[T], wanted: u16, spare: u16, seed: u64) -> Self {
        let each_alone: Vec<Vec<T>> = items.iter().map(|item| vec![item.clone()]).collect();
        Self::grouped(&each_alone, wanted, spare, seed)
    }

    /// The same of items in groups, each of which stays together.
    pub fn grouped(groups: &[Vec<T>], wanted: u16, spare: u16, seed: u64) -> Self {
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

    /// Those of a session in which no round is set aside.
    pub fn undisturbed(&self) -> &[Slot<T>] {
        &self.order[..self.wanted as usize * self.each]
    }

    /// How many rounds may be set aside. Past that, what is left would be a selection.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// What is to be done about a run of `round`, after `runs`.
    pub fn step(&self, round: u32, runs: &[RunRecord], probes: &Probes) -> Step {
        let disturbed = disturbed_rounds(runs, probes);
        match () {
            () if count(&disturbed) > self.limit() => Step::Stop,
            () if round >= self.wanted + count(&disturbed) => Step::Stop,
            () if disturbed.contains_key(&round) => Step::PassOver,
            () => Step::Make,
        }
    }

    /// How many runs there are to be: those of the rounds that are to count, and those that were made of rounds set
    /// aside.
    pub fn planned(&self, runs: &[RunRecord], probes: &Probes) -> usize {
        let disturbed = disturbed_rounds(runs, probes);
        let in_vain = runs.iter().filter(|run| disturbed.contains_key(&run.round)).count();
        self.undisturbed().len() + in_vain
    }

    /// Whether more rounds were set aside than may be: no further round could mend that.
    pub fn too_disturbed(&self, runs: &[RunRecord], probes: &Probes) -> bool {
        count(&disturbed_rounds(runs, probes)) > self.limit()
    }
}

/// How many rounds the host disturbed.
fn count<E>(disturbed: &BTreeMap<u32, E>) -> u32 {
    u32::try_from(disturbed.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use host_parser::gate::{Gate, RunExpectation};
    use host_parser::results::Probe;
    use host_parser::transcript::Transcript;

    use super::*;

    /// A run of a round that is held to speed.
    fn run(round: u32) -> RunRecord {
        let verdict = Gate::default().judge(
            &Transcript::read(b""),
            &RunExpectation::default(),
            &host_parser::gate::HostEvidence::default(),
        );
        RunRecord::new(round, round, verdict)
    }

    /// Probes before the first so many rounds; those before `slow` take twice as long.
    fn probes(made: u32, slow: &[u32]) -> Probes {
        let nanos = |round| if slow.contains(&round) { 200_000_000 } else { 100_000_000 };
        let probe = |round| Probe::new(round, 0, nanos(round), nanos(round));
        Probes { cpus: 2, made: (0..made).map(probe).collect(), ..Probes::default() }
    }

    #[test]
    fn a_round_that_the_host_disturbed_is_left_and_replaced() {
        let rounds = Rounds::new(&['a', 'b'], 5, 1, 1);
        let runs: Vec<RunRecord> = (0..5).flat_map(|round| [run(round), run(round)]).collect();
        let quiet = probes(6, &[]);
        assert_eq!(rounds.step(4, &runs[..8], &quiet), Step::Make);
        assert_eq!(rounds.step(5, &runs, &quiet), Step::Stop);
        assert_eq!(rounds.planned(&runs, &quiet), 10);
        let slow = probes(6, &[3]);
        assert_eq!(rounds.step(3, &runs, &slow), Step::PassOver);
        assert_eq!((rounds.step(6, &runs, &slow), rounds.step(7, &runs, &slow)), (Step::Make, Step::Stop));
        assert_eq!((rounds.planned(&runs, &slow), rounds.too_disturbed(&runs, &slow)), (14, false));
    }

    #[test]
    fn no_run_is_made_of_a_round_that_cannot_count() {
        let rounds = Rounds::new(&['a', 'b'], 5, 1, 1);
        let runs: Vec<RunRecord> = (0..3).flat_map(|round| [run(round), run(round)]).collect();
        assert_eq!(rounds.step(3, &runs, &probes(4, &[3])), Step::PassOver);
        assert_eq!(rounds.step(4, &runs, &probes(5, &[3])), Step::Make);
    }

    #[test]
    fn what_is_decided_of_a_round_stays_while_it_is_made() {
        // A quick probe and then ordinary ones: no round may count after a run of it was passed over.
        let nanos = [90, 100, 100, 100, 100, 100, 100].map(|percent| percent * 1_000_000);
        let made = (0..).zip(nanos).map(|(round, nanos)| Probe::new(round, 0, nanos, nanos)).collect();
        let all = Probes { cpus: 2, made, ..Probes::default() };
        let rounds = Rounds::new(&['a', 'b'], 5, 1, 1);
        let mut runs = Vec::new();
        for slot in rounds.order() {
            let made = all.made.iter().filter(|probe| probe.before_round <= slot.round).copied().collect();
            let seen = Probes { made, ..all.clone() };
            match rounds.step(slot.round, &runs, &seen) {
                Step::Make => runs.push(run(slot.round)),
                Step::PassOver => {}
                Step::Stop => break,
            }
        }
        assert_eq!(runs.len(), rounds.planned(&runs, &all));
    }

    #[test]
    fn only_so_many_rounds_may_be_set_aside() {
        let rounds = Rounds::new(&['a'], 2, 1, 1);
        let runs: Vec<RunRecord> = (0..8).map(run).collect();
        let slow = |slow: &[u32]| probes(9, slow);
        assert_eq!(rounds.limit(), 2);
        assert!(!rounds.too_disturbed(&runs, &slow(&[7])));
        assert_eq!(rounds.step(3, &runs, &slow(&[7])), Step::Make);
        assert!(rounds.too_disturbed(&runs, &slow(&[5, 7])));
        assert_eq!(rounds.step(3, &runs, &slow(&[5, 7])), Step::Stop);
        // The last of all rounds that there can be, and one more for the probe after it.
        assert_eq!((rounds.undisturbed().len(), rounds.order().len()), (2, 5));
    }
}
