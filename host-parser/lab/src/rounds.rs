//! Chooses the next run. Makes a run that the host disturbed again, in its round; skips the rest of an excluded round, and
//! schedules a replacement for it.

use evidence::gate::limits;
use evidence::ledger::Ledger;
use results::{Repeats, RunRecord};

use crate::schedule::{Slot, schedule};

/// How many runs of an experiment may be lost for each that is to count. With more, less than half of what was made would
/// count, and nothing could be claimed.
pub const SPARE: u16 = 1;

/// The rounds of a session.
pub struct Rounds<T> {
    order: Vec<Slot<T>>,
    /// How many runs a round has.
    each: usize,
    /// How many rounds are to count.
    wanted: u32,
    /// How many rounds may be excluded, even if none of their runs is made.
    limit: u32,
    /// Whether time bounds the session, and no such limit.
    patient: bool,
}

/// The most rounds of a session with patience. At a second each, which is less than a guest takes to boot, it is 18 hours.
const MOST_ROUNDS: u16 = u16::MAX;

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
        Self { order, each, wanted: u32::from(wanted), limit: u32::from(limit), patient: false }
    }

    /// The same rounds, in the same order, for a session that time bounds: they go on until as many count as are wanted,
    /// and no larger share is lost than may be.
    pub fn patient(groups: &[Vec<T>], wanted: u16, spare: u16, seed: u64) -> Self {
        let order = schedule(groups, MOST_ROUNDS, seed);
        Self { order, patient: true, ..Self::new(groups, wanted, spare, seed) }
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

    /// How disturbed runs are made again, and how many may be lost: as many as that many rounds have.
    pub fn repeats(&self) -> Repeats {
        let runs_per_round = u32::try_from(self.each).unwrap_or(u32::MAX);
        let limit = self.limit.saturating_mul(runs_per_round);
        Repeats { times: limits::REPEATS, runs_per_round, limit }
    }

    /// The run of `round` that is to be made again, by the number of its last attempt.
    pub fn again(&self, round: u32, ledger: &Ledger) -> Option<u32> {
        ledger.to_repeat(round).filter(|_| !self.too_disturbed(ledger))
    }

    /// What is to be done about a run of `round`.
    pub fn step(&self, round: u32, ledger: &Ledger) -> Step {
        let excluded = excluded(ledger);
        if self.too_disturbed(ledger) || round >= self.to_count(ledger) + excluded {
            Step::Stop
        } else if ledger.is_excluded(round) {
            Step::PassOver
        } else {
            Step::Make
        }
    }

    /// The total number of runs, after `runs` were made: the runs of all rounds that count, and those that do not count.
    pub fn planned(&self, runs: &[RunRecord], ledger: &Ledger) -> usize {
        let lost = runs.iter().filter(|run| ledger.has_lost(run.round, run.run)).count();
        self.to_count(ledger) as usize * self.each + lost
    }

    /// How many rounds are to count: with patience more than were wanted, if otherwise too large a share was lost.
    fn to_count(&self, ledger: &Ledger) -> u32 {
        if self.patient {
            self.repeats().rounds_to_count(self.wanted, self.lost(ledger))
        } else {
            self.wanted
        }
    }

    /// Whether too many runs are lost. Further ones cannot change that. With patience they can.
    pub fn too_disturbed(&self, ledger: &Ledger) -> bool {
        !self.patient && self.lost(ledger) > self.repeats().limit
    }

    /// How many runs do not count.
    pub fn lost(&self, ledger: &Ledger) -> u32 {
        u32::try_from(ledger.count_lost_runs(self.each)).unwrap_or(u32::MAX)
    }
}

/// How many rounds are excluded.
fn excluded(ledger: &Ledger) -> u32 {
    u32::try_from(ledger.count_excluded()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use evidence::gate::{Gate, HostEvidence, RunExpectation, VcpuDelay};
    use evidence::ledger::{Probe, Probes};
    use evidence::transcript::Transcript;
    use test_support::guest::Guest;

    use super::*;

    /// A run of a round that is held to speed.
    fn run(round: u32) -> RunRecord {
        let verdict = Gate::default().judge(
            &Transcript::read(b""),
            &RunExpectation::default(),
            &HostEvidence::default(),
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

    /// A run of case `case` that the host disturbed, or not.
    fn run_of(number: u32, round: u32, case: u16, disturbed: bool) -> RunRecord {
        let delay = VcpuDelay {
            case,
            iteration: 0,
            vcpu: 0,
            wall_ns: 900_000_000,
            run_ns: 100_000_000,
            delay_ns: 800_000_000,
            involuntary_switches: 1,
        };
        let delays = if disturbed { vec![delay] } else { Vec::new() };
        let evidence = HostEvidence { delays, ..HostEvidence::default() };
        let log = Guest { nonce: u64::from(number) + 1, ..Guest::of(case) }.log();
        let verdict = Gate::default().judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
        assert_eq!(verdict.outcome.measurement().is_none(), disturbed, "{verdict:?}");
        RunRecord { case: Some(case), ..RunRecord::new(number, round, verdict) }
    }

    /// Makes all runs of a session; `disturbs` says of which runs, by their numbers, the host disturbs.
    fn made(rounds: &Rounds<u16>, disturbs: impl Fn(u32) -> bool) -> (Ledger, Vec<RunRecord>) {
        let mut ledger = Ledger::new(Probes::none("")).repeating(limits::REPEATS);
        let mut runs: Vec<RunRecord> = Vec::new();
        let mut make = |ledger: &mut Ledger, round, case| {
            let number = u32::try_from(runs.len()).expect("few");
            runs.push(run_of(number, round, case, disturbs(number)));
            ledger.add_run(&runs[runs.len() - 1]);
            runs.iter().map(|run| run.case.expect("a case")).collect::<Vec<u16>>()
        };
        for slot in rounds.order() {
            if rounds.step(slot.round, &ledger) == Step::Stop {
                break;
            }
            let mut cases = make(&mut ledger, slot.round, slot.item);
            while let Some(again) = rounds.again(slot.round, &ledger) {
                cases = make(&mut ledger, slot.round, cases[again as usize]);
            }
        }
        (ledger, runs)
    }

    fn cases() -> Rounds<u16> {
        Rounds::new(&[vec![1], vec![2]], 3, 1, 1)
    }

    #[test]
    fn a_disturbed_run_is_made_again_in_its_round() {
        let rounds = cases();
        let (ledger, runs) = made(&rounds, |number| [1, 2, 5].contains(&number));
        // Round 1 has its second run three times, round 2 its last one twice.
        let of: Vec<(u32, u32)> =
            runs.iter().map(|run| (run.round, ledger.attempt(run.round, run.run))).collect();
        assert_eq!(of, [(0, 0), (0, 0), (0, 1), (0, 2), (1, 0), (1, 0), (1, 1), (2, 0), (2, 0)]);
        assert_eq!(runs[1].case, runs[3].case);
        assert_eq!(
            (ledger.count_excluded(), rounds.lost(&ledger), rounds.planned(&runs, &ledger)),
            (0, 3, 9)
        );
    }

    #[test]
    fn a_run_that_is_disturbed_each_time_excludes_its_round() {
        let rounds = cases();
        let (ledger, runs) = made(&rounds, |number| (1..5).contains(&number));
        assert!(ledger.is_excluded(0) && ledger.count_excluded() == 1);
        assert_eq!((runs.len(), rounds.planned(&runs, &ledger), rounds.lost(&ledger)), (11, 11, 5));
        assert_eq!(runs.last().map(|run| run.round), Some(3));
        assert!(ledger.exclusion(0).is_some_and(|of| of.to_string().contains("vcpu-preempted in run 4")));
    }

    #[test]
    fn the_limit_counts_runs() {
        let rounds = cases();
        assert_eq!(rounds.repeats().limit, 6);
        // Every second run: each is made twice, and as many count as do not.
        let (ledger, runs) = made(&rounds, |number| number % 2 == 0);
        assert_eq!((runs.len(), rounds.lost(&ledger), rounds.too_disturbed(&ledger)), (12, 6, false));
        let (ledger, runs) = made(&rounds, |_| true);
        assert!(rounds.too_disturbed(&ledger));
        assert_eq!((runs.len(), rounds.lost(&ledger)), (7, 7));
    }

    #[test]
    fn with_patience_a_session_goes_on_until_enough_counts_of_what_was_made() {
        let rounds = Rounds::patient(&[vec![1], vec![2]], 3, 1, 1);
        assert_eq!(rounds.repeats().limit, cases().repeats().limit);
        // Rounds 1 and 2 are lost whole: eight runs. Without patience it would end at the seventh.
        let (ledger, runs) = made(&rounds, |number| number < 8);
        assert!(!rounds.too_disturbed(&ledger));
        assert_eq!((ledger.count_excluded(), rounds.lost(&ledger)), (1, 8));
        // Four rounds beside eight lost runs, and not three.
        assert_eq!(runs.last().map(|run| run.round), Some(4));
        assert_eq!((runs.len(), rounds.planned(&runs, &ledger)), (16, 16));
    }

    #[test]
    fn with_patience_an_undisturbed_session_is_the_same() {
        let (patient, usual) = (Rounds::patient(&[vec![1], vec![2]], 3, 1, 1), cases());
        assert_eq!(patient.undisturbed(), usual.undisturbed());
        assert_eq!(patient.order()[..usual.order().len()], *usual.order());
        let (ledger, runs) = made(&patient, |_| false);
        assert_eq!((runs.len(), patient.planned(&runs, &ledger)), (6, 6));
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
