//! The engine that executes the guest's instructions, and why it was chosen.

use std::fmt;
use std::path::Path;
use std::sync::OnceLock;

use host::Root;
use serde::Serialize;

use crate::kvm::{self, KvmProblem};
use crate::{Qemu, QemuError, VmmKind, default_cpu_model};

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
    /// What is wrong with KVM, if it was looked at and cannot be used.
    #[serde(skip)]
    pub problem: Option<KvmProblem>,
}

impl AcceleratorChoice {
    /// Chooses for this host, the QEMU in `PATH` and the default CPU model: [`Self::for_cpus`]. Looks once a process.
    #[must_use]
    pub fn detect() -> Self {
        static DETECTED: OnceLock<AcceleratorChoice> = OnceLock::new();
        DETECTED.get_or_init(|| Self::for_cpus(None, None)).clone()
    }

    /// The only choice for a VMM that has nothing but KVM.
    #[must_use]
    pub fn only(vmm: VmmKind) -> Self {
        Self { accelerator: Accelerator::Kvm, reason: format!("{} has no other", vmm.title()), problem: None }
    }

    /// Checks that KVM can be used here, for a VMM that has nothing else.
    ///
    /// # Errors
    /// [`QemuError::NoKvm`] with what is wrong and what to do.
    pub fn check_kvm(vmm: VmmKind) -> Result<(), QemuError> {
        let Self { accelerator, reason, problem } = Self::detect();
        if accelerator == Accelerator::Kvm || !vmm.needs_kvm() {
            return Ok(());
        }
        let why = problem.map_or(reason, |problem| problem.with_remedy());
        Err(QemuError::NoKvm { title: vmm.title(), why })
    }

    /// Chooses for this host: KVM if it runs a virtual CPU of `cpu_model` under `qemu`, else TCG. `None` is the QEMU in
    /// `PATH`, and KVM's default model. If there is no QEMU, no CPU is started: the run will miss it anyway.
    #[must_use]
    pub fn for_cpus(qemu: Option<&Path>, cpu_model: Option<&str>) -> Self {
        Self::of(look(qemu, cpu_model))
    }

    /// KVM, because the user asked for it; `by` names the option (`--accel kvm`).
    ///
    /// # Errors
    /// What is wrong with KVM. A KVM in software is taken if it runs a virtual CPU of that model.
    pub fn kvm(by: &str, qemu: Option<&Path>, cpu_model: Option<&str>) -> Result<Self, KvmProblem> {
        match look(qemu, cpu_model) {
            Ok(_) => Ok(Self::forced(Accelerator::Kvm, by)),
            Err(problem @ KvmProblem::Software { .. }) => {
                let (qemu, model) = (path(qemu), model(cpu_model));
                qemu.map_or(Ok(()), |qemu| kvm::start_one_vcpu(&qemu.path, model))?;
                let reason = format!("asked for by {by}; {problem}");
                Ok(Self { accelerator: Accelerator::Kvm, reason, problem: Some(problem) })
            }
            Err(problem) => Err(problem),
        }
    }

    /// The user's choice; `by` names the option (`--accel tcg`). Nothing is looked at.
    #[must_use]
    pub fn forced(accelerator: Accelerator, by: &str) -> Self {
        Self { accelerator, reason: format!("asked for by {by}"), problem: None }
    }

    fn of(found: Result<&'static str, KvmProblem>) -> Self {
        match found {
            Ok(flag) => Self {
                accelerator: Accelerator::Kvm,
                reason: format!("/dev/kvm runs a virtual CPU, and the CPU has {flag}"),
                problem: None,
            },
            Err(problem) => {
                Self { accelerator: Accelerator::Tcg, reason: problem.to_string(), problem: Some(problem) }
            }
        }
    }
}

fn look(qemu: Option<&Path>, cpu_model: Option<&str>) -> Result<&'static str, KvmProblem> {
    kvm::check(&Root::here(), path(qemu).as_ref().map(|qemu| qemu.path.as_path()), model(cpu_model))
}

fn path(qemu: Option<&Path>) -> Option<Qemu> {
    Qemu::find(qemu).ok()
}

fn model(cpu_model: Option<&str>) -> &str {
    cpu_model.unwrap_or(default_cpu_model(Accelerator::Kvm))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_kvm_only_if_it_works() {
        let found = AcceleratorChoice::of(Ok("svm"));
        assert_eq!((found.accelerator, found.problem), (Accelerator::Kvm, None));
        let problem = KvmProblem::Broken { detail: "QEMU ended with signal: 6 (SIGABRT)".to_owned() };
        let broken = AcceleratorChoice::of(Err(problem.clone()));
        assert_eq!((broken.accelerator, broken.problem), (Accelerator::Tcg, Some(problem)));
        assert!(broken.reason.contains("does not run: QEMU ended with signal: 6"), "{}", broken.reason);
    }

    #[test]
    fn tells_only_those_who_could_have_kvm() {
        let absent = KvmProblem::NoDevice { module: None };
        assert!(!absent.is_unexpected() && absent.remedy().is_none());
        let unloaded = KvmProblem::NoDevice { module: Some("kvm_amd") };
        assert!(unloaded.is_unexpected() && unloaded.with_remedy().contains("modprobe kvm_amd"));
    }
}
