//! Checks of what guests need: accelerator, QEMU, firmware, and the products of this project.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use experiment::manifest::Manifest;
use host::doctor::{Check, Finding, count};
use lab::Places;
use qemu::{Accelerator, AcceleratorChoice, KvmProblem, Qemu, QemuError, UefiFirmware, Vmm, VmmKind};
use workloads::Workload;

use crate::options::GuestArgs;

/// The file in which tools/setup.sh leaves the toolchain.
const TOOLCHAIN: &str = ".toolchain/env";
/// The file that names the toolchain to build with.
const WANTED: &str = "rust-toolchain.toml";
/// The folders of manifests, below that of all.
const MANIFESTS: [&str; 2] = ["", "controls"];

/// The worker of the registry's first workload.
fn worker() -> &'static str {
    workloads::REGISTRY.measured().next().map_or("", Workload::name)
}

/// Makes all of these checks.
pub fn probe(
    args: &GuestArgs,
    choice: &anyhow::Result<AcceleratorChoice>,
    found: &Result<Qemu, QemuError>,
) -> Vec<Finding> {
    let read = |path| fs::read_to_string(path).ok();
    let places = Places::here();
    vec![
        accelerator(choice, args.vmm),
        qemu(found),
        other_vmms(args),
        firmware(),
        built(args, &places.twin(), &programs(&MANIFESTS.map(|folder| places.in_manifests(folder)))),
        toolchain(read(TOOLCHAIN).as_deref(), read(WANTED).as_deref()),
    ]
}

/// The workers that the manifests in `folders` need, and the first workload's: outside the source there are no
/// manifests.
fn programs(folders: &[PathBuf]) -> BTreeSet<String> {
    let files = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let manifests =
        files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let programs = manifests.filter_map(|path| Some(Manifest::load(&path).ok()?.program().to_owned()));
    programs.chain([worker().to_owned()]).collect()
}

fn accelerator(choice: &anyhow::Result<AcceleratorChoice>, vmm: VmmKind) -> Finding {
    let choice = match choice {
        Ok(choice) => choice,
        Err(error) => return Check::Accelerator.bad(error.to_string()),
    };
    let value = format!("{}: {}", choice.accelerator, choice.reason);
    if choice.accelerator == Accelerator::Kvm && choice.problem.is_none() {
        return Check::Accelerator.ok(value);
    }
    let found = match vmm {
        VmmKind::Qemu => Check::Accelerator.warn(value),
        other => Check::Accelerator.bad(format!("{value}; {} runs guests by KVM only", other.title())),
    };
    match choice.problem.as_ref().and_then(KvmProblem::remedy) {
        Some(remedy) => found.remedy(remedy),
        None => found,
    }
}

fn qemu(found: &Result<Qemu, QemuError>) -> Finding {
    match found {
        Ok(qemu) => Check::Qemu.ok(format!("{} ({})", qemu.version, qemu.path.display())),
        Err(error) => Check::Qemu.bad(error.to_string()),
    }
}

/// The VMMs beside QEMU. To have none is no fault, unless one is asked for.
fn other_vmms(args: &GuestArgs) -> Finding {
    let kinds = VmmKind::ALL.into_iter().filter(|&kind| kind != VmmKind::Qemu);
    let (mut said, mut faulty, mut missing) = (Vec::new(), false, false);
    for kind in kinds {
        let given = args.program(kind);
        match Vmm::find(kind, given.as_deref()) {
            Ok(vmm) => said.push(format!("{kind} {} ({})", vmm.version, vmm.path.display())),
            Err(QemuError::NoVmm { .. }) if given.is_none() && args.vmm != kind => {
                said.push(format!("no {kind}"))
            }
            Err(error) => {
                said.push(error.to_string());
                faulty = true;
                missing |= args.vmm == kind;
            }
        }
    }
    let said = said.join("; ");
    match (missing, faulty) {
        (true, _) => Check::OtherVmms.bad(said),
        (false, true) => Check::OtherVmms.warn(said),
        (false, false) => Check::OtherVmms.ok(said),
    }
}

fn firmware() -> Finding {
    match UefiFirmware::find(None) {
        Ok(firmware) => Check::Firmware.ok(firmware.code.display().to_string()),
        Err(_) => Check::Firmware.warn("none found"),
    }
}

/// Without the kernel or the first workload's program no guest can run; without the others, some experiments cannot.
/// The image tool is built only when an experiment needs it, so its absence is no warning.
fn built(args: &GuestArgs, twin: &Path, programs: &BTreeSet<String>) -> Finding {
    let workers = &args.built.workers;
    let needed = [("kernel", args.built.kernel.clone()), ("workers", workers.join(worker()))];
    let missing: Vec<String> =
        needed.iter().filter(|(_, path)| !path.is_file()).map(|(name, path)| missing(name, path)).collect();
    if !missing.is_empty() {
        return Check::Built.bad(missing.join("; "));
    }
    let mut missing: Vec<String> = missing_workers(workers, programs).into_iter().collect();
    if !twin.is_file() {
        missing.push(format!("{}: no native probe, no Linux or native row", self::missing("twin", twin)));
    }
    if missing.is_empty() {
        let image_tool = if args.built.image_tool.is_file() {
            "image tool"
        } else {
            "no image tool: boot by firmware needs `make image-tool`"
        };
        return Check::Built.ok(format!("kernel, {}, twin, {image_tool}", count(programs.len(), "worker")));
    }
    Check::Built.warn(missing.join("; "))
}

fn missing(name: &str, path: &Path) -> String {
    format!("no {name} at {}", path.display())
}

/// Names the first of `programs` that is not in the folder, and counts the rest.
fn missing_workers(folder: &Path, programs: &BTreeSet<String>) -> Option<String> {
    let mut missing = programs.iter().filter(|name| !folder.join(name).is_file());
    let first = missing.next()?;
    Some(match missing.count() {
        0 => format!("no worker {first}, which a manifest needs"),
        more => format!("no worker {first}, which a manifest needs, nor {more} more"),
    })
}

/// The first line of `env` is a comment: the version, and what the set-up compares besides. `wanted` is
/// rust-toolchain.toml.
fn toolchain(env: Option<&str>, wanted: Option<&str>) -> Finding {
    let version = env.and_then(|env| env.lines().next()?.strip_prefix("# ")?.split(' ').next());
    let wanted = wanted.and_then(|file| file.lines().find_map(channel));
    match (version, wanted) {
        (Some(version), Some(wanted)) if version != wanted => {
            Check::Toolchain.warn(format!("Rust {version}; {WANTED} asks for {wanted}"))
        }
        (Some(version), Some(_)) => Check::Toolchain.ok(format!("Rust {version}, as {WANTED} asks for")),
        (Some(version), None) => Check::Toolchain.ok(format!("Rust {version}")),
        (None, _) => Check::Toolchain.unknown(format!("no {TOOLCHAIN}; it is needed only to build")),
    }
}

/// The value of the line `channel = "VALUE"`.
fn channel(line: &str) -> Option<String> {
    let value = line.trim().strip_prefix("channel")?.trim().strip_prefix('=')?;
    Some(value.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use host::doctor::Status::{Bad, Ok, Unknown, Warn};

    use super::*;
    use crate::options::{Accel, BuiltArgs};

    fn without_kvm(problem: KvmProblem) -> Finding {
        accelerator_finding(without(problem), VmmKind::Qemu)
    }

    fn without(problem: KvmProblem) -> AcceleratorChoice {
        let (accelerator, reason) = (Accelerator::Tcg, problem.to_string());
        AcceleratorChoice { accelerator, reason, problem: Some(problem) }
    }

    fn accelerator_finding(choice: AcceleratorChoice, vmm: VmmKind) -> Finding {
        accelerator(&Result::Ok(choice), vmm)
    }

    #[test]
    fn says_how_to_get_kvm_if_the_cpu_has_it() {
        let remedy = "`sudo usermod -aG kvm $USER`, then log out and in again.".to_owned();
        let denied = without_kvm(KvmProblem::Denied { remedy });
        assert!(denied.status == Warn && denied.help().contains("usermod -aG kvm"), "{denied:?}");
        let absent = without_kvm(KvmProblem::NoDevice { module: Some("kvm_amd") });
        assert!(absent.help().contains("modprobe kvm_amd"), "{absent:?}");
        let vm = without_kvm(KvmProblem::NoDevice { module: None });
        assert_eq!(vm.help(), Check::Accelerator.remedy());
    }

    #[test]
    fn a_vmm_that_needs_kvm_makes_its_absence_bad() {
        let broken = KvmProblem::Broken { detail: "QEMU ended with signal: 6".to_owned() };
        let found = accelerator_finding(without(broken), VmmKind::Firecracker);
        assert!(
            found.status == Bad && found.value.contains("Firecracker runs guests by KVM only"),
            "{found:?}"
        );
        assert!(found.help().contains("dmesg"), "{found:?}");
    }

    #[test]
    fn names_a_kvm_that_does_not_work() {
        let broken = without_kvm(KvmProblem::Broken { detail: "QEMU ended with signal: 6".to_owned() });
        assert!(broken.status == Warn && broken.value.contains("QEMU ended with signal: 6"), "{broken:?}");
        assert!(broken.help().contains("dmesg"), "{broken:?}");
        let asked = accelerator(&Err(anyhow::anyhow!("--accel kvm: no /dev/kvm")), VmmKind::Qemu);
        assert!(asked.status == Bad && asked.value.contains("no /dev/kvm"), "{asked:?}");
        let works = AcceleratorChoice::forced(Accelerator::Kvm, "--accel kvm");
        assert_eq!(accelerator_finding(works, VmmKind::Qemu).status, Ok);
    }

    #[test]
    fn names_what_is_not_built() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let args = GuestArgs {
            cpus: None,
            accel: Accel::Auto,
            vmm: VmmKind::Qemu,
            cpu_model: None,
            qemu_args: Vec::new(),
            qemu: None,
            built: BuiltArgs {
                kernel: at("kernel"),
                workers: folder.path().to_owned(),
                image_tool: at("tool"),
            },
        };
        let (twin, programs) = (at("twin"), [worker(), "hash"].map(str::to_owned).into());
        let judge = || built(&args, &twin, &programs);
        let none = judge();
        assert!(none.status == Bad && none.value.contains("; no workers at "), "{none:?}");
        fs::write(at("kernel"), "").unwrap();
        fs::write(at(worker()), "").unwrap();
        let some = judge();
        assert_eq!(some.status, Warn);
        for part in ["no worker hash,", "no twin at "] {
            assert!(some.value.contains(part), "no {part:?} in {some:?}");
        }
        fs::write(at("hash"), "").unwrap();
        let found = judge();
        assert!(found.status == Warn && found.value.contains("no native probe"), "{found:?}");
        fs::write(&twin, "").unwrap();
        let found = judge();
        assert!(found.status == Ok && found.value.contains("no image tool: "), "{found:?}");
        fs::write(at("tool"), "").unwrap();
        assert_eq!((judge().status, judge().value.as_str()), (Ok, "kernel, 2 workers, twin, image tool"));
        assert_eq!(qemu(&Qemu::find(Some(&at("tool")))).status, Bad);
    }

    #[test]
    fn reads_the_toolchain_version_from_the_set_ups_file() {
        let (env, wanted) = ("# 1.96.0 /a /b 1 2\nexport PATH=...", "[toolchain]\nchannel = \"1.96.0\"\n");
        assert_eq!(toolchain(Some(env), None).value, "Rust 1.96.0");
        assert_eq!(toolchain(Some(env), Some(wanted)).status, Ok);
        let other = toolchain(Some("# 1.95.0 /a"), Some(wanted));
        assert_eq!(
            (other.status, other.value.as_str()),
            (Warn, "Rust 1.95.0; rust-toolchain.toml asks for 1.96.0")
        );
        let status = |env| toolchain(env, Some(wanted)).status;
        assert_eq!((status(Some("")), status(None)), (Unknown, Unknown));
    }

    #[test]
    fn checks_every_worker_that_a_manifest_needs() {
        let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests");
        let folders = MANIFESTS.map(|folder| manifests.join(folder));
        let found = programs(&folders);
        assert!(
            found.contains(worker()) && found.iter().any(|name| name.starts_with("control-")),
            "{found:?}"
        );
        assert_eq!(programs(&[]).len(), 1);
    }
}
