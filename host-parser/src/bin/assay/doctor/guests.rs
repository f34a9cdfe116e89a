//! What guests are made of: accelerator, QEMU, firmware, and what this project builds.

use std::fs;
use std::path::Path;

use qemu::{Accelerator, AcceleratorChoice, Qemu, UefiFirmware};

use super::check::Check;
use super::finding::Finding;
use super::host::Host;
use crate::cli::GuestArgs;

/// Where tools/setup.sh leaves the toolchain to build with.
const TOOLCHAIN: &str = ".toolchain/env";
/// The worker of the first experiment; they are all built together.
const WORKER: &str = "primes";

/// All of it.
pub fn probe(host: &Host, args: &GuestArgs) -> Vec<Finding> {
    let choice = args.accelerator();
    vec![
        accelerator(host, &choice),
        qemu(args.qemu.as_deref()),
        firmware(),
        built(args),
        toolchain(fs::read_to_string(TOOLCHAIN).ok().as_deref()),
    ]
}

fn accelerator(host: &Host, choice: &AcceleratorChoice) -> Finding {
    let value = format!("{}: {}", choice.accelerator, choice.reason);
    if choice.accelerator == Accelerator::Kvm {
        return Check::Accelerator.ok(value);
    }
    let found = Check::Accelerator.warn(value);
    let flags = host.root.cpu_flags().unwrap_or_default();
    let modules = [("vmx", "kvm_intel"), ("svm", "kvm_amd")];
    let module = modules.into_iter().find(|(wanted, _)| flags.iter().any(|flag| flag == wanted));
    match (module, choice.reason.to_lowercase()) {
        (Some(_), reason) if reason.contains("permission denied") => {
            found.remedy("`sudo usermod -aG kvm $USER`, then log in again.")
        }
        (Some((_, module)), reason) if reason.contains("no such file") => found.remedy(format!(
            "`sudo modprobe {module}`; if that fails, switch it on in the firmware's set-up."
        )),
        _ => found,
    }
}

fn qemu(given: Option<&Path>) -> Finding {
    match Qemu::find(given) {
        Ok(qemu) => Check::Qemu.ok(format!("{} ({})", qemu.version, qemu.path.display())),
        Err(error) => Check::Qemu.bad(error.to_string()),
    }
}

fn firmware() -> Finding {
    match UefiFirmware::find(None) {
        Ok(firmware) => Check::Firmware.ok(firmware.code.display().to_string()),
        Err(_) => Check::Firmware.warn("none found"),
    }
}

/// Without kernel or worker there is no guest; the image tool is for those that boot by firmware.
fn built(args: &GuestArgs) -> Finding {
    let worker = args.built.workers.join(WORKER);
    let parts =
        [("kernel", &args.built.kernel), ("workers", &worker), ("image tool", &args.built.image_tool)];
    let missing: Vec<String> = parts
        .into_iter()
        .filter(|(_, path)| !path.is_file())
        .map(|(name, path)| format!("{name} ({} is not there)", path.display()))
        .collect();
    match missing.as_slice() {
        [] => Check::Built.ok("kernel, workers, image tool"),
        [one] if one.starts_with("image tool") => Check::Built.warn(format!("not the {one}")),
        _ => Check::Built.bad(format!("not the {}", missing.join(", the "))),
    }
}

/// The first line is a comment: the version and what else the set-up compares.
fn toolchain(env: Option<&str>) -> Finding {
    let version = env.and_then(|env| env.lines().next()?.strip_prefix("# ")?.split(' ').next());
    match version {
        Some(version) => Check::Toolchain.ok(format!("Rust {version}")),
        None => Check::Toolchain.unknown(format!("no {TOOLCHAIN}; it is needed only to build")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::BuiltArgs;
    use crate::doctor::finding::Status::{Bad, Ok, Unknown, Warn};
    use crate::doctor::fixture::Fixture;

    fn without_kvm(flags: &str, reason: &str) -> Finding {
        let choice = AcceleratorChoice { accelerator: Accelerator::Tcg, reason: reason.to_owned() };
        let host = Fixture::new().file("/proc/cpuinfo", &format!("flags : {flags}"));
        host.probe("0", true, |host| accelerator(host, &choice))
    }

    #[test]
    fn the_way_to_kvm_is_named_where_there_is_one() {
        let denied = without_kvm("fpu vmx", "/dev/kvm: Permission denied (os error 13)");
        assert!(denied.status == Warn && denied.help().contains("usermod -aG kvm"), "{denied:?}");
        let absent = without_kvm("fpu svm", "/dev/kvm: No such file or directory (os error 2)");
        assert!(absent.help().contains("modprobe kvm_amd"), "{absent:?}");
        let vm = without_kvm("fpu", "/dev/kvm: No such file or directory (os error 2)");
        assert_eq!(vm.help(), Check::Accelerator.remedy());
    }

    #[test]
    fn what_is_not_built_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let args = GuestArgs {
            cpus: None,
            accel: None,
            qemu: None,
            built: BuiltArgs {
                kernel: at("kernel"),
                workers: folder.path().to_owned(),
                image_tool: at("tool"),
            },
        };
        let none = built(&args);
        assert!(none.status == Bad && none.value.contains("the workers ("), "{none:?}");
        fs::write(at("kernel"), "").unwrap();
        fs::write(at(WORKER), "").unwrap();
        assert_eq!(built(&args).status, Warn);
        fs::write(at("tool"), "").unwrap();
        assert_eq!(built(&args).status, Ok);
        assert_eq!(qemu(Some(&at("tool"))).status, Bad);
    }

    #[test]
    fn the_toolchain_is_read_from_what_the_set_up_left() {
        assert_eq!(toolchain(Some("# 1.96.0 /a /b 1 2\nexport PATH=...")).value, "Rust 1.96.0");
        assert_eq!((toolchain(Some("")).status, toolchain(None).status), (Unknown, Unknown));
    }
}
