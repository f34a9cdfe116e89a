//! A workload from outside this tree: its program is any ELF, and its answers are in a file, the [oracle](Oracle).
//!
//! The work is a list of items. A worker is given a range of them, by the first two parameters, and answers for the range:
//! the sum of the items' answers, the sum of their work, and the sum of their digests, each bound to the challenge by
//! [`bound`]. So one file serves every number of workers.
//!
//! Owns no method of its own: who writes the file answers for it. What is refused is a file that could not be one.

mod file;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use abi::Digest;
use abi::grant::{Feature, FeatureSet, STACK_KIB};
use abi::random::mix;

pub use file::{HEADER, MAX_BYTES, MAX_ITEMS, Oracle, OracleError};

use crate::{BadParameter, Expectation, Needs, Parameter, Units, Words, Workload};

/// The calls that a program of one's own is to get besides warm-up and timed call.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Calls {
    /// It is called to prepare before its warm-up.
    pub prepare: bool,
    /// It is called to verify after its timed call.
    pub verify: bool,
}

/// What a program adds to its digest for an item. [`mix`] is a bijection, so every item's digest counts, and there is no
/// way from the sum of one challenge to that of another without the items.
#[must_use]
pub const fn bound(digest: u64, challenge: u64) -> u64 {
    mix(digest ^ challenge)
}

/// The workload of the program `name` with the answers of `oracle`. It is kept until the process ends, once for each name,
/// calls and oracle.
#[must_use]
pub fn outside(name: &str, calls: Calls, oracle: Oracle) -> &'static dyn Workload {
    type Key = (String, Calls, Digest);
    static KEPT: Mutex<Option<HashMap<Key, &'static Outside>>> = Mutex::new(None);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (name.to_owned(), calls, oracle.sha256);
    let of_key = kept.get_or_insert_default().entry(key);
    *of_key.or_insert_with(|| Box::leak(Box::new(Outside::new(name, calls, oracle))))
}

/// Every set of features: the author knows what the program needs, and the manifest says it.
static ANY_BUILD: [FeatureSet; 7] = [
    FeatureSet::from_bits(1),
    FeatureSet::from_bits(2),
    FeatureSet::from_bits(3),
    FeatureSet::from_bits(4),
    FeatureSet::from_bits(5),
    FeatureSet::from_bits(6),
    FeatureSet::from_bits(7),
];

const _: () = assert!(ANY_BUILD.len() == (1 << Feature::ALL.len()) - 1, "every set but the empty one");

/// See the module's head.
struct Outside {
    name: &'static str,
    units: Units,
    parameters: &'static [Parameter],
    needs: Needs,
    oracle: Oracle,
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Outside {
    fn new(name: &str, calls: Calls, oracle: Oracle) -> Self {
        let units = Units { answer: kept(&oracle.answer_unit), work: kept(&oracle.work_unit) };
        let expected = oracle.parameters.iter().enumerate().map(|(at, (key, value))| Parameter {
            key: kept(key),
            meaning: "As its oracle has it.",
            expected: kept(&oracle.expected_at(at, *value)),
        });
        let parameters = Box::leak(expected.collect());
        let Calls { prepare, verify } = calls;
        let needs = Needs { prepare, verify, stack_kib: STACK_KIB, builds: &ANY_BUILD };
        Self { name: kept(name), units, parameters, needs, oracle }
    }

    /// The words from the third on, if the oracle's file is about them; words without a parameter are 0.
    fn is_about(&self, words: Words) -> bool {
        let fixed = self.oracle.words();
        words[2..] == fixed[2..]
    }
}

/// A text until the process ends.
fn kept(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

impl Workload for Outside {
    fn name(&self) -> &'static str {
        self.name
    }

    fn units(&self) -> Units {
        self.units
    }

    fn parameters(&self) -> &'static [Parameter] {
        self.parameters
    }

    fn example(&self) -> Words {
        self.oracle.words()
    }

    fn needs(&self) -> Needs {
        self.needs
    }

    fn check(&self, whole: Words) -> Result<(), BadParameter> {
        let [first, end, ..] = whole;
        let [lowest, highest, ..] = self.oracle.words();
        let bad = |at: usize| Err(BadParameter::of(&self.parameters[at]));
        match whole.iter().zip(self.oracle.words()).skip(2).position(|(&given, fixed)| given != fixed) {
            _ if !(lowest..highest).contains(&first) => bad(0),
            _ if end <= first || end > highest => bad(1),
            Some(at) if at + 2 < self.parameters.len() => bad(at + 2),
            Some(_) => Err(BadParameter { key: "an unused parameter".to_owned(), expected: "0".to_owned() }),
            None => Ok(()),
        }
    }

    fn expectation(&self, params: Words, challenge: u64) -> Expectation {
        let [first, end, ..] = params;
        if !self.is_about(params) {
            return Expectation::default();
        }
        self.oracle.items_of(first, end).iter().fold(Expectation::default(), |sum, item| {
            sum + Expectation { digest: bound(item.digest, challenge), ..*item }
        })
    }

    /// The parts have as equal a share of the work as whole items allow.
    fn split(&self, whole: Words, workers: u16) -> Vec<Words> {
        let [first, end, ..] = whole;
        let mut bounds = self.oracle.shares(first, end, workers);
        bounds.push(end);
        let part = |ends: &[u64]| {
            let mut words = whole;
            words[..2].copy_from_slice(ends);
            words
        };
        bounds.windows(2).map(part).collect()
    }

    fn join(&self, parts: &[Words]) -> Option<Words> {
        let (first, last) = (parts.first()?, parts.last()?);
        let adjoin = parts.windows(2).all(|pair| pair[0][1] == pair[1][0]);
        let alike = parts.iter().all(|part| part[0] <= part[1] && part[2..] == first[2..]);
        let mut whole = *first;
        whole[1] = last[1];
        (adjoin && alike).then_some(whole)
    }
}
