//! The typed side of the contract: what the folder of a workload implements.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

use abi::Digest;
use abi::sweep::PARTS;

use crate::range;
use crate::workload::root_of;
use crate::{BadParameter, Expectation, Needs, Parameter, Parameters, Room, Slowed, Units, Words, Workload};

/// A workload, as its own folder states it. A value is one task: the whole of an experiment, or the part of one worker.
///
/// Every method takes any values, since the gate reads them from logs that anyone may have written, and takes at most
/// some tens of milliseconds for all of them. So [`Parameters::check`] refuses a whole that would take longer, and the
/// other methods leave out what no whole has that passes. [`crate::laws`] states what holds between the methods.
pub trait Task: Parameters + Copy + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// The name of the workload and of its program.
    const NAME: &'static str;

    /// What answers and work count.
    const UNITS: Units;

    /// Other builds of the program that do more work than they report, for `assay dev bench-verdict`. None by default.
    const SLOWED: &'static [Slowed] = &[];

    /// What a worker needs. By default a stack and nothing else.
    const NEEDS: Needs = Needs::NONE;

    /// A whole that can be run, and that the reference answers within milliseconds; for tests.
    fn example() -> Self;

    /// What a worker should answer to this task and this challenge, by another method than the program uses. The
    /// challenge changes the digest and nothing else. [`Workload::expectation`] keeps what was worked out, so there is no
    /// need to keep it here.
    fn expectation(&self, challenge: u64) -> Expectation;

    /// Splits this whole into `workers` parts of as equal cost as can be, in order. Parts are empty if there is less to
    /// do than there are workers. `whole` is the expectation of this whole; its digest has no meaning here.
    ///
    /// By default the task is a range of equal items: the first parameter is the first item, the second the end of the items.
    /// The parts differ by one item at most, and share the other parameters.
    fn split(&self, workers: u16, whole: Expectation) -> Vec<Self> {
        let _ = whole;
        range::split(self, workers)
    }

    /// Joins parts to the whole. `None` if they are no partition of one whole, in order, without gap or overlap. By default for
    /// parts that are ranges.
    fn join(parts: &[Self]) -> Option<Self> {
        range::join(parts)
    }

    /// The memory that a worker with this task needs, in bytes. None by default. A manifest must grant at least as much.
    fn memory_bytes(&self) -> u64 {
        0
    }

    /// The memory that the workers of this whole share, in bytes. None by default. With any, the manifest's authority must
    /// have `shared-memory`.
    fn shared_bytes(&self) -> u64 {
        0
    }

    /// The bytes of the corpus that this whole reads. None by default.
    fn corpus_bytes(&self) -> u64 {
        0
    }

    /// The number of digests that a worker with this task leaves in its result pages. None by default.
    fn chunk_count(&self) -> u64 {
        0
    }

    /// Those digests, in order. Like [`Task::expectation`], by another method than the program's. The digests of the parts
    /// of a whole, one after the other, are those of the whole.
    fn chunks(&self, challenge: u64) -> Vec<Digest> {
        let _ = challenge;
        Vec::new()
    }
}

/// The workload of a [`Task`]: the same behind words instead of types. It keeps the last expectations and cut points that
/// it worked out, since a gate asks for the same few again and again.
pub struct Typed<T> {
    known: Known<Expectation>,
    /// The roots over the digests of chunks.
    roots: Known<(u32, Digest)>,
    /// The last whole that was cut into [`PARTS`], and its parts.
    cut: Mutex<Option<(Words, Vec<Words>)>>,
    task: PhantomData<fn() -> T>,
}

/// What was worked out for parameters and a challenge.
type Known<V> = Mutex<Option<HashMap<(Words, u64), V>>>;

/// How many expectations are kept. A log from elsewhere can ask for a new one in each line.
const KEPT: usize = 4096;

impl<T> Typed<T> {
    /// The workload, with nothing worked out yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only the registry makes one, in a constant")]
    pub const fn new() -> Self {
        Self { known: Mutex::new(None), roots: Mutex::new(None), cut: Mutex::new(None), task: PhantomData }
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

    fn needs(&self) -> Needs {
        T::NEEDS
    }

    fn room(&self, params: Words) -> Room {
        let task = T::from_words(params);
        Room {
            memory_bytes: task.memory_bytes(),
            shared_bytes: task.shared_bytes(),
            corpus_bytes: task.corpus_bytes(),
            chunks: task.chunk_count(),
        }
    }

    fn chunks(&self, params: Words, challenge: u64) -> Vec<Digest> {
        T::from_words(params).chunks(challenge)
    }

    fn chunk_root(&self, params: Words, challenge: u64) -> (u32, Digest) {
        remember(&self.roots, (params, challenge), || root_of(&self.chunks(params, challenge)))
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
        remember(&self.known, (params, challenge), || T::from_words(params).expectation(challenge))
    }

    fn split(&self, whole: Words, workers: u16) -> Vec<Words> {
        if workers == PARTS
            && let Some((_, parts)) = lock(&self.cut).as_ref().filter(|(of, _)| *of == whole)
        {
            return parts.clone();
        }
        let parts = T::from_words(whole).split(workers, self.expectation(whole, 0));
        let parts: Vec<Words> = parts.iter().map(|part| with_unused::<T>(part, whole)).collect();
        if workers == PARTS {
            *lock(&self.cut) = Some((whole, parts.clone()));
        }
        parts
    }

    fn join(&self, parts: &[Words]) -> Option<Words> {
        let first = *parts.first()?;
        let alike = parts.iter().all(|&part| unused::<T>(part) == unused::<T>(first));
        let tasks: Vec<T> = parts.iter().map(|&part| T::from_words(part)).collect();
        let whole = T::join(&tasks).filter(|_| alike)?;
        Some(with_unused::<T>(&whole, first))
    }
}

/// The value of this key in a cache, worked out if it is not there.
fn remember<V: Copy>(cache: &Known<V>, key: (Words, u64), work_out: impl FnOnce() -> V) -> V {
    if let Some(&value) = lock(cache).as_ref().and_then(|known| known.get(&key)) {
        return value;
    }
    let value = work_out();
    let mut known = lock(cache);
    let known = known.get_or_insert_default();
    if known.len() >= KEPT {
        known.clear();
    }
    known.insert(key, value);
    value
}

/// The content of a cache. One that a panic left half-changed still has only right entries.
fn lock<K>(cache: &Mutex<K>) -> MutexGuard<'_, K> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
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
