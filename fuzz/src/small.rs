//! Workloads for targets that need many answers: `primes` from a table. The reference sieves again for every new whole,
//! which takes longer than everything that a target checks.

use std::sync::LazyLock;

use abi::random::SplitMix64;
use user_workers::reference::{Answer, BadParameter, Workload, by_name, names};

/// The end of the table: somewhat past the wholes of the golden transcripts.
pub(crate) const END: u64 = 400_000;

/// For every number up to [`END`], the answer for the candidates below it.
static BELOW: LazyLock<Vec<Answer>> = LazyLock::new(table);

/// `primes` alone, and only for wholes that end in the table.
pub(crate) fn small(name: &str) -> Option<&'static dyn Workload> {
    (name == "primes").then_some(&Primes { name: "primes", any_size: false })
}

/// Every workload, at any size. Past the table each candidate takes one division and is no prime: good enough if
/// answers are only passed on.
pub(crate) fn of_any_size(name: &str) -> Option<&'static dyn Workload> {
    static ALL: LazyLock<Vec<Primes>> =
        LazyLock::new(|| names().map(|name| Primes { name, any_size: true }).collect());
    ALL.iter().find(|workload| workload.name == name).map(|workload| workload as &dyn Workload)
}

/// The task of every workload so far, under the name of one of them.
#[derive(Debug)]
struct Primes {
    name: &'static str,
    any_size: bool,
}

impl Primes {
    fn production() -> &'static dyn Workload {
        by_name("primes").expect("the workload is known")
    }

    /// The answer for the candidates below `candidate`.
    fn below(candidate: u64) -> Answer {
        let past = candidate.saturating_sub(END);
        let at = usize::try_from(candidate - past).expect("in the table");
        let known = BELOW[at];
        Answer { work: known.work + past, ..known }
    }
}

impl Workload for Primes {
    fn name(&self) -> &'static str {
        self.name
    }

    fn parameters(&self) -> &'static [&'static str] {
        Self::production().parameters()
    }

    fn check(&self, params: [u64; 4]) -> Result<(), BadParameter> {
        match params[1] > END && !self.any_size {
            true => Err(BadParameter { index: 1, expected: "few candidates" }),
            false => Self::production().check(params),
        }
    }

    fn expected(&self, params: [u64; 4]) -> Answer {
        assert!(self.any_size || params[1] <= END, "the parameters were checked before");
        let [first, end, ..] = params;
        let (from, to) = (Self::below(first.min(end)), Self::below(end));
        Answer {
            answer: to.answer - from.answer,
            work: to.work - from.work,
            digest: to.digest.wrapping_sub(from.digest),
        }
    }

    fn splits(&self, params: [u64; 4], workers: u16) -> Vec<[u64; 4]> {
        let [first, end, ..] = params;
        let total = u128::from(self.expected(params).work);
        let mut at = first;
        let parts = (1..=workers).map(|part| {
            let share = total * u128::from(part) / u128::from(workers);
            let to = if part == workers { end } else { Self::first_with(params, share) };
            [std::mem::replace(&mut at, to), to, params[2], params[3]]
        });
        parts.collect()
    }

    fn whole(&self, parts: &[[u64; 4]]) -> Option<[u64; 4]> {
        Self::production().whole(parts)
    }
}

impl Primes {
    /// The first candidate with at least `share` divisions before it; the end if there is none.
    fn first_with(params: [u64; 4], share: u128) -> u64 {
        let [first, end, ..] = params;
        let before = u128::from(Self::below(first).work);
        let (mut low, mut high) = (first.max(2).min(end), end);
        while low < high {
            let middle = low + (high - low) / 2;
            if u128::from(Self::below(middle).work) < before + share {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

fn table() -> Vec<Answer> {
    let end = usize::try_from(END).expect("an index");
    // The smallest factor of each number from 2 on; a prime's is itself.
    let mut factors = vec![0; end];
    for factor in 2..end {
        if factors[factor] == 0 {
            factors[factor..].iter_mut().step_by(factor).filter(|it| **it == 0).for_each(|it| *it = factor);
        }
    }
    let mut sum = Answer::default();
    let mut table = vec![sum; 3];
    for (number, &factor) in (0..END).zip(&factors).skip(2) {
        let is_prime = factor as u64 == number;
        // Divisions by 2 and by each odd number, up to the factor, or to the root of a prime.
        let last = if is_prime { number.isqrt() } else { factor as u64 };
        sum.work += if last < 2 { 0 } else { 1 + (last - 1) / 2 };
        if is_prime {
            sum.answer += 1;
            sum.digest = sum.digest.wrapping_add(SplitMix64::new(number).draw());
        }
        table.push(sum);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_reference() {
        let production = Primes::production();
        let (known, mut random) = (small("primes").expect("a workload"), SplitMix64::new(1));
        let mut draw = || random.draw() % (END + 1);
        let ranges = [[0, 0], [0, 1], [2, 3], [2, END], [END, END], [5, 3], [END, 0]];
        for [first, end] in ranges.into_iter().chain((0..200).map(|_| [draw(), draw()])) {
            let params = [first, end, 0, 0];
            assert_eq!(known.check(params), production.check(params), "{params:?}");
            assert_eq!(known.expected(params), production.expected(params), "{params:?}");
            for workers in [0, 1, 2, 3, 7, 255] {
                assert_eq!(known.splits(params, workers), production.splits(params, workers), "{params:?}");
            }
        }
        assert_eq!(known.knots([2, END, 0, 0]), production.knots([2, END, 0, 0]));
        assert!(known.check([2, END + 1, 0, 0]).is_err());
    }

    #[test]
    fn any_size_is_split_whole() {
        let whole = [3, u64::from(u32::MAX), 0, 0];
        let workload = of_any_size("primes").expect("a workload");
        let parts = workload.splits(whole, 7);
        assert_eq!((parts.len(), workload.whole(&parts)), (7, Some(whole)));
        let work: u64 = parts.iter().map(|&part| workload.expected(part).work).sum();
        assert_eq!(work, workload.expected(whole).work);
    }
}
