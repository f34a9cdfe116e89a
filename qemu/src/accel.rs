//! Which engine executes the guest's instructions, and why that one.

use std::fmt;
use std::fs::OpenOptions;
use std::io;

use serde::Serialize;

/// What executes the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accelerator {
    /// The CPU itself, by Linux's KVM.
    Kvm,
    /// QEMU's translator: one host thread for each vCPU, unless instructions are counted.
    Tcg,
}

impl fmt::Display for Accelerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        })
    }
}

/// An accelerator with the reason it was chosen, for the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AcceleratorChoice {
    /// The accelerator.
    pub accelerator: Accelerator,
    /// Why, in words: `no vmx or svm in /proc/cpuinfo`.
    pub reason: String,
}

impl AcceleratorChoice {
    /// Chooses for this host: KVM if it can be opened and the CPU has virtualisation, else TCG.
    #[must_use]
    pub fn detect() -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        // QEMU opens the device read-write; nothing short of trying says whether it may.
        let kvm = OpenOptions::new().read(true).write(true).open("/dev/kvm").map(drop);
        choose(&cpuinfo, kvm)
    }

    /// A choice that was made by the user; `by` says how (`--accel tcg`).
    #[must_use]
    pub fn forced(accelerator: Accelerator, by: &str) -> Self {
        Self { accelerator, reason: format!("asked for by {by}") }
    }
}

/// `/dev/kvm` alone does not mean hardware virtualisation. A KVM without `vmx` or `svm` in /proc/cpuinfo has been seen
/// to run ring 0 a thousand times too slowly and to fault on `syscall`, so both are wanted.
fn choose(cpuinfo: &str, kvm: io::Result<()>) -> AcceleratorChoice {
    let (accelerator, reason) = match (virtualisation_flag(cpuinfo), kvm) {
        (Some(flag), Ok(())) => (Accelerator::Kvm, format!("/dev/kvm opens and the CPU has {flag}")),
        (None, Ok(())) => {
            (Accelerator::Tcg, "/dev/kvm opens, but neither vmx nor svm is in /proc/cpuinfo".to_owned())
        }
        (_, Err(error)) => (Accelerator::Tcg, format!("/dev/kvm: {error}")),
    };
    AcceleratorChoice { accelerator, reason }
}

/// The first CPU's flags speak for all: Linux does not boot CPUs that differ in this.
fn virtualisation_flag(cpuinfo: &str) -> Option<&'static str> {
    let (_, flags) =
        cpuinfo.lines().find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == "flags"))?;
    ["vmx", "svm"].into_iter().find(|wanted| flags.split_ascii_whitespace().any(|flag| flag == *wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTEL: &str = "processor\t: 0\nflags\t\t: fpu vme vmx sse2\nvmx flags\t: vnmi\n";
    const NESTED: &str = "processor\t: 0\nflags\t\t: fpu vme sse2 hypervisor\nvmx flags\t: vnmi\n";

    #[test]
    fn chooses_kvm_only_with_the_device_and_the_cpu_flag() {
        assert_eq!(choose(INTEL, Ok(())).accelerator, Accelerator::Kvm);
        assert_eq!(choose(&INTEL.replace("vmx", "svm"), Ok(())).accelerator, Accelerator::Kvm);
        assert_eq!(choose(NESTED, Ok(())).accelerator, Accelerator::Tcg);
        assert_eq!(choose("", Ok(())).accelerator, Accelerator::Tcg);
    }

    #[test]
    fn says_why_kvm_is_not_used() {
        let denied = choose(INTEL, Err(io::ErrorKind::PermissionDenied.into()));
        assert_eq!(denied.accelerator, Accelerator::Tcg);
        assert_eq!(denied.reason, "/dev/kvm: permission denied");
        assert!(choose(NESTED, Ok(())).reason.contains("neither vmx nor svm"));
    }
}
