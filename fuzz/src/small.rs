//! Workloads for targets that need many answers: `primes` from a table. The reference sieves the blocks at the ends of
//! every new part, which takes longer than everything that a target checks.

use std::sync::LazyLock;

use abi::random::mix;
use workloads::{BadParameter, Expectation, Parameter, REGISTRY, Units, Words, Workload, by_name};

/// The end of the table: somewhat past the wholes of the golden transcripts.
pub(crate) const END: u64 = 400_000;

/// For every number up to [`END`], the answer for the candidates below it, without a digest.
static BELOW: LazyLock<Vec<Expectation>> = LazyLock::new(table);

/// The primes below [`END`].
static PRIMES: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let is_prime = |pair: &&[Expectation]| pair[0].answer < pair[1].answer;
    (0..).zip(BELOW.windows(2)).filter(|(_, pair)| is_prime(pair)).map(|(number, _)| number).collect()
});

/// `primes` alone, and only for wholes that end in the table.
pub(crate) fn small(name: &str) -> Option<&'static dyn Workload> {
    (name == "primes").then_some(&Primes { name: "primes", any_size: false })
}

/// Every workload, at any size. Past the table each candidate of `primes` takes one division and is no prime: good enough if
/// answers are only passed on.
pub(crate) fn of_any_size(name: &str) -> Option<&'static dyn Workload> {
    static ALL: LazyLock<Vec<Primes>> =
        LazyLock::new(|| names().map(|name| Primes { name, any_size: true }).collect());
    let found = ALL.iter().find(|workload| workload.name == name);
    found.map(|workload| workload as &dyn Workload).or_else(|| by_name(name))
}

/// The names of `primes` and its controls.
fn names() -> impl Iterator<Item = &'static str> {
    let task = |workload: &dyn Workload| workload.control_of().unwrap_or(workload.name());
    REGISTRY.all().filter(move |&workload| task(workload) == "primes").map(Workload::name)
}

/// The task of `primes`, under its name or that of a control.
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
    fn below(candidate: u64) -> Expectation {
        let past = candidate.saturating_sub(END);
        let at = usize::try_from(candidate - past).expect("in the table");
        let known = BELOW[at];
        Expectation { work: known.work + past, ..known }
    }
}

impl Workload for Primes {
    fn name(&self) -> &'static str {
        self.name
    }

    fn control_of(&self) -> Option<&'static str> {
        by_name(self.name).and_then(Workload::control_of)
    }

    fn units(&self) -> Units {
        Self::production().units()
    }

    fn parameters(&self) -> &'static [Parameter] {
        Self::production().parameters()
    }

    fn example(&self) -> Words {
        Self::production().example()
    }

    fn check(&self, params: Words) -> Result<(), BadParameter> {
        match params[1] > END && !self.any_size {
            true => {
                Err(BadParameter { key: "end-candidate".to_owned(), expected: "few candidates".to_owned() })
            }
            false => Self::production().check(params),
        }
    }

    fn expectation(&self, params: Words, challenge: u64) -> Expectation {
        assert!(self.any_size || params[1] <= END, "the parameters were checked before");
        let [first, end, ..] = params;
        let (from, to) = (Self::below(first.min(end)), Self::below(end));
        Expectation {
            answer: to.answer - from.answer,
            work: to.work - from.work,
            digest: digest(first.min(end), end, challenge),
        }
    }

    fn split(&self, params: Words, workers: u16) -> Vec<Words> {
        let [first, end, ..] = params;
        let total = u128::from(self.expectation(params, 0).work);
        let mut at = first;
        let parts = (1..=workers).map(|part| {
            let share = total * u128::from(part) / u128::from(workers);
            let to = if part == workers { end } else { Self::first_with(params, share) };
            [std::mem::replace(&mut at, to), to, params[2], params[3]]
        });
        parts.collect()
    }

    fn join(&self, parts: &[Words]) -> Option<Words> {
        Self::production().join(parts)
    }
}

impl Primes {
    /// The first candidate with at least `share` divisions before it; the end if there is none.
    fn first_with(params: Words, share: u128) -> u64 {
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

/// The digest of the primes from `first` up to and without `end`.
fn digest(first: u64, end: u64, challenge: u64) -> u64 {
    let from = PRIMES.partition_point(|&prime| prime < first);
    let primes = PRIMES[from..].iter().take_while(|&&prime| prime < end);
    primes.fold(0, |sum, &prime| sum.wrapping_add(mix(prime ^ challenge)))
}

fn table() -> Vec<Expectation> {
    let end = usize::try_from(END).expect("an index");
    // The smallest factor of each number from 2 on; a prime's is itself.
    let mut factors = vec![0; end];
    for factor in 2..end {
        if factors[factor] == 0 {
            factors[factor..].iter_mut().step_by(factor).filter(|it| **it == 0).for_each(|it| *it = factor);
        }
    }
    let mut sum = Expectation::default();
    let mut table = vec![sum; 3];
    for (number, &factor) in (0..END).zip(&factors).skip(2) {
        let is_prime = factor as u64 == number;
        // Divisions by 2 and by each odd number, up to the factor, or to the root of a prime.
        let last = if is_prime { number.isqrt() } else { factor as u64 };
        sum.work += if last < 2 { 0 } else { 1 + (last - 1) / 2 };
        if is_prime {
            sum.answer += 1;
        }
        table.push(sum);
    }
    table
}

#[cfg(test)]
mod tests {
    use abi::random::SplitMix64;

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
            for challenge in [0, u64::MAX] {
                let (known, right) =
                    (known.expectation(params, challenge), production.expectation(params, challenge));
                assert_eq!(known, right, "{params:?}");
            }
            for workers in [0, 1, 2, 3, 7, 255] {
                assert_eq!(known.split(params, workers), production.split(params, workers), "{params:?}");
            }
        }
        assert_eq!(known.cut_points([2, END, 0, 0]), production.cut_points([2, END, 0, 0]));
        assert!(known.check([2, END + 1, 0, 0]).is_err());
    }

    #[test]
    fn any_size_is_split_whole() {
        let whole = [3, u64::from(u32::MAX), 0, 0];
        let workload = of_any_size("primes").expect("a workload");
        let parts = workload.split(whole, 7);
        assert_eq!((parts.len(), workload.join(&parts)), (7, Some(whole)));
        let work: u64 = parts.iter().map(|&part| workload.expectation(part, 0).work).sum();
        assert_eq!(work, workload.expectation(whole, 0).work);
    }
}
