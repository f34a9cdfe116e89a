//! `assay doctor`: whether this host is fit for a measurement, and what would make it so. It changes nothing.
//!
//! Each probe reads below a [`Root`], so that it is tested against hosts that are made of files. What cannot be read is
//! unknown; no probe fails.

mod cgroup;
mod check;
mod clock;
mod cpu;
mod cpuset;
mod finding;
#[cfg(test)]
mod fixture;
mod frequency;
#[cfg(test)]
#[path = "../../../../tests/support/golden.rs"]
mod golden;
mod guests;
mod host;
mod isolation;
mod kinds;
mod load;
mod report;
mod root;
mod sample;
mod storage;
mod system;

use std::path::Path;

use self::finding::Finding;
use self::host::Host;
use self::report::Report;
use self::root::Root;
use crate::cli::{DoctorArgs, GuestArgs};
use crate::console;
use crate::exit::{Coded, Exit, OrExit};
use crate::pinning::HostCpus;

/// Looks, and tells.
///
/// # Errors
/// CPUs that cannot be had, or an answer that cannot be written.
pub fn run(args: &DoctorArgs) -> Result<Exit, Coded> {
    let chosen = HostCpus::choose(args.guest.cpus.as_deref()).or_exit(Exit::Usage)?;
    let host = Host::new(Root::new("/"), chosen.available.clone(), chosen.set.is_some());
    let report =
        Report::new(crate::host::describe(), host.cpus.to_string(), examine(&host, &args.guest, &args.out));
    let text = if args.json { report.json().or_exit(Exit::Output)? } else { report.text() };
    console::answer(&text)?;
    Ok(report.exit())
}

fn examine(host: &Host, args: &GuestArgs, out: &Path) -> Vec<Finding> {
    let mut findings = guests::probe(host, args);
    findings.extend(cpu::probe(host));
    findings.extend([
        kinds::probe(host),
        cpuset::probe(host),
        isolation::quota(host),
        clock::hypervisor(host),
    ]);
    findings.extend(frequency::probe(host));
    findings.extend(isolation::probe(host));
    findings.extend(load::probe(host, &load::look(host)));
    findings.extend(clock::probe(host));
    findings.extend(system::probe(host));
    findings.extend(storage::probe(host, out));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::BuiltArgs;
    use crate::doctor::check::Check;
    use crate::doctor::finding::Status;
    use crate::doctor::fixture::Fixture;

    fn args() -> GuestArgs {
        GuestArgs {
            cpus: None,
            accel: None,
            qemu: None,
            built: BuiltArgs {
                kernel: "kernel".into(),
                workers: "workers".into(),
                image_tool: "tool".into(),
            },
        }
    }

    #[test]
    fn every_check_is_made_once_even_where_nothing_can_be_read() {
        let findings = Fixture::new().probe("0,1", false, |host| examine(host, &args(), Path::new(".")));
        let mut made: Vec<Check> = findings.iter().map(|finding| finding.check).collect();
        made.sort_unstable();
        assert_eq!(made, Check::ALL);
        let unknown = findings.iter().filter(|finding| finding.status == Status::Unknown);
        assert!(unknown.count() > 10, "{findings:#?}");
    }
}
