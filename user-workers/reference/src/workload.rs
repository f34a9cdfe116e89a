//! The boundary of the contract: a workload as manifest, plan and gate use it, with its parameters as words.

use std::fmt;

use abi::Digest;
use abi::digest::Hasher;
use abi::sweep::PARTS;

use crate::{BadParameter, Expectation, Needs, Parameter, Room, Table, Units, Words};

/// A workload behind its name. [`Typed`](crate::Typed) implements this for every [`Task`](crate::Task).
pub trait Workload: fmt::Debug + Sync {
    /// Its name: that of its program.
    fn name(&self) -> &'static str;

    /// What its answers and its work count.
    fn units(&self) -> Units;

    /// Its parameters, in the order of their words.
    fn parameters(&self) -> &'static [Parameter];

    /// A whole that can be run, and that the reference answers within milliseconds.
    fn example(&self) -> Words;

    /// The workload at whose task this one fails on purpose; `None` for a workload that is measured.
    fn control_of(&self) -> Option<&'static str> {
        None
    }

    /// Builds of the program that are slower by a known part, by what they are slower.
    fn slowed(&self) -> &'static [Slowed] {
        &[]
    }

    /// What every worker of it needs.
    fn needs(&self) -> Needs {
        Needs::NONE
    }

    /// What a worker given `params` needs room for; of a whole also what its workers share.
    fn room(&self, params: Words) -> Room {
        let _ = params;
        Room::default()
    }

    /// The digests that a worker given `params` and `challenge` should leave in its result pages, in order.
    fn chunks(&self, params: Words, challenge: u64) -> Vec<Digest> {
        let _ = (params, challenge);
        Vec::new()
    }

    /// How many those are, and SHA-256 over them: what a system reports of a worker. [`Typed`](crate::Typed) keeps what was
    /// worked out.
    fn chunk_root(&self, params: Words, challenge: u64) -> (u32, Digest) {
        root_of(&self.chunks(params, challenge))
    }

    /// Whether `whole` can be run and split.
    ///
    /// # Errors
    /// The first parameter that does not fit.
    fn check(&self, whole: Words) -> Result<(), BadParameter>;

    /// What a worker given `params` and `challenge` should answer. The challenge changes the digest and nothing else. Takes
    /// any words, and at most some tens of milliseconds for them: what is beyond every whole that [`check`](Self::check)
    /// passes is left out.
    fn expectation(&self, params: Words, challenge: u64) -> Expectation;

    /// Splits `whole` into `workers` parts of as equal cost as can be, in order. Parts are empty if there is less to do
    /// than there are workers; no workers, no parts.
    fn split(&self, whole: Words, workers: u16) -> Vec<Words>;

    /// Joins parts to the whole. `None` if they are no partition of one whole, in order, without gap or overlap.
    fn join(&self, parts: &[Words]) -> Option<Words>;

    /// The values of the first two parameters between which `whole` has parts of equal cost, [`PARTS`] of them. `None`
    /// if a part is not a range of these two alone: then the workload cannot be swept.
    fn cut_points(&self, whole: Words) -> Option<Vec<u64>> {
        let parts = self.split(whole, PARTS);
        let adjacent = parts.windows(2).all(|pair| pair[0][1] == pair[1][0]);
        let ranges = parts.iter().all(|part| part[0] <= part[1] && part[2..] == whole[2..]);
        let [first, ..] = *parts.first().filter(|_| adjacent && ranges)?;
        Some(std::iter::once(first).chain(parts.iter().map(|part| part[1])).collect())
    }

    /// Reads the table of a manifest, and checks that it describes a whole.
    ///
    /// # Errors
    /// Every key that is not a parameter, and every parameter without a key; if there are none, the first parameter
    /// with a value that does not fit.
    fn read_table(&self, table: &Table<'_>) -> Result<Words, Vec<BadParameter>> {
        let parameters = self.parameters();
        let keys: Vec<&str> = parameters.iter().map(|parameter| parameter.key).collect();
        let unknown = table.keys().filter(|key| !keys.contains(key)).map(|&key| BadParameter {
            key: key.to_owned(),
            expected: format!("a parameter of this program: {}", keys.join(", ")),
        });
        let absent = parameters.iter().filter(|parameter| !table.contains_key(parameter.key));
        let bad: Vec<_> = unknown.chain(absent.map(BadParameter::of)).collect();
        if !bad.is_empty() {
            return Err(bad);
        }
        let mut words = Words::default();
        for (word, key) in words.iter_mut().zip(keys) {
            // No parameter is negative, and none can be this large.
            *word = table.get(key).and_then(|&value| u64::try_from(value).ok()).unwrap_or(u64::MAX);
        }
        self.check(words).map(|()| words).map_err(|bad| vec![bad])
    }
}

/// The number of digests, and SHA-256 over them in order.
pub(crate) fn root_of(chunks: &[Digest]) -> (u32, Digest) {
    let mut hasher = Hasher::default();
    chunks.iter().for_each(|Digest(bytes)| hasher.update(bytes));
    (u32::try_from(chunks.len()).unwrap_or(u32::MAX), hasher.digest())
}

/// The number of digests, and SHA-256 over them in order, that `copies` workers leave of which each does `whole`.
#[must_use]
pub fn chunk_root_of_copies(
    workload: &dyn Workload,
    whole: Words,
    challenge: u64,
    copies: u16,
) -> (u32, Digest) {
    let (chunks, mut hasher) = (workload.chunks(whole, challenge), Hasher::default());
    for _ in 0..copies {
        chunks.iter().for_each(|Digest(bytes)| hasher.update(bytes));
    }
    let count = u32::try_from(chunks.len() * usize::from(copies)).unwrap_or(u32::MAX);
    (count, hasher.digest())
}

/// Another build of a workload's program, with more to do for the same answer: what a comparison of two builds must
/// find.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Slowed {
    /// The program.
    pub program: &'static str,
    /// How much more work it does, in percent.
    pub percent: u16,
}
