//! What a worker needs beyond its image and its result slot.

use abi::grant::{FeatureSet, STACK_KIB};

/// What every worker of a workload needs, whatever its task.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Needs {
    /// It is called to prepare before its warm-up ([`abi::worker::Phase::Prepare`]).
    pub prepare: bool,
    /// It is called to verify after its timed call ([`abi::worker::Phase::Verify`]).
    pub verify: bool,
    /// Its stack in KiB, unless the manifest grants more.
    pub stack_kib: u32,
    /// The builds of its program besides the one for every x86-64: for each the features that its instructions need. A
    /// manifest chooses one by `requires`.
    pub builds: &'static [FeatureSet],
}

impl Needs {
    /// Two calls, the usual stack, one build.
    pub const NONE: Self = Self { prepare: false, verify: false, stack_kib: STACK_KIB, builds: &[] };
}

/// What a task needs room for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Room {
    /// Memory of each worker, in bytes.
    pub memory_bytes: u64,
    /// Memory that all workers share, in bytes.
    pub shared_bytes: u64,
    /// The corpus, in bytes.
    pub corpus_bytes: u64,
    /// Digests in the result pages.
    pub chunks: u64,
}

impl Room {
    /// For each item the larger of the two.
    #[must_use]
    pub fn or_more(self, other: Self) -> Self {
        Self {
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
            shared_bytes: self.shared_bytes.max(other.shared_bytes),
            corpus_bytes: self.corpus_bytes.max(other.corpus_bytes),
            chunks: self.chunks.max(other.chunks),
        }
    }
}
