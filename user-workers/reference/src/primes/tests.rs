//! The reference against published counts, counts by hand, and the program's own source.

use super::*;
use crate::{Parameters, Typed, Words, Workload};
use trial::{Tally, count_primes, warm_up};

/// The very file that the program is built from.
#[path = "../../../programs/src/primes/trial.rs"]
mod trial;

static PRIMES: Typed<Primes> = Typed::new();
const WHOLE: Primes = Primes { first: 2, end: 3_000_000 };

fn task(first: u64, end: u64) -> Primes {
    Primes { first, end }
}

fn by_worker(task: Primes, challenge: u64) -> Expectation {
    let Tally { primes, divisions, digest } = count_primes(task.words(), challenge);
    Expectation { answer: primes, work: divisions, digest }
}

#[test]
fn knows_the_published_counts_of_primes() {
    for (end, primes) in [(1000, 168), (10_000, 1229), (3_000_000, 216_816)] {
        assert_eq!(task(2, end).expectation(0).answer, primes, "below {end}");
    }
}

#[test]
fn agrees_with_the_workers_own_code() {
    for end in 0..200 {
        let challenge = end * 0x0123_4567_89ab_cdef;
        let task = task(0, end);
        assert_eq!(task.expectation(challenge), by_worker(task, challenge), "0..{end}");
    }
    let ends = [(2, 100_000), (999_000, 1_000_000), (LIMIT - 300, LIMIT), (9, 4), (7, 7)];
    for (first, end) in ends {
        let task = task(first, end);
        assert_eq!(task.expectation(u64::MAX), by_worker(task, u64::MAX), "{first}..{end}");
    }
}

#[test]
fn computes_nothing_past_the_largest_end() {
    let largest = task(2, LIMIT).expectation(7);
    for end in [LIMIT + 1, u32::MAX.into(), 1 << 32, u64::MAX] {
        assert_eq!(task(2, end).expectation(7), largest, "2..{end}");
        assert_eq!(task(LIMIT, end).expectation(7), Expectation::default(), "{LIMIT}..{end}");
        assert!(PRIMES.check([2, end, 0, 0]).is_err(), "2..{end}");
    }
    assert_eq!(PRIMES.check([2, LIMIT, 0, 0]), Ok(()));
}

#[test]
fn counts_divisions_by_hand() {
    // 2, 3: none. 4: by 2. 5, 7: by 2, and 3 * 3 is more. 9: by 2, 3. 25: by 2, 3, 5. 29: by 2, 3, 5.
    for (number, divisions) in [(2, 0), (3, 0), (4, 1), (5, 1), (7, 1), (9, 2), (25, 3), (29, 3)] {
        assert_eq!(task(number, number + 1).expectation(0).work, divisions, "{number}");
    }
}

#[test]
fn splits_are_a_partition_of_balanced_cost_whose_answers_add_up() {
    let whole = WHOLE.expectation(0);
    for workers in [1, 2, 3, 4, 7, 16] {
        let parts = WHOLE.split(workers, whole);
        assert_eq!((parts.len(), Primes::join(&parts)), (usize::from(workers), Some(WHOLE)));
        let results: Vec<_> = parts.iter().map(|part| part.expectation(0)).collect();
        let ideal = whole.work / u64::from(workers);
        for Expectation { work, .. } in &results {
            assert!(work.abs_diff(ideal) * 1000 <= ideal, "{work} for {ideal} with {workers} workers");
        }
        assert_eq!(results.into_iter().sum::<Expectation>(), whole);
    }
}

#[test]
fn splits_small_wholes_into_parts_that_may_be_empty() {
    for whole in [task(2, 3), task(2, 9), task(100, 103)] {
        let parts = whole.split(8, whole.expectation(0));
        assert_eq!((parts.len(), Primes::join(&parts)), (8, Some(whole)));
    }
    assert_eq!(WHOLE.split(0, Expectation::default()), []);
}

#[test]
fn refuses_parts_with_a_gap_an_overlap_or_another_order() {
    let good = [[2, 10, 0, 0], [10, 20, 0, 0]];
    assert_eq!(PRIMES.join(&good), Some([2, 20, 0, 0]));
    for bad in [
        vec![],
        vec![[2, 10, 0, 0], [11, 20, 0, 0]],
        vec![[2, 11, 0, 0], [10, 20, 0, 0]],
        vec![[10, 20, 0, 0], [2, 10, 0, 0]],
        vec![[2, 10, 0, 0], [10, 20, 0, 1]],
        vec![[10, 2, 0, 0]],
    ] {
        assert_eq!(PRIMES.join(&bad), None, "{bad:?}");
    }
}

#[test]
fn names_the_parameter_that_does_not_fit() {
    assert_eq!(PRIMES.check(WHOLE.words()), Ok(()));
    let bad: [(&str, Words); 6] = [
        ("first-candidate", [1, 10, 0, 0]),
        ("first-candidate", [u64::MAX, 10, 0, 0]),
        ("end-candidate", [10, 10, 0, 0]),
        ("end-candidate", [2, LIMIT + 1, 0, 0]),
        ("an unused parameter", [2, 9, 1, 0]),
        ("an unused parameter", [2, 9, 0, 1]),
    ];
    for (key, words) in bad {
        let misfit = PRIMES.check(words).unwrap_err();
        assert_eq!(misfit.key, key, "{words:?}");
    }
}

#[test]
fn a_warm_up_meets_a_prime_and_a_composite() {
    let params = [3_842_610_774, 3_900_000_000, 0, 0];
    let Tally { primes, divisions, .. } = count_primes(warm_up(params), 0);
    assert!(primes > 0 && divisions > 0);
    assert_eq!(warm_up([2, 9, 0, 0]), [2, 9, 0, 0]);
}
