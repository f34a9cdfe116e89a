//! The sweep: the cases of one boot on a machine of any size. Pure: the kernel runs a sweep and the gate judges it, and
//! both derive it with this code, each from its own knowledge of the machine.
//!
//! The cases are 1, 2, 4, ... workers up to the number of cores, and the number of cores itself. If the machine has
//! more CPUs than cores, there is one more, with a worker on every CPU: the SMT case, which is a diagnostic and never
//! core scaling. Every case does the same whole. *Cut points* divide it into parts of equal cost; the share of a worker
//! lies between them. Each iteration runs every case once and shuffles them anew, so that drift on the host does not
//! fall on one case.

use core::fmt;

use crate::plan::MAX_WORKERS;
use crate::random::SplitMix64;

/// The number of parts of equal cost between the cut points of a plan. For any power of two of workers up to this, each
/// worker has the same number of parts. For any other number, bounds fall inside a part, in which the cost is assumed
/// to be even.
pub const PARTS: u16 = MAX_WORKERS;

/// A case of a sweep. Its `Display` is its label: `smp4`, `smp8-smt`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SweepCase {
    /// The number of workers, each on its own CPU.
    pub workers: u16,
    /// Whether workers share cores.
    pub smt: bool,
}

impl fmt::Display for SweepCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "smp{}{}", self.workers, if self.smt { "-smt" } else { "" })
    }
}

/// The cases for a machine with `cores` cores and `cpus` CPUs online, in order of size. A machine has at least one core
/// and at least as many CPUs as cores. Both are limited to [`MAX_WORKERS`].
pub fn cases(cores: u16, cpus: u16) -> impl Iterator<Item = SweepCase> + Clone {
    let cores = cores.clamp(1, MAX_WORKERS);
    let cpus = cpus.clamp(cores, MAX_WORKERS);
    let below = core::iter::successors(Some(1_u16), |&workers| workers.checked_mul(2));
    let physical = below.take_while(move |&workers| workers < cores).chain(core::iter::once(cores));
    let physical = physical.map(|workers| SweepCase { workers, smt: false });
    physical.chain((cpus > cores).then_some(SweepCase { workers: cpus, smt: true }))
}

/// The first two parameters of worker `worker` of `workers`: where its share begins and ends. `cut_points` ascend and
/// divide the whole into parts of equal cost. `None` if there is no part or no such worker.
///
/// The shares of all workers are a partition of the whole, in order, without gap or overlap.
#[must_use]
pub fn bounds(cut_points: &[u64], workers: u16, worker: u16) -> Option<(u64, u64)> {
    (worker < workers).then_some(())?;
    let bound = |number: u16| {
        let parts = cut_points.len().checked_sub(1).filter(|&parts| parts > 0)? as u64;
        let (workers, at) = (u64::from(workers), u64::from(number).checked_mul(parts)?);
        let part = usize::try_from(at / workers).ok()?;
        let (&from, rest) = (cut_points.get(part)?, at % workers);
        // The last bound is the last cut point, which no part follows.
        let length = cut_points.get(part + 1).map_or(Some(0), |to| to.checked_sub(from))?;
        let within = u128::from(length) * u128::from(rest) / u128::from(workers);
        Some(from + u64::try_from(within).ok()?)
    };
    Some((bound(worker)?, bound(worker + 1)?))
}

/// Puts `cases` into the order of one iteration. The same seed gives the same orders, on every machine and in every
/// version.
pub fn shuffle<T>(cases: &mut [T], seed: u64, iteration: u16) {
    SplitMix64::new(seed ^ u64::from(iteration).rotate_right(16)).shuffle(cases);
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn labels(cores: u16, cpus: u16) -> Vec<std::string::String> {
        cases(cores, cpus).map(|case| case.to_string()).collect()
    }

    #[test]
    fn cases_double_up_to_the_cores_and_end_with_all_cpus() {
        assert_eq!(labels(1, 1), ["smp1"]);
        assert_eq!(labels(4, 8), ["smp1", "smp2", "smp4", "smp8-smt"]);
        assert_eq!(labels(6, 6), ["smp1", "smp2", "smp4", "smp6"]);
        assert_eq!(labels(3, 5), ["smp1", "smp2", "smp3", "smp5-smt"]);
        assert_eq!(labels(1, 2), ["smp1", "smp2-smt"]);
    }

    #[test]
    fn takes_no_more_workers_than_a_plan_can_have() {
        assert_eq!(cases(u16::MAX, u16::MAX).last(), Some(SweepCase { workers: MAX_WORKERS, smt: false }));
        assert_eq!(cases(700, u16::MAX).last(), Some(SweepCase { workers: MAX_WORKERS, smt: true }));
        assert_eq!(labels(0, 0), ["smp1"]);
    }

    #[test]
    fn bounds_are_cut_points_if_the_parts_divide_evenly() {
        let cut_points = [2, 50, 80, 100, 115];
        let all = |workers| (0..workers).map(move |worker| bounds(&cut_points, workers, worker));
        assert!(all(1).eq([Some((2, 115))]));
        assert!(all(2).eq([Some((2, 80)), Some((80, 115))]));
        // A third of four parts is one part and a third.
        assert!(all(3).eq([Some((2, 60)), Some((60, 93)), Some((93, 115))]));
        assert_eq!(bounds(&cut_points, 2, 2), None);
        assert_eq!(bounds(&[2], 1, 0), None);
        assert_eq!(bounds(&[], 1, 0), None);
        assert_eq!(bounds(&[9, 2], 3, 0), None);
    }

    #[test]
    fn every_iteration_has_an_order_of_its_own_that_the_seed_decides() {
        let order = |seed, iteration| {
            let mut cases = [1, 2, 4, 8, 16];
            shuffle(&mut cases, seed, iteration);
            cases
        };
        assert_eq!(order(7, 3), order(7, 3));
        let first: Vec<_> = (0..40).map(|iteration| order(7, iteration)).collect();
        assert!((0..40).any(|iteration| order(8, iteration) != first[usize::from(iteration)]));
        for case in [1, 2, 4, 8, 16] {
            assert!(
                first.iter().filter(|order| order[0] == case).count() >= 2,
                "{case} is hardly ever first"
            );
        }
        for mut order in first {
            order.sort_unstable();
            assert_eq!(order, [1, 2, 4, 8, 16]);
        }
    }

    proptest! {
        #[test]
        fn bounds_are_a_partition(
            start in any::<u32>(),
            lengths in prop::collection::vec(0_u64..1 << 40, 1..70),
            workers in 1..=MAX_WORKERS,
        ) {
            let mut cut_points = Vec::from([u64::from(start)]);
            cut_points.extend(lengths.iter().scan(u64::from(start), |at, length| { *at += length; Some(*at) }));
            let parts: Option<Vec<_>> = (0..workers).map(|worker| bounds(&cut_points, workers, worker)).collect();
            let parts = parts.unwrap();
            prop_assert_eq!(parts[0].0, cut_points[0]);
            prop_assert_eq!(parts.last().map(|part| part.1), cut_points.last().copied());
            prop_assert!(parts.windows(2).all(|pair| pair[0].1 == pair[1].0));
            prop_assert!(parts.iter().all(|part| part.0 <= part.1));
        }

        #[test]
        fn even_parts_make_even_shares(part in 1_u64..100_000, parts in 1_u64..300, workers in 1_u16..300) {
            let cut_points: Vec<_> = (0..=parts).map(|at| at * part).collect();
            let ideal = parts * part / u64::from(workers);
            for worker in 0..workers {
                let (from, to) = bounds(&cut_points, workers, worker).unwrap();
                prop_assert!((to - from).abs_diff(ideal) <= 1);
            }
        }

        #[test]
        fn cases_ascend_and_cover_the_machine(cores in 1..=MAX_WORKERS, more in 0_u16..1024) {
            let cpus = (cores + more).min(MAX_WORKERS);
            let all: Vec<_> = cases(cores, cpus).collect();
            prop_assert!(all.windows(2).all(|pair| pair[0].workers < pair[1].workers));
            prop_assert_eq!(all[0].workers, 1);
            prop_assert_eq!(all.iter().filter(|case| !case.smt).map(|case| case.workers).max(), Some(cores));
            prop_assert_eq!(all.last().map(|case| case.workers), Some(cpus));
            prop_assert_eq!(all.iter().filter(|case| case.smt).count(), usize::from(cpus > cores));
        }
    }
}
