//! What each workload should answer, worked out by another method than the worker uses.

mod primes;

use core::fmt;

use abi::sweep::PARTS;
use primes::Primes;

/// What a worker should leave in its result slot.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Answer {
    /// The answer to the workload's question.
    pub answer: u64,
    /// The work done, in the workload's unit.
    pub work: u64,
    /// The digest of the answer's parts; sums (wrapping) over the splits of a whole.
    pub digest: u64,
}

/// Why a workload cannot be run with the parameters it was given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadParameter {
    /// Which, from 0.
    pub index: usize,
    /// What it should have been.
    pub expected: &'static str,
}

/// A workload as the host sees it.
pub trait Workload: fmt::Debug + Sync {
    /// Its name: that of its program.
    fn name(&self) -> &'static str;

    /// What a manifest calls its parameters, in their order. Those it does not have are 0.
    fn parameters(&self) -> &'static [&'static str];

    /// Whether `params` describe a whole that can be run and split.
    ///
    /// # Errors
    /// The first parameter that does not fit.
    fn check(&self, params: [u64; 4]) -> Result<(), BadParameter>;

    /// What a worker given `params` should leave behind. Takes any `params`, and as long as a sieve over them: about
    /// ten milliseconds for three million candidates, and some seconds for the most there can be.
    fn expected(&self, params: [u64; 4]) -> Answer;

    /// Splits the whole that `params` describe into `workers` contiguous parts of as equal cost as can be. Parts are
    /// empty where there is less to do than there are workers; there is none for no workers.
    fn splits(&self, params: [u64; 4], workers: u16) -> Vec<[u64; 4]>;

    /// The values of the first two parameters between which the whole has parts of equal cost, [`PARTS`] of them; `None`
    /// where a part is not a range of these two alone.
    fn knots(&self, params: [u64; 4]) -> Option<Vec<u64>> {
        let parts = self.splits(params, PARTS);
        let joined = parts.windows(2).all(|pair| pair[0][1] == pair[1][0]);
        let alike = parts.iter().all(|part| part[0] <= part[1] && part[2..] == params[2..]);
        let first = parts.first().filter(|_| joined && alike)?[0];
        Some(std::iter::once(first).chain(parts.iter().map(|part| part[1])).collect())
    }

    /// Whether `parts` are a partition of one whole, in order, without gap or overlap; the whole, if so.
    fn whole(&self, parts: &[[u64; 4]]) -> Option<[u64; 4]>;
}

/// Every workload: those that are measured, and the controls, which are given the task of `primes` and fail at it.
static WORKLOADS: [Primes; 13] = [
    Primes { name: "primes" },
    Primes { name: "control-divide-error" },
    Primes { name: "control-execute-data" },
    Primes { name: "control-general-protection" },
    Primes { name: "control-invalid-opcode" },
    Primes { name: "control-kernel-write" },
    Primes { name: "control-never-returns" },
    Primes { name: "control-outside-slot" },
    Primes { name: "control-page-fault" },
    Primes { name: "control-skipped-work" },
    Primes { name: "control-stack-overflow" },
    Primes { name: "control-syscall" },
    Primes { name: "control-wrong-answer" },
];

/// Programs that are no workloads of their own but other builds of `primes`, with so many percent more to do for the
/// same answer. Booted under its name they are what a comparison of two builds must notice.
pub const SLOWED: [(&str, u16); 3] =
    [("primes-slowed-2", 2), ("primes-slowed-5", 5), ("primes-slowed-10", 10)];

/// Finds a workload by its name.
pub type Lookup = fn(&str) -> Option<&'static dyn Workload>;

/// The workload of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name).map(|workload| workload as &dyn Workload)
}

/// The names of all workloads, controls included: with [`SLOWED`], those of the programs that this package builds.
pub fn names() -> impl Iterator<Item = &'static str> {
    WORKLOADS.iter().map(|workload| workload.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_a_workload_for_every_program_but_the_slowed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../programs/src/bin");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let mut programs: Vec<_> =
            files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        let mut names: Vec<_> = names().chain(SLOWED.map(|(name, _)| name)).collect();
        programs.sort_unstable();
        names.sort_unstable();
        assert_eq!(programs, names);
    }

    #[test]
    fn finds_workloads_by_their_own_name_only() {
        for name in names() {
            assert_eq!(by_name(name).map(Workload::name), Some(name));
        }
        assert!(by_name("").is_none());
        assert!(by_name("prime").is_none());
    }
}
