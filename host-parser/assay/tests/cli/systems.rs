//! `--systems`: which systems run the workers, and what each needs.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::assay::{Said, run, workspace};
use crate::stage::{DEADLINE, DIES, Stage};

const KERNEL: &str = "LINUX_SMP_SCALE_KERNEL";
const OURS: &str = "CAPOS_SMP_SCALE_QEMU_TASKSET_CPUS";
const LINUX: &str = "LINUX_SMP_SCALE_QEMU_TASKSET_CPUS";

/// A stage that also has what the Linux guest and the native row need.
fn stage(qemu: &str) -> Stage {
    let stage = Stage::with_qemu(qemu);
    stage.static_program("twin");
    fs::write(stage.path("bzImage"), bzimage()).unwrap();
    stage
}

/// The parts of a kernel image that are checked: both magic numbers, protocol version, loaded high, 64 bits.
fn bzimage() -> Vec<u8> {
    let mut file = vec![0; 0x300];
    file[0x1fe..0x208].copy_from_slice(b"\x55\xaa\0\0HdrS\x0f\x02");
    (file[0x211], file[0x236]) = (1, 1);
    file
}

#[test]
fn refuses_invalid_lists_of_systems() {
    let stage = stage(DIES);
    for (systems, what) in [
        ("windows", &["--systems", "windows", "expected one of assay, assay-bios, linux"][..]),
        ("", &["--systems", "expected one of"]),
        ("assay,,native", &["--systems", "expected one of"]),
        ("native,assay,native", &["--systems: native is named twice"]),
    ] {
        stage.run(&["--systems", systems]).expect_exit(2).expect_message(what);
    }
    stage.manifest("boot = \"direct\"", "boot = \"bios\"");
    let said = stage.run(&["--systems", "assay,assay-bios"]);
    said.expect_exit(2).expect_message(&["assay-bios needs a manifest with boot = \"direct\", not \"bios\""]);
    assert!(!stage.path("out").exists());
}

#[test]
fn names_what_a_system_lacks() {
    let stage = stage(DIES);
    for systems in ["native", "linux", "assay,linux-mitigations-off"] {
        with_kernel(&stage, systems, "gone", "bzImage").expect_exit(8).expect_message(&[
            "twin",
            "gone",
            "make twin",
        ]);
    }
    with_kernel(&stage, "linux", "twin", "gone")
        .expect_exit(8)
        .expect_message(&[KERNEL, "gone: No such file"]);
    with_kernel(&stage, "linux", "twin", "x.toml")
        .expect_exit(8)
        .expect_message(&[KERNEL, "x.toml: not a bzImage"]);
    with_kernel(&stage, "linux", "x.toml", "bzImage")
        .expect_exit(8)
        .expect_message(&["not an ELF file", "make twin"]);
    stage.manifest("memory-mib = 128", "memory-mib = 64");
    with_kernel(&stage, "linux", "twin", "bzImage")
        .expect_exit(6)
        .expect_message(&["memory-mib = 64", "at least 128"]);
    assert!(!stage.path("out").exists());
}

/// Runs these systems with files of the stage as twin and as Linux kernel.
fn with_kernel(stage: &Stage, systems: &str, twin: &str, kernel: &str) -> Said {
    let mut command = stage.command(&["--systems", systems, "--twin", stage.path(twin).to_str().unwrap()]);
    run(command.env(KERNEL, stage.path(kernel)), DEADLINE)
}

#[test]
fn guests_differ_only_in_the_kernel_they_boot() {
    let stage = stage(DIES);
    let twin = stage.path("twin");
    let systems = [
        "--systems",
        "native,linux-tuned,linux-mitigations-off,linux,assay",
        "--twin",
        twin.to_str().unwrap(),
    ];
    let mut command = stage.command(&[&systems[..], &["--dry-run", "--rounds", "1"]].concat());
    let said = run(command.env(KERNEL, stage.path("bzImage")), DEADLINE);
    said.expect_exit(0);
    let (work, ours) = work_and_command(&said, "assay");
    let tuned = "panic=-1 no_timer_check isolcpus=domain,managed_irq,1 nohz_full=1 rcu_nocbs=0-1 irqaffinity=0 \
                 nowatchdog cpuidle.off=1 assay.tuned'";
    for (system, append) in [
        ("linux", "panic=-1 no_timer_check'"),
        ("linux-mitigations-off", "panic=-1 no_timer_check mitigations=off'"),
        ("linux-tuned", tuned),
    ] {
        let (its_work, line) = work_and_command(&said, system);
        assert_eq!((its_work, envelope(line)), (work, envelope(ours)));
        assert!(line.contains("bzImage") && line.ends_with(append), "{line}");
    }
    let (its_work, line) = work_and_command(&said, "native");
    assert_eq!(its_work, work);
    assert!(line.starts_with(&format!("{} native --ramdisk ", twin.display())), "{line}");
    let order = said.out.lines().find_map(|line| line.strip_prefix("# 1:")).unwrap();
    assert_eq!(order.split(' ').count(), 5 * 3, "{order}");
    assert!(!stage.path("out").exists());
}

/// The digest of the work of case 2 and the command that runs it, as a dry run prints them.
fn work_and_command<'a>(said: &'a Said, system: &str) -> (&'a str, &'a str) {
    let head = format!("# {system}, case 2, work ");
    let mut lines = said.out.lines().skip_while(|line| !line.starts_with(&head));
    (&lines.next().unwrap()[head.len()..], lines.next().unwrap())
}

/// The part of a QEMU command before the kernel.
fn envelope(command: &str) -> &str {
    command.split(" -kernel ").next().unwrap()
}

#[test]
fn refuses_different_host_cpus_for_two_systems() {
    let stage = stage(DIES);
    let cpu = host::CpuSet::allowed().unwrap().iter().next().unwrap().to_string();
    let pinned_by = |name: &str| format!("pinned to host CPUs {cpu} by {name}\n");
    dry_run(&stage, "assay,linux", &[], &cpu, "1023").expect_exit(2).expect_message(&[
        OURS,
        LINUX,
        "cannot be compared",
    ]);
    dry_run(&stage, "assay,linux", &[], &cpu, &cpu).expect_exit(0).expect_answer(&[&pinned_by(OURS)]);
    dry_run(&stage, "assay,linux", &[], "", &cpu).expect_exit(0).expect_answer(&[&pinned_by(LINUX)]);
    dry_run(&stage, "assay,linux", &["--cpus", &cpu], "?", "?")
        .expect_exit(0)
        .expect_answer(&[&pinned_by("--cpus")]);
    dry_run(&stage, "linux", &[], "?", &cpu).expect_exit(0).expect_answer(&[&pinned_by(LINUX)]);
    dry_run(&stage, "linux,native", &[], &cpu, "").expect_exit(0).expect_answer(&[&pinned_by(OURS)]);
    // Without a Linux guest, the variable for Linux is not read.
    dry_run(&stage, "assay,native", &[], &cpu, "?").expect_exit(0).expect_answer(&[&pinned_by(OURS)]);
}

/// A dry run of these systems with this option, and these values of our variable and of Linux's.
fn dry_run(stage: &Stage, systems: &str, option: &[&str], ours: &str, linux: &str) -> Said {
    let twin = stage.path("twin");
    let fixed = ["--dry-run", "--twin", twin.to_str().unwrap(), "--systems", systems];
    let mut command = stage.command(&[&fixed[..], option].concat());
    command.env(KERNEL, stage.path("bzImage"));
    run(command.env(OURS, ours).env(LINUX, linux), DEADLINE)
}

#[test]
fn stops_after_a_twin_that_fails_and_keeps_its_message() {
    let stage = stage(DIES);
    stage.script("twin", "echo 'cannot open the ramdisk' >&2; exit 2");
    let twin = stage.path("twin");
    let said = stage.run(&["--systems", "native", "--twin", twin.to_str().unwrap()]);
    said.expect_exit(5).expect_answer(&["exit status: 2: cannot open the ramdisk", "the twin failed"]);
    let results = fs::read_to_string(stage.session().join("results.json")).unwrap();
    let results: Value = serde_json::from_str(&results).unwrap();
    let run = &results["runs"][0];
    assert_eq!((&run["system"], &run["outcome"]), (&"native".into(), &"invalid".into()));
    assert_eq!(run["command"][1], "native");
}

#[test]
fn the_script_for_harnesses_prints_its_usage() {
    let script = workspace().join("qemu/run-linux-smp-process-scale.sh");
    run(Command::new(script).arg("--help"), DEADLINE).expect_exit(0).expect_answer(&[KERNEL, OURS, LINUX]);
}
