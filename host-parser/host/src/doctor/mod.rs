//! The doctor's checks: is this host fit for a measurement, and what would make it fit? They change nothing.
//!
//! Each check reads below a [`Root`](crate::Root), so that it is tested on hosts made of files. A value that cannot be
//! read is unknown; no check fails because of it.

mod caches;
mod cgroup;
mod check;
mod clock;
mod cpu;
mod cpuset;
mod culprit;
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
pub use culprit::{Culprit, culprit};
pub use facts::{AcceleratorFact, Facts, ProgramFact};
pub use finding::{Finding, Status};
pub use host::{Host, count};
pub use load::{LoadSample, sample as sample_load};
pub use sample::{Program, Sample};
pub use storage::probe as storage;

/// Every check that depends on neither the build nor the folder for results.
#[must_use]
pub fn of_the_host(host: &Host, load: &LoadSample) -> Vec<Finding> {
    let mut findings = cpu::probe(host);
    findings.extend([kinds::probe(host), cpuset::probe(host)]);
    findings.extend([isolation::quota(host), clock::hypervisor(host)]);
    findings.extend(frequency::probe(host));
    findings.extend(isolation::probe(host));
    findings.push(scheduling::probe(host));
    findings.extend(load::probe(host, load));
    findings.extend(clock::probe(host));
    findings.extend(system::probe(host));
    findings
}
