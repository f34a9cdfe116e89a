//! `primes`: how many there are, and what finding them by trial division costs, without a single trial division.
//!
//! The worker divides a candidate by 2 and then by each odd number up to the square root, until one divides it. So the
//! number of divisions follows from where it stops: at the smallest prime factor, or, for a prime, past the root.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

mod sieve;

use super::{Answer, BadParameter, Workload};
use crate::mix::mix;
use sieve::{Number, numbers};

/// Counting primes, under the name of the program that does it.
#[derive(Debug)]
pub struct Primes {
    pub name: &'static str,
}

/// What was worked out already: a gate asks for the same few ranges again and again.
static KNOWN: LazyLock<Mutex<HashMap<(u32, u32), Answer>>> = LazyLock::new(Mutex::default);

impl Workload for Primes {
    fn name(&self) -> &'static str {
        self.name
    }

    fn parameters(&self) -> &'static [&'static str] {
        &["first-candidate", "end-candidate"]
    }

    fn check(&self, params: [u64; 4]) -> Result<(), BadParameter> {
        let fail = |index, expected| Err(BadParameter { index, expected });
        let [first, end, unused @ ..] = params;
        if !(2..u64::from(u32::MAX)).contains(&first) {
            return fail(0, "a whole number of at least 2 and below 4294967295");
        }
        if end <= first || end > u64::from(u32::MAX) {
            return fail(1, "a whole number above the first candidate and at most 4294967295");
        }
        match unused.iter().position(|&unused| unused != 0) {
            Some(at) => fail(2 + at, "0"),
            None => Ok(()),
        }
    }

    fn expected(&self, params: [u64; 4]) -> Answer {
        let (first, end) = range(params);
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&answer) = known().get(&(first, end)) {
            return answer;
        }
        let mut answer = Answer::default();
        numbers(first, end).for_each(|number| {
            answer.work += trial_divisions(number);
            if number.factor.is_none() {
                answer.answer += 1;
                answer.digest = answer.digest.wrapping_add(mix(u64::from(number.value)));
            }
        });
        known().insert((first, end), answer);
        answer
    }

    fn splits(&self, params: [u64; 4], workers: u16) -> Vec<[u64; 4]> {
        let (first, end) = range(params);
        let total = self.expected(params).work;
        // Part `i` ends at the first candidate with at least `i / workers` of all divisions before it.
        let share = |i: u16| u128::from(total) * u128::from(i) / u128::from(workers);
        let mut ends = Vec::with_capacity(usize::from(workers));
        let mut next_end = 1;
        let mut before = 0;
        numbers(first, end).for_each(|number| {
            while next_end < workers && u128::from(before) >= share(next_end) {
                ends.push(number.value);
                next_end += 1;
            }
            before += trial_divisions(number);
        });
        ends.resize(usize::from(workers), end);
        let starts = std::iter::once(first).chain(ends.iter().copied());
        let parts = starts.zip(&ends).map(|(start, &end)| [start.into(), end.into(), params[2], params[3]]);
        parts.collect()
    }

    fn whole(&self, parts: &[[u64; 4]]) -> Option<[u64; 4]> {
        let (&[first, ..], &[_, end, c, d]) = (parts.first()?, parts.last()?);
        let joined = parts.windows(2).all(|pair| pair[0][1] == pair[1][0]);
        let alike = parts.iter().all(|part| part[0] <= part[1] && part[2..] == [c, d]);
        (joined && alike).then_some([first, end, c, d])
    }
}

/// The candidates that a worker looks at: those of 32 bits.
fn range(params: [u64; 4]) -> (u32, u32) {
    let [first, end] = [params[0], params[1]].map(|bound| u32::try_from(bound).unwrap_or(u32::MAX));
    (first, end)
}

/// How often the worker divides `number`: by 2, and by each odd number from 3 on up to where it stops; not at all
/// where the square of 2 is already more than the number.
fn trial_divisions(number: Number) -> u64 {
    match number.factor.unwrap_or_else(|| number.value.isqrt()) {
        0 | 1 => 0,
        last => 1 + u64::from(last - 1) / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Tally, count_primes, warm_up};

    const PRIMES: Primes = Primes { name: "primes" };
    const WHOLE: [u64; 4] = [2, 3_000_000, 0, 0];

    fn by_worker(params: [u64; 4]) -> Answer {
        let Tally { primes, divisions, digest } = count_primes(params);
        Answer { answer: primes, work: divisions, digest }
    }

    #[test]
    fn knows_the_published_counts_of_primes() {
        for (end, primes) in [(1000, 168), (10_000, 1229), (3_000_000, 216_816)] {
            assert_eq!(PRIMES.expected([2, end, 0, 0]).answer, primes, "below {end}");
        }
    }

    #[test]
    fn agrees_with_the_workers_own_code() {
        for end in 0..200 {
            assert_eq!(PRIMES.expected([0, end, 0, 0]), by_worker([0, end, 0, 0]), "0..{end}");
        }
        let ends =
            [(2, 100_000), (999_000, 1_000_000), (u64::from(u32::MAX) - 300, u64::MAX), (9, 4), (7, 7)];
        for (first, end) in ends {
            let params = [first, end, 0, 0];
            assert_eq!(PRIMES.expected(params), by_worker(params), "{first}..{end}");
        }
    }

    #[test]
    fn counts_divisions_by_hand() {
        // 2, 3: none. 4: by 2. 5, 7: by 2, and 3 * 3 is more. 9: by 2, 3. 25: by 2, 3, 5. 29: by 2, 3, 5.
        for (number, divisions) in [(2, 0), (3, 0), (4, 1), (5, 1), (7, 1), (9, 2), (25, 3), (29, 3)] {
            assert_eq!(PRIMES.expected([number, number + 1, 0, 0]).work, divisions, "{number}");
        }
    }

    #[test]
    fn splits_are_a_partition_of_balanced_cost_whose_answers_add_up() {
        let whole = PRIMES.expected(WHOLE);
        for workers in [1, 2, 3, 4, 7, 16] {
            let parts = PRIMES.splits(WHOLE, workers);
            assert_eq!((parts.len(), PRIMES.whole(&parts)), (usize::from(workers), Some(WHOLE)));
            let mut sum = Answer::default();
            for &part in &parts {
                let Answer { answer, work, digest } = PRIMES.expected(part);
                let ideal = whole.work / u64::from(workers);
                assert!(work.abs_diff(ideal) * 1000 <= ideal, "{work} for {ideal} with {workers} workers");
                sum.answer += answer;
                sum.work += work;
                sum.digest = sum.digest.wrapping_add(digest);
            }
            assert_eq!(sum, whole);
        }
    }

    #[test]
    fn splits_small_wholes_into_parts_that_may_be_empty() {
        for whole in [[2, 3, 0, 0], [2, 9, 0, 0], [100, 103, 0, 0]] {
            let parts = PRIMES.splits(whole, 8);
            assert_eq!((parts.len(), PRIMES.whole(&parts)), (8, Some(whole)));
        }
        assert_eq!(PRIMES.splits(WHOLE, 0), [[0; 4]; 0]);
    }

    #[test]
    fn refuses_parts_with_a_gap_an_overlap_or_another_order() {
        let good = [[2, 10, 0, 0], [10, 20, 0, 0]];
        assert_eq!(PRIMES.whole(&good), Some([2, 20, 0, 0]));
        for bad in [
            vec![],
            vec![[2, 10, 0, 0], [11, 20, 0, 0]],
            vec![[2, 11, 0, 0], [10, 20, 0, 0]],
            vec![[10, 20, 0, 0], [2, 10, 0, 0]],
            vec![[2, 10, 0, 0], [10, 20, 0, 1]],
            vec![[10, 2, 0, 0]],
        ] {
            assert_eq!(PRIMES.whole(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn names_the_parameter_that_does_not_fit() {
        assert_eq!(PRIMES.check(WHOLE), Ok(()));
        let bad = [
            (0, [1, 10, 0, 0]),
            (0, [u64::MAX, 10, 0, 0]),
            (1, [10, 10, 0, 0]),
            (1, [2, 1 << 32, 0, 0]),
            (2, [2, 9, 1, 0]),
            (3, [2, 9, 0, 1]),
        ];
        for (index, params) in bad {
            assert_eq!(PRIMES.check(params).map_err(|bad| bad.index), Err(index), "{params:?}");
        }
    }

    #[test]
    fn a_warm_up_meets_a_prime_and_a_composite() {
        let params = [3_842_610_774, 3_900_000_000, 0, 0];
        let Tally { primes, divisions, .. } = count_primes(warm_up(params));
        assert!(primes > 0 && divisions > 0);
        assert_eq!(warm_up([2, 9, 0, 0]), [2, 9, 0, 0]);
    }
}
