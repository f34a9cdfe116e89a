//! A plan on a given machine: its cases, and the order in which their iterations run.

use abi::plan::{Case, Plan, Split, Sweep};
use abi::sweep;
use abi::wire::Hex64;
use alloc::vec::Vec;

/// The answers that the workers of a case must give.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expected {
    /// Each worker's is in its split.
    Each,
    /// Only the sums are known (the digest's wraps): a sweep's plan cannot know the shares of every machine's workers.
    Together {
        /// The answer.
        answer: u64,
        /// The work.
        work: u64,
        /// The digest.
        digest: u64,
    },
}

/// A case as it will run.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its workers, iterations and time-out.
    pub case: Case,
    /// What each worker is given.
    pub splits: Vec<Split>,
    /// What the workers must answer.
    pub expected: Expected,
}

/// The cases of a plan, and the order of their iterations.
#[derive(Clone, Debug)]
pub struct Agenda {
    items: Vec<Item>,
    /// Each turn: an index into `items`, and an iteration of that item.
    turns: Vec<(usize, u16)>,
}

impl Agenda {
    /// The agenda for a machine with this many cores and CPUs.
    #[must_use]
    pub fn new(plan: &Plan<'_>, cores: u16, cpus: u16) -> Self {
        match plan.sweep() {
            Some((sweep, cut_points)) => Self::sweep(&sweep, &cut_points.collect::<Vec<_>>(), cores, cpus),
            None => Self::listed(plan),
        }
    }

    /// The plan's own cases, in their order, each with all its iterations.
    fn listed(plan: &Plan<'_>) -> Self {
        let mut agenda = Self { items: Vec::new(), turns: Vec::new() };
        for (number, (case, splits)) in plan.cases().enumerate() {
            agenda.items.push(Item { case, splits: splits.collect(), expected: Expected::Each });
            agenda.turns.extend((0..case.iterations).map(|iteration| (number, iteration)));
        }
        agenda
    }

    /// The cases of a sweep. Every iteration has every case once, in an order of its own.
    fn sweep(sweep: &Sweep, cut_points: &[u64], cores: u16, cpus: u16) -> Self {
        let cases = sweep::cases(cores, cpus);
        let items: Vec<_> = cases.map(|case| sweep_item(sweep, cut_points, case.workers)).collect();
        let mut turns = Vec::new();
        for iteration in 0..sweep.iterations {
            let mut order: Vec<_> = (0..items.len()).collect();
            sweep::shuffle(&mut order, sweep.seed.0, iteration);
            turns.extend(order.into_iter().map(|number| (number, iteration)));
        }
        Self { items, turns }
    }

    /// Every turn, in order: a case and one of its iterations.
    pub fn turns(&self) -> impl Iterator<Item = (&Item, u16)> {
        self.turns.iter().map(|&(number, iteration)| (&self.items[number], iteration))
    }

    /// How many turns there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.turns.len()
    }

    /// Whether there is nothing to do. No plan asks for that.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }
}

/// The sweep's case with this many workers.
fn sweep_item(sweep: &Sweep, cut_points: &[u64], workers: u16) -> Item {
    let Sweep { iterations, timeout_ms, answer, work, digest, .. } = *sweep;
    Item {
        case: Case { workers, iterations, timeout_ms },
        splits: (0..workers).filter_map(|worker| share(sweep, cut_points, workers, worker)).collect(),
        expected: Expected::Together { answer, work, digest: digest.0 },
    }
}

/// One worker's share. Its own answers are not known.
fn share(sweep: &Sweep, cut_points: &[u64], workers: u16, worker: u16) -> Option<Split> {
    let (p0, p1) = sweep::bounds(cut_points, workers, worker)?;
    let Sweep { p2, p3, .. } = *sweep;
    Some(Split { worker, p0, p1, p2, p3, answer: 0, work: 0, digest: Hex64(0) })
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use super::*;

    fn plan(rest: &str) -> String {
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let head = "ASSAY-PLAN2\nplan experiment=x linger_ms=0 challenge=00000000000000c5\n";
        format!("{head}workload name=primes sha256={hash} authority=exit\ncontrol kind=none target=0\n{rest}")
    }

    fn turns(agenda: &Agenda) -> Vec<(u16, u16)> {
        agenda.turns().map(|(item, iteration)| (item.case.workers, iteration)).collect()
    }

    #[test]
    fn takes_listed_cases_in_their_order() {
        let split = "p0=2 p1=3 p2=0 p3=0 answer=1 work=0 digest=00000000000000ff\n";
        let case = "iterations=2 timeout_ms=9\n";
        let text = plan(&format!(
            "case workers=2 {case}split worker=0 {split}split worker=1 {split}case workers=1 {case}split worker=0 {split}"
        ));
        let agenda = Agenda::new(&Plan::parse(text.as_bytes()).unwrap(), 8, 8);
        assert_eq!(turns(&agenda), [(2, 0), (2, 1), (1, 0), (1, 1)]);
        assert!(agenda.turns().all(|(item, _)| item.splits.len() == usize::from(item.case.workers)));
    }

    #[test]
    fn a_sweep_has_every_case_once_in_every_iteration_and_shares_that_join() {
        let text = plan(
            "sweep iterations=3 timeout_ms=9 seed=000000000000002a p2=5 p3=6 answer=7 work=8 digest=0000000000000009\n\
             knot at=2\nknot at=100\nknot at=150\n",
        );
        let agenda = Agenda::new(&Plan::parse(text.as_bytes()).unwrap(), 4, 8);
        for (iteration, turns) in (0..).zip(turns(&agenda).chunks(4)) {
            let mut cases: Vec<_> = turns.iter().map(|turn| turn.0).collect();
            cases.sort_unstable();
            assert_eq!(cases, [1, 2, 4, 8]);
            assert!(turns.iter().all(|turn| turn.1 == iteration));
        }
        assert_eq!(agenda.len(), 12);
        for (item, _) in agenda.turns() {
            assert_eq!(item.expected, Expected::Together { answer: 7, work: 8, digest: 9 });
            assert!(item.splits.windows(2).all(|pair| pair[0].p1 == pair[1].p0));
            assert!(item.splits.iter().map(|split| split.worker).eq(0..item.case.workers));
            assert_eq!((item.splits[0].p0, item.splits[item.splits.len() - 1].p1), (2, 150));
            assert!(item.splits.iter().all(|split| (split.p2, split.p3) == (5, 6)));
        }
    }
}
