//! The doctor's checks of the host: whether it is fit for a measurement, and what would make it so. They change nothing.
//!
//! Each check reads below a [`Root`](crate::Root), so that it is tested against hosts that are made of files. What cannot be
//! read is unknown; no check fails.

mod cgroup;
mod check;
mod clock;
mod cpu;
mod cpuset;
mod facts;
mod finding;
mod frequency;
mod host;
mod isolation;
mod kinds;
mod load;
mod sample;
mod scheduling;
mod storage;
mod system;

pub use check::{Check, Fault};
pub use facts::{AcceleratorFact, Facts, ProgramFact};
pub use finding::{Finding, Status};
pub use host::{Host, count};
pub use load::{LoadSample, sample_load};
pub use sample::{Program, Sample};
pub use storage::probe as storage;

/// Every check that does not depend on what was built or where results go.
#[must_use]
pub fn of_the_host(host: &Host, sampled: &LoadSample) -> Vec<Finding> {
    let mut findings = cpu::probe(host);
    findings.extend([kinds::probe(host), cpuset::probe(host)]);
    findings.extend([isolation::quota(host), clock::hypervisor(host)]);
    findings.extend(frequency::probe(host));
    findings.extend(isolation::probe(host));
    findings.push(scheduling::probe(host));
    findings.extend(load::probe(host, sampled));
    findings.extend(clock::probe(host));
    findings.extend(system::probe(host));
    findings
}
