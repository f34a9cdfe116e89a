//! What each workload should answer, worked out by another method than the worker uses.

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

/// A workload as the host sees it.
pub trait Workload: Sync {
    /// Its name: that of its program.
    fn name(&self) -> &'static str;
    /// What a worker given `params` should leave behind.
    fn expected(&self, params: [u64; 4]) -> Answer;
    /// Splits the whole that `params` describe into `workers` contiguous parts of as equal cost as can be.
    fn splits(&self, params: [u64; 4], workers: u16) -> Vec<[u64; 4]>;
    /// Whether `parts` are a partition of one whole, in order, without gap or overlap; the whole, if so.
    fn whole(&self, parts: &[[u64; 4]]) -> Option<[u64; 4]>;
}

/// The workload of this name.
#[must_use]
pub fn by_name(_name: &str) -> Option<&'static dyn Workload> {
    None
}
