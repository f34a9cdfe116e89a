//! The engine that executes the guest's instructions, and why it was chosen.

use std::fmt;
use std::fs::OpenOptions;
use std::io;

use host::Root;
use serde::Serialize;

use crate::{QemuError, VmmKind};

/// The engine that executes the guest's instructions.
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
    /// Why: `no vmx or svm in /proc/cpuinfo`.
    pub reason: String,
}

impl AcceleratorChoice {
    /// Chooses for this host: KVM if /dev/kvm opens and the CPU has hardware virtualisation, else TCG.
    #[must_use]
    pub fn detect() -> Self {
        let flags = Root::here().cpu_flags().unwrap_or_default();
        // QEMU opens the device read-write; only trying shows whether this user may.
        let kvm = OpenOptions::new().read(true).write(true).open("/dev/kvm").map(drop);
        choose(&flags, kvm)
    }

    /// The only choice for a VMM that has nothing but KVM.
    #[must_use]
    pub fn only(vmm: VmmKind) -> Self {
        Self { accelerator: Accelerator::Kvm, reason: format!("{} has no other", vmm.title()) }
    }

    /// Checks that KVM can be used here, for a VMM that has nothing else.
    ///
    /// # Errors
    /// [`QemuError::NoKvm`] with what is wrong.
    pub fn check_kvm(vmm: VmmKind) -> Result<(), QemuError> {
        let Self { accelerator, reason } = Self::detect();
        if accelerator == Accelerator::Kvm || !vmm.needs_kvm() {
            return Ok(());
        }
        Err(QemuError::NoKvm { title: vmm.title(), why: reason })
    }

    /// The user's choice; `by` names the option (`--accel tcg`).
    #[must_use]
    pub fn forced(accelerator: Accelerator, by: &str) -> Self {
        Self { accelerator, reason: format!("asked for by {by}") }
    }
}

/// `/dev/kvm` alone does not mean hardware virtualisation. A KVM without `vmx` or `svm` in /proc/cpuinfo has been seen
/// to run ring 0 a thousand times too slowly and to fault on `syscall`, so KVM needs both.
fn choose(flags: &[String], kvm: io::Result<()>) -> AcceleratorChoice {
    let virtualisation = ["vmx", "svm"].into_iter().find(|wanted| flags.iter().any(|flag| flag == wanted));
    let (accelerator, reason) = match (virtualisation, kvm) {
        (Some(flag), Ok(())) => (Accelerator::Kvm, format!("/dev/kvm opens and the CPU has {flag}")),
        (None, Ok(())) => {
            (Accelerator::Tcg, "/dev/kvm opens, but neither vmx nor svm is in /proc/cpuinfo".to_owned())
        }
        (_, Err(error)) => (Accelerator::Tcg, format!("/dev/kvm: {error}")),
    };
    AcceleratorChoice { accelerator, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTEL: &str = "processor\t: 0\nflags\t\t: fpu vme vmx sse2\nvmx flags\t: vnmi\n";
    const NESTED: &str = "processor\t: 0\nflags\t\t: fpu vme sse2 hypervisor\nvmx flags\t: vnmi\n";

    /// The choice on a host with this /proc/cpuinfo.
    fn choose_by(cpuinfo: &str, kvm: io::Result<()>) -> AcceleratorChoice {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("proc")).unwrap();
        std::fs::write(folder.path().join("proc/cpuinfo"), cpuinfo).unwrap();
        choose(&Root::new(folder.path()).cpu_flags().unwrap_or_default(), kvm)
    }

    #[test]
    fn chooses_kvm_only_with_the_device_and_the_cpu_flag() {
        assert_eq!(choose_by(INTEL, Ok(())).accelerator, Accelerator::Kvm);
        assert_eq!(choose_by(&INTEL.replace("vmx", "svm"), Ok(())).accelerator, Accelerator::Kvm);
        assert_eq!(choose_by(NESTED, Ok(())).accelerator, Accelerator::Tcg);
        assert_eq!(choose_by("", Ok(())).accelerator, Accelerator::Tcg);
    }

    #[test]
    fn names_the_reason_against_kvm() {
        let denied = choose_by(INTEL, Err(io::ErrorKind::PermissionDenied.into()));
        assert_eq!(denied.accelerator, Accelerator::Tcg);
        assert_eq!(denied.reason, "/dev/kvm: permission denied");
        assert!(choose_by(NESTED, Ok(())).reason.contains("neither vmx nor svm"));
    }
}
