//! The typed side of the contract: what the folder of a workload implements.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use crate::{BadParameter, Expectation, Parameter, Parameters, Slowed, Units, Words, Workload};

/// A workload, as its own folder states it. A value is one task: the whole of an experiment, or the part of one worker.
///
/// Every method but [`Parameters::check`] takes any values, since the gate reads them from logs that anyone may have
/// written, and must end within seconds for all of them. [`crate::laws`] states what holds between the methods.
pub trait Task: Parameters + Copy + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// The name of the workload and of its program.
    const NAME: &'static str;

    /// What answers and work count.
    const UNITS: Units;

    /// Other builds of the program that do more work than they report, for `assay dev bench-verdict`. None by default.
    const SLOWED: &'static [Slowed] = &[];

    /// A whole that can be run, and that the reference answers within milliseconds; for tests.
    fn example() -> Self;

    /// What a worker should answer to this task and this challenge, by another method than the program uses. The
    /// challenge changes the digest and nothing else. [`Workload::expectation`] keeps what was worked out, so there is no
    /// need to keep it here.
    fn expectation(&self, challenge: u64) -> Expectation;

    /// Splits this whole into `workers` parts of as equal cost as can be, in order. Parts are empty if there is less to
    /// do than there are workers. `whole` is the expectation of this whole; its digest has no meaning here.
    fn split(&self, workers: u16, whole: Expectation) -> Vec<Self>;

    /// Joins parts to the whole. `None` if they are no partition of one whole, in order, without gap or overlap.
    fn join(parts: &[Self]) -> Option<Self>;
}

/// The workload of a [`Task`]: the same behind words instead of types. It keeps each expectation that it worked out,
/// since a gate asks for the same few again and again.
pub struct Typed<T> {
    known: Mutex<BTreeMap<(Words, u64), Expectation>>,
    task: PhantomData<fn() -> T>,
}

impl<T> Typed<T> {
    /// The workload, with nothing worked out yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only the registry makes one, in a constant")]
    pub const fn new() -> Self {
        Self { known: Mutex::new(BTreeMap::new()), task: PhantomData }
    }
}

impl<T: Task> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::NAME)
    }
}

impl<T: Task> Workload for Typed<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn units(&self) -> Units {
        T::UNITS
    }

    fn parameters(&self) -> &'static [Parameter] {
        T::PARAMETERS
    }

    fn slowed(&self) -> &'static [Slowed] {
        T::SLOWED
    }

    fn example(&self) -> Words {
        T::example().words()
    }

    fn check(&self, whole: Words) -> Result<(), BadParameter> {
        T::from_words(whole).check().map_err(BadParameter::of)?;
        match unused::<T>(whole).iter().any(|&word| word != 0) {
            true => Err(BadParameter { key: "an unused parameter".to_owned(), expected: "0".to_owned() }),
            false => Ok(()),
        }
    }

    fn expectation(&self, params: Words, challenge: u64) -> Expectation {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&expectation) = known().get(&(params, challenge)) {
            return expectation;
        }
        let expectation = T::from_words(params).expectation(challenge);
        known().insert((params, challenge), expectation);
        expectation
    }

    fn split(&self, whole: Words, workers: u16) -> Vec<Words> {
        let parts = T::from_words(whole).split(workers, self.expectation(whole, 0));
        parts.iter().map(|part| with_unused::<T>(part, whole)).collect()
    }

    fn join(&self, parts: &[Words]) -> Option<Words> {
        let first = *parts.first()?;
        let alike = parts.iter().all(|&part| unused::<T>(part) == unused::<T>(first));
        let tasks: Vec<T> = parts.iter().map(|&part| T::from_words(part)).collect();
        let whole = T::join(&tasks).filter(|_| alike)?;
        Some(with_unused::<T>(&whole, first))
    }
}

/// The words that are no parameters.
fn unused<T: Task>(words: Words) -> Words {
    let mut unused = words;
    unused[..T::PARAMETERS.len()].fill(0);
    unused
}

/// The task in words, with the unused ones of `like`: what a log says there must not get lost before it is checked.
fn with_unused<T: Task>(task: &T, like: Words) -> Words {
    let used = T::PARAMETERS.len();
    let mut words = like;
    words[..used].copy_from_slice(&task.words()[..used]);
    words
}
