//! The golden transcripts that targets and seeds begin with. The gate's tests hold them against its rules, so both
//! follow the rules together.

macro_rules! transcript {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../host-parser/evidence/tests/transcripts/",
            $name,
            ".log"
        ))
    };
}

/// One case of one worker.
pub(crate) const ONE_CPU: &str = transcript!("good-1");
/// One case of two workers.
pub(crate) const TWO_CPUS: &str = transcript!("good-2");
/// One case of four workers.
pub(crate) const FOUR_CPUS: &str = transcript!("good-4");
/// Three cases in one boot, the largest of them skipped: the machine has two CPUs.
pub(crate) const CASES_ON_TWO_CPUS: &str = transcript!("good-sweep-on-two");
/// A sweep over four cores of two threads.
pub(crate) const SMT_SWEEP: &str = transcript!("good-sweep-smt");
