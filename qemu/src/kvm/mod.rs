//! Whether this host has a KVM that works: the device opens, the CPU has hardware virtualisation, and a virtual CPU runs.

mod permission;
mod probe;
mod problem;

pub(crate) use probe::start_one_vcpu;
pub use problem::KvmProblem;

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use host::Root;

use permission::Permission;

/// The device of KVM.
const DEVICE: &str = "/dev/kvm";

/// The flag in /proc/cpuinfo that stands for hardware virtualisation, if the host has a KVM whose CPUs run under the QEMU
/// at `qemu` with this CPU model; without a QEMU, if it looks as if it had one.
///
/// # Errors
/// Why KVM cannot be used.
pub(crate) fn check(root: &Root, qemu: Option<&Path>, cpu_model: &str) -> Result<&'static str, KvmProblem> {
    // QEMU opens the device read-write; only trying shows whether this user may.
    let opened = OpenOptions::new().read(true).write(true).open(DEVICE).map(drop);
    let flags = root.cpu_flags().unwrap_or_default();
    let modules = root.text("/proc/modules").unwrap_or_default();
    let flag = look(&flags, opened, &modules, || Permission::of(Path::new(DEVICE)))?;
    match qemu {
        Some(qemu) => start_one_vcpu(qemu, cpu_model).map(|()| flag),
        None => Ok(flag),
    }
}

/// What can be said before a virtual CPU is started.
fn look(
    flags: &[String],
    opened: io::Result<()>,
    modules: &str,
    permission: impl FnOnce() -> Permission,
) -> Result<&'static str, KvmProblem> {
    let virtualisation = ["vmx", "svm"].into_iter().find(|wanted| flags.iter().any(|flag| flag == wanted));
    match (opened, virtualisation) {
        (Ok(()), Some(flag)) => Ok(flag),
        (Ok(()), None) => Err(KvmProblem::Software { module: software_module(modules) }),
        (Err(error), virtualisation) if error.kind() == io::ErrorKind::NotFound => {
            let module = virtualisation.map(|flag| if flag == "vmx" { "kvm_intel" } else { "kvm_amd" });
            Err(KvmProblem::NoDevice { module })
        }
        (Err(error), _) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(KvmProblem::Denied { remedy: permission().remedy() })
        }
        (Err(error), _) => Err(KvmProblem::Unopenable { error: error.to_string() }),
    }
}

/// The module of a KVM that does without hardware virtualisation, by its name in /proc/modules: `kvm_pvm`.
fn software_module(modules: &str) -> Option<String> {
    let mut names = modules.lines().filter_map(|line| line.split(' ').next());
    names.find(|name| name.starts_with("kvm_") && !["kvm_intel", "kvm_amd"].contains(name)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(flags: &[&str], opened: io::Result<()>, modules: &str) -> Result<&'static str, KvmProblem> {
        let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        let permission = || Permission::new(0o660, 0, "root", "root:x:0:\n", "ann");
        look(&flags, opened, modules, permission)
    }

    #[test]
    fn needs_the_device_and_the_cpu_flag() {
        assert_eq!(seen(&["fpu", "vmx"], Ok(()), ""), Ok("vmx"));
        assert_eq!(seen(&["fpu", "svm"], Ok(()), ""), Ok("svm"));
        assert_eq!(seen(&["fpu"], Ok(()), ""), Err(KvmProblem::Software { module: None }));
        let missing = || Err(io::ErrorKind::NotFound.into());
        assert_eq!(seen(&["svm"], missing(), ""), Err(KvmProblem::NoDevice { module: Some("kvm_amd") }));
        assert_eq!(seen(&[], missing(), ""), Err(KvmProblem::NoDevice { module: None }));
        let busy = seen(&["vmx"], Err(io::ErrorKind::ResourceBusy.into()), "");
        assert!(matches!(busy, Err(KvmProblem::Unopenable { .. })), "{busy:?}");
        let denied = seen(&["vmx"], Err(io::ErrorKind::PermissionDenied.into()), "");
        assert!(matches!(denied, Err(KvmProblem::Denied { .. })), "{denied:?}");
    }

    #[test]
    fn names_the_module_of_a_kvm_in_software() {
        let modules = "kvm_pvm 126976 0 - Live 0x0\nkvm 1331200 1 kvm_pvm, Live 0x0\n";
        let Err(problem) = seen(&["fpu"], Ok(()), modules) else { panic!("a KVM") };
        assert_eq!(problem, KvmProblem::Software { module: Some("kvm_pvm".to_owned()) });
        let message = problem.to_string();
        assert!(message.contains("kvm_pvm") && message.contains("neither vmx nor svm"), "{message}");
        assert_eq!(software_module("kvm_amd 1 0\nkvm 1 1 kvm_amd\n"), None);
    }
}
