//! One row of the tables.

/// One iteration of a case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Row {
    /// The case, named by its workers.
    pub case: u16,
    /// Which iteration, from 0.
    pub iteration: u16,
    /// Workers that are done.
    pub done: u16,
    /// The TSC value of the common start; 0 if none was settled.
    pub start_tsc: u64,
    /// Last end less first start, in cycles; 0 if not all workers are done.
    pub makespan: u64,
    /// The sum of the workers' answers.
    pub answer: u64,
    /// Whether every worker answered what the plan expects.
    pub verified: bool,
}
