//! Our kernel and the Linux twin under the real Firecracker and Cloud Hypervisor: `make test-vmm`.
//!
//! ASSAY_FIRECRACKER and ASSAY_CLOUD_HYPERVISOR name the programs, else PATH has them. A VMM that is not there is skipped by
//! name with the reason. A host without KVM runs these tests in an L1 guest that has one, by an emulated SVM (`l1`). Their
//! ends, bad and good, are played in qemu/tests/other_vmms.rs; here is what only the real ones can show. Speed is no subject:
//! all vCPUs share one host CPU, so runs are functional-only.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

#[path = "../support/assay.rs"]
mod assay;
mod l1;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use host::CpuSet;
use qemu::{AcceleratorChoice, Vmm, VmmKind};
use serde_json::Value;

use assay::{assay, run, workspace};

const DEADLINE: Duration = Duration::from_secs(300);

/// The controls that show a VMM's ends.
const CONTROLS: [&str; 4] = ["kernel-reset", "kernel-triple-fault", "kernel-panic", "kernel-hang"];

/// Attempts at a session that the host disturbs. Where KVM itself is emulated, time that the machine below takes cannot be
/// seen, and the gate finds it missing.
const TRIES: usize = 6;

/// The longest boot of a control under an emulated KVM on a busy machine. The control that hangs takes all of it.
const PATIENCE_SECONDS: u32 = 40;

/// The VMMs that can be tried here. The others are named, with the reason.
fn available() -> Vec<Vmm> {
    let others = VmmKind::ALL.into_iter().filter(|&kind| kind != VmmKind::Qemu);
    let found = others.filter_map(|kind| {
        let given = std::env::var_os(kind.variable()).filter(|path| !path.is_empty());
        let vmm = Vmm::find(kind, given.as_deref().map(Path::new));
        match AcceleratorChoice::check_kvm(kind).and(vmm) {
            Ok(vmm) => Some(vmm),
            Err(error) => {
                eprintln!("SKIPPED {kind}: {error}");
                None
            }
        }
    });
    found.collect()
}

/// `assay` with the program of this VMM, and one host CPU.
fn assay_under(vmm: &Vmm, args: &[&str]) -> Command {
    let cpu = CpuSet::allowed().unwrap().iter().next().unwrap().to_string();
    let mut command = assay(args);
    command.args(["--vmm", vmm.kind.word(), "--cpus", &cpu]).env(vmm.kind.variable(), &vmm.path);
    command
}

/// A session of the shipped experiment without its claim, on 1 and 2 CPUs, in as much memory as Linux needs: its folder and
/// results, once each of its runs has passed.
fn session(vmm: &Vmm, out: &Path, systems: &str) -> (PathBuf, Value) {
    let source = fs::read_to_string(workspace().join("manifests/smp-process-scale.toml")).unwrap();
    let (gate, oracle) = (source.find("[gate]").unwrap(), source.find("[oracle]").unwrap());
    let source = format!("{}{}", &source[..gate], &source[oracle..]);
    let path = out.join("vmm.toml");
    let source = source.replace("[1, 2, 4]", "[1, 2]").replace("memory-mib = 128", "memory-mib = 256");
    fs::write(&path, source).unwrap();
    for label in (0..TRIES).map(|nth| format!("t-{nth}")) {
        let args = ["run", "--label", &label, "--rounds", "1", "--no-probe", "--systems", systems];
        let said = run(assay_under(vmm, &args).arg("--out").arg(out).arg(&path), DEADLINE);
        let folder = out.join("smp-process-scale").join(label);
        let results: Value = serde_json::from_slice(&fs::read(folder.join("results.json")).unwrap()).unwrap();
        let hidden =
            |run: &Value| ["time-missing", "vcpu-preempted"].iter().any(|hidden| run["reason"] == *hidden);
        if results["runs"].as_array().unwrap().iter().any(hidden) {
            continue;
        }
        said.expect_exit(0);
        return (folder, results);
    }
    panic!("the host disturbed each of {TRIES} tries");
}

#[test]
#[ignore = "needs KVM, Firecracker or Cloud Hypervisor, and a built kernel: make test-vmm"]
fn an_experiment_runs_with_the_evidence_that_it_has_under_qemu() {
    for vmm in available() {
        let out = tempfile::tempdir().unwrap();
        let (folder, results) = session(&vmm, out.path(), "assay");
        let environment = &results["environment"];
        assert_eq!(environment["vmm"]["name"], vmm.kind.word());
        assert_eq!(environment["vmm"]["version"], vmm.banner.as_str());
        assert!(environment["qemu"].is_null(), "{environment}");
        for run in results["runs"].as_array().unwrap() {
            has_all_evidence(&vmm, run);
        }
        run(assay(["verify"]).arg(&folder), DEADLINE).expect_exit(0);
        let left: Vec<String> =
            fs::read_dir(folder.join("runs")).unwrap().map(|file| name_of(&file.unwrap())).collect();
        assert!(left.iter().all(|name| !name.contains("sock")), "{left:?}");
        eprintln!("{} {}: experiment runs", vmm.kind, vmm.version);
    }
}

fn name_of(file: &fs::DirEntry) -> String {
    file.file_name().to_string_lossy().into_owned()
}

fn has_all_evidence(vmm: &Vmm, run: &Value) {
    assert_eq!(run["outcome"], "passed", "{run}");
    let case = run["case"].as_u64().unwrap();
    let evidence = &run["evidence"];
    let ended = match vmm.kind {
        VmmKind::Firecracker => "reset-to-end",
        _ => "shutdown",
    };
    assert_eq!(
        (&evidence["ended"]["kind"], &evidence["watched"]),
        (&ended.into(), &true.into()),
        "{evidence}"
    );
    // An entry for each vCPU and iteration, by the scheduler's account of the threads that were found by name.
    let delays = evidence["delays"].as_array().unwrap();
    assert!(!delays.is_empty() && (delays.len() as u64).is_multiple_of(case), "{evidence}");
    assert!(delays.iter().all(|delay| delay["run_ns"].as_u64().unwrap() > 0), "{evidence}");
    assert_eq!(run["vcpu_host_cpus"].as_array().unwrap().len() as u64, case, "{run}");
    assert!(
        run["wall_ms"].as_u64().unwrap() > 0 && run["boot"]["peak_rss_bytes"].as_u64().unwrap() > 1 << 20
    );
    assert_eq!(run["command"][0], vmm.path.display().to_string());
    assert_eq!(run["configuration"].is_string(), vmm.kind == VmmKind::Firecracker, "{run}");
    assert_eq!(run["measurement"]["machine"]["hypervisor"], "KVMKVMKVM");
}

#[test]
#[ignore = "needs KVM, Firecracker or Cloud Hypervisor, and a built kernel: make test-vmm"]
fn every_bad_end_gets_its_reason() {
    for vmm in available() {
        let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for control in CONTROLS {
            let manifest = workspace().join("manifests/controls").join(control).with_extension("toml");
            let text = fs::read_to_string(manifest).unwrap();
            fs::write(folder.path().join(control).with_extension("toml"), patient(&text)).unwrap();
        }
        let mut command = assay_under(&vmm, &["dev", "controls"]);
        let said = run(command.arg("--out").arg(out.path()).arg(folder.path()), DEADLINE);
        let all = format!("{0} of {0} controls ended as expected", CONTROLS.len());
        said.expect_exit(0).expect_answer(&[&all]);
        eprintln!("{} {}: {all}", vmm.kind, vmm.version);
    }
}

/// A manifest with deadlines that a guest keeps even if KVM itself is emulated, on a busy machine.
fn patient(manifest: &str) -> String {
    let seconds = |line: &str, key: &str| line.strip_prefix(key)?.strip_prefix(" = ")?.parse::<u32>().ok();
    let worker = manifest.lines().find_map(|line| seconds(line, "worker-seconds")).unwrap_or(0);
    let later = |line: &str| match line.split_once(" = ") {
        Some((key @ "boot-seconds", _)) => format!("{key} = {PATIENCE_SECONDS}"),
        // At least both of the others together.
        Some((key @ "run-seconds", _)) => format!("{key} = {}", PATIENCE_SECONDS + worker),
        _ => line.to_owned(),
    };
    manifest.lines().map(later).collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "needs KVM, Firecracker or Cloud Hypervisor, a built kernel and a Linux kernel: make test-vmm"]
fn the_linux_twin_runs_beside_our_kernel() {
    for vmm in available() {
        // Firecracker starts bzImages from 1.17 on only.
        if vmm.kind == VmmKind::Firecracker && (vmm.version.major, vmm.version.minor) < (1, 17) {
            eprintln!("SKIPPED linux under {} {}: it starts no bzImage", vmm.kind, vmm.version);
            continue;
        }
        let out = tempfile::tempdir().unwrap();
        let (_, results) = session(&vmm, out.path(), "assay,linux");
        assert_eq!(results["comparison"]["comparable"], true, "{}", results["comparison"]);
        assert!(
            results["runs"].as_array().unwrap().iter().all(|run| run["outcome"] == "passed"),
            "{results}"
        );
        eprintln!("{} {}: Linux beside ours", vmm.kind, vmm.version);
    }
}
