//! `--vmm`: which program runs, what it would be given, and what is refused before anything starts. The runs themselves
//! are played in qemu/tests/other_vmms.rs, and real in tests/vmm.

use std::process::Command;

use serde_json::Value;

use crate::assay::{Said, run};
use crate::stage::{DEADLINE, DIES, Stage};

/// Each VMM, the variable that names its program, and what `--version` prints.
const VMMS: [(&str, &str, &str); 2] = [
    ("firecracker", "ASSAY_FIRECRACKER", "Firecracker v1.17.0"),
    ("cloud-hypervisor", "ASSAY_CLOUD_HYPERVISOR", "cloud-hypervisor v54.0.0"),
];

/// A stage with a program for `variable` that prints this version and notes any other call.
fn stage(banner: &str) -> Stage {
    let stage = Stage::with_qemu(DIES);
    let version = format!(r#"case "$1" in --version) echo '{banner}'; exit;; esac; touch "$0.was-run""#);
    stage.script("vmm", &version);
    stage
}

fn command(stage: &Stage, vmm: &str, variable: &str, options: &[&str]) -> Command {
    let mut command = stage.command(&[options, &["--vmm", vmm]].concat());
    command.env(variable, stage.path("vmm"));
    command
}

fn said(stage: &Stage, vmm: &str, variable: &str, options: &[&str]) -> Said {
    run(&mut command(stage, vmm, variable, options), DEADLINE)
}

#[test]
fn a_dry_run_shows_what_firecracker_would_be_given() {
    let (vmm, variable, banner) = VMMS[0];
    let stage = stage(banner);
    let said = said(&stage, vmm, variable, &["--dry-run"]);
    said.expect_exit(0).expect_answer(&["under Firecracker 1.17.0, kvm", " --no-api --config-file "]);
    // The configuration of each case follows its command.
    let configurations: Vec<Value> = said
        .out
        .split("firecracker.json:\n")
        .skip(1)
        .map(|text| serde_json::Deserializer::from_str(text).into_iter().next().unwrap().unwrap())
        .collect();
    let cpus: Vec<_> = configurations.iter().map(|given| &given["machine-config"]["vcpu_count"]).collect();
    assert_eq!(cpus, [1, 2, 4]);
    for given in &configurations {
        assert_eq!(given["boot-source"]["boot_args"], "after=reboot");
        assert_eq!(given["boot-source"]["kernel_image_path"], stage.path("kernel").to_str().unwrap());
        assert_eq!(given["machine-config"]["mem_size_mib"], 128);
    }
    assert!(!stage.path("out").exists() && !stage.path("vmm.was-run").exists());
}

#[test]
fn a_dry_run_shows_cloud_hypervisors_command() {
    let (vmm, variable, banner) = VMMS[1];
    let stage = stage(banner);
    let said = said(&stage, vmm, variable, &["--dry-run"]);
    said.expect_exit(0).expect_answer(&["under Cloud Hypervisor 54.0.0, kvm", "--cmdline after=poweroff "]);
    for case in [1, 2, 4] {
        said.expect_answer(&[&format!("--cpus boot={case},topology=1:{case}:1:1 --memory size=128M ")]);
    }
}

#[test]
fn a_program_that_is_missing_or_another_is_named_with_what_to_do() {
    for (vmm, variable, banner) in VMMS {
        let stage = stage("QEMU emulator version 9.8.7");
        let other = said(&stage, vmm, variable, &["--dry-run"]);
        other.expect_exit(8).expect_message(&["`--version` printed", banner.split(" v").next().unwrap()]);
        let mut none = command(&stage, vmm, variable, &["--dry-run"]);
        let none = run(none.env(variable, "/nonexistent/vmm"), DEADLINE);
        none.expect_exit(8).expect_message(&["/nonexistent/vmm: no such program", variable, "/releases"]);
        let mut text = command(&stage, vmm, variable, &["--dry-run"]);
        let text = run(text.env(variable, stage.path("x.toml")), DEADLINE);
        text.expect_exit(8).expect_message(&["not an executable file", "chmod +x", variable]);
        // An empty variable is none: the name is looked up in PATH.
        let mut empty = command(&stage, vmm, variable, &["--dry-run"]);
        let empty = run(empty.env(variable, "").env("PATH", "/nonexistent"), DEADLINE);
        empty.expect_exit(8).expect_message(&[&format!("{vmm}: no such program")]);
    }
}

#[test]
fn what_only_qemu_has_is_refused_with_a_way_out() {
    for (vmm, variable, banner) in VMMS {
        let stage = stage(banner);
        let tcg = said(&stage, vmm, variable, &["--accel", "tcg"]);
        tcg.expect_exit(2).expect_message(&["--accel tcg", "by KVM only"]);
        let bios = said(&stage, vmm, variable, &["--systems", "assay-bios"]);
        bios.expect_exit(6).expect_message(&["assay-bios", "QEMU's BIOS"]);
        for firmware in ["bios", "uefi"] {
            stage.manifest("boot = \"direct\"", &format!("boot = \"{firmware}\""));
            let firmware = said(&stage, vmm, variable, &["--dry-run"]);
            firmware.expect_exit(6).expect_message(&["boot = \"direct\"", "--vmm qemu"]);
        }
        assert!(!stage.path("out").exists() && !stage.path("vmm.was-run").exists());
    }
}

#[test]
fn without_kvm_nothing_is_started() {
    if std::fs::OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok() {
        eprintln!("skipped: this host has /dev/kvm");
        return;
    }
    for (vmm, variable, banner) in VMMS {
        let stage = stage(banner);
        let refused = said(&stage, vmm, variable, &["--no-probe"]);
        refused.expect_exit(8).expect_message(&[
            "runs guests by KVM only",
            "/dev/kvm",
            "assay doctor",
            "--vmm qemu",
        ]);
        assert!(!stage.session().exists() && !stage.path("vmm.was-run").exists());
    }
}

#[test]
fn an_unknown_vmm_is_answered_with_the_known_ones() {
    let stage = Stage::with_qemu(DIES);
    let unknown = stage.run(&["--vmm", "xen"]);
    unknown.expect_exit(2).expect_message(&["expected one of qemu, firecracker, cloud-hypervisor"]);
}
