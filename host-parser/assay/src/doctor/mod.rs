//! `assay doctor`: reports whether this host is fit for a measurement, and what to improve. It changes nothing.
//!
//! `host::doctor` checks the host. This module checks what guests are made of, and makes the report.

mod guests;
mod report;

use std::path::{Path, PathBuf};

use clap::Args;
use host::doctor::{self, AcceleratorFact, Facts, Finding, Host, ProgramFact};
use host::{HostIdentity, Root};
use lab::{Coded, Places, console};
use qemu::{AcceleratorChoice, Qemu};

use crate::ending::Ending;
use crate::options::GuestArgs;
use report::Report;

/// `assay doctor`.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// The guests that the host is checked for.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// Folder for results
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().sessions())]
    pub out: PathBuf,
}

/// Makes all checks and prints the report.
///
/// # Errors
/// A CPU that is not available, or a report that cannot be written.
pub fn run(args: &DoctorArgs) -> Result<Ending, Coded> {
    let chosen = args.guest.host_cpus()?;
    let host = Host::new(Root::here(), chosen.available.clone(), chosen.set.is_some());
    let (findings, facts) = examine(&host, &args.guest, &args.out);
    let report = Report::new(HostIdentity::read(&Root::here()), host.cpus.to_string(), findings);
    console::data("report", &report.with_facts(&facts))?;
    console::answer(&report.text())?;
    let ending = Ending::from(report.exit());
    Ok(match report.first_remedy() {
        Some(remedy) => ending.then(remedy),
        None => ending,
    })
}

fn examine(host: &Host, args: &GuestArgs, out: &Path) -> (Vec<Finding>, Facts) {
    // What there is, not what the option asks for: a VMM that needs KVM does not bring it.
    let choice = if args.vmm.needs_kvm() { Ok(AcceleratorChoice::detect()) } else { args.find_accelerator() };
    let qemu = Qemu::find(args.qemu.as_deref());
    let mut findings = guests::probe(args, &choice, &qemu);
    let sampled = doctor::sample_load(host);
    findings.extend(doctor::of_the_host(host, &sampled));
    findings.extend(doctor::storage(host, out));
    (findings, Facts::new(host, accelerator_fact(&choice), qemu.ok().map(program_fact), &sampled))
}

/// Without an accelerator, the name says so: the one that was asked for does not work.
fn accelerator_fact(choice: &anyhow::Result<AcceleratorChoice>) -> AcceleratorFact {
    match choice {
        Ok(choice) => AcceleratorFact { name: choice.accelerator.to_string(), why: choice.reason.clone() },
        Err(error) => AcceleratorFact { name: "none".to_owned(), why: error.to_string() },
    }
}

fn program_fact(qemu: Qemu) -> ProgramFact {
    ProgramFact { path: qemu.path.display().to_string(), version: qemu.version.to_string() }
}

#[cfg(test)]
mod tests {
    use host::doctor::{Check, LoadSample, Program, Sample, Status, of_the_host};
    use host::fixture::Fixture;
    use test_support::golden;

    use super::*;
    use crate::options::{Accel, BuiltArgs};

    fn args() -> GuestArgs {
        GuestArgs {
            cpus: None,
            accel: Accel::Auto,
            vmm: qemu::VmmKind::Qemu,
            cpu_model: None,
            qemu_args: Vec::new(),
            qemu: None,
            built: BuiltArgs {
                kernel: "kernel".into(),
                workers: "workers".into(),
                image_tool: "tool".into(),
            },
        }
    }

    #[test]
    fn makes_every_check_once_even_if_nothing_can_be_read() {
        let (findings, _) = Fixture::new().probe("0,1", false, |host| examine(host, &args(), Path::new(".")));
        let mut made: Vec<Check> = findings.iter().map(|finding| finding.check).collect();
        made.sort_unstable();
        assert_eq!(made, Check::ALL);
        let unknown = findings.iter().filter(|finding| finding.status == Status::Unknown);
        assert!(unknown.count() > 10, "{findings:#?}");
    }

    fn sample(programs: &[(&str, usize, f64)]) -> Sample {
        Sample {
            busy_cpus: programs.iter().map(|(_, _, part)| part).sum(),
            steal: 0.0,
            programs: programs
                .iter()
                .map(|&(name, processes, part)| Program { name: name.to_owned(), processes, part })
                .collect(),
        }
    }

    /// The report on a large host with many warnings, as a user reads it.
    #[test]
    fn reports_many_warnings_of_a_hybrid_host() {
        let (cpu, guest_cpus) = ("/sys/devices/system/cpu", "0-4,6,8-11");
        let host = Fixture::hybrid()
            .file("/proc/cpuinfo", "flags : fpu vmx constant_tsc nonstop_tsc")
            .file("/proc/self/cgroup", "0::/user.slice/bench.service")
            .file("/proc/loadavg", "3.20 1.25 0.80 1/900 900")
            .file("/proc/stat", "cpu0 1 2 3 4 5 6 7 8")
            .file("/proc/sys/kernel/osrelease", "6.12.8")
            .file("/sys/fs/cgroup/user.slice/bench.service/cpuset.cpus.effective", "0-11")
            .file("/sys/fs/cgroup/user.slice/bench.service/cpuset.cpus.partition", "member")
            .file("/sys/fs/cgroup/user.slice/bench.service/cgroup.procs", "1")
            .file(&format!("{cpu}/smt/control"), "on")
            .file(&format!("{cpu}/isolated"), "")
            .file(&format!("{cpu}/intel_pstate/no_turbo"), "0")
            .file(&format!("{cpu}/cpu0/cpufreq/scaling_governor"), "powersave")
            .file("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc");
        let siblings = Some(([5, 7].into(), sample(&[("rustc", 3, 1.4), ("ld", 1, 0.3)])));
        let guest = Some(sample(&[("firefox", 12, 0.4), ("Xorg", 1, 0.1)]));
        let sampled = LoadSample { guest, siblings, steal_since_boot: 0.0 };
        let findings = host.probe(guest_cpus, false, |host| of_the_host(host, &sampled));
        let described = HostIdentity {
            system: "Linux 6.12.8 x86_64".to_owned(),
            cpu: "12th Gen Intel(R) Core(TM) i7-12700K".to_owned(),
            cpus_online: 16,
            load: Some(3.2),
        };
        let text = Report::new(described, guest_cpus.to_owned(), findings).text();
        golden::check(&golden::path("src/doctor/hybrid.txt"), text.as_bytes());
    }
}
