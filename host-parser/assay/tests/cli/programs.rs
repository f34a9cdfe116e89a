//! Programs and files that are missing, too old or broken, and programs that hang.

use std::fs;

use serde_json::Value;

use crate::assay::{assay, run};
use crate::stage::{DEADLINE, DIES, Stage};

fn results(stage: &Stage) -> Value {
    serde_json::from_str(&fs::read_to_string(stage.session().join("results.json")).unwrap()).unwrap()
}

#[test]
fn names_a_qemu_that_is_missing_too_old_or_broken() {
    let stage = Stage::with_qemu(DIES);
    stage.run(&["--qemu", "/nonexistent"]).expect_exit(8).expect_message(&["/nonexistent: no such program"]);
    for (says, message) in [
        ("echo 'QEMU emulator version 6.2.0'", "version 6.2.0 is too old, expected 7.0.0"),
        ("echo 'libfdt.so.1: not found' >&2; exit 127", "libfdt"),
    ] {
        stage.script("qemu", says);
        stage.run(&[]).expect_exit(8).expect_message(&[message]);
    }
}

#[test]
fn takes_qemu_from_the_environment_unless_an_option_names_one() {
    let stage = Stage::with_qemu(DIES);
    let mut given = stage.command(&["--dry-run"]);
    run(given.env("ASSAY_QEMU", "/nonexistent"), DEADLINE).expect_exit(0);
    // An empty variable is one that is not set: then it is the QEMU in PATH.
    let mut empty = assay(["run", "--dry-run"]);
    let said = run(empty.env("ASSAY_QEMU", "").env("PATH", "/nowhere").arg(stage.path("x.toml")), DEADLINE);
    said.expect_exit(8).expect_message(&["qemu-system-x86_64"]);
    let mut not_given = assay(["run", "--dry-run"]);
    let said = run(not_given.env("ASSAY_QEMU", "/nonexistent").arg(stage.path("x.toml")), DEADLINE);
    said.expect_exit(8).expect_message(&["/nonexistent"]);
}

#[test]
fn stops_after_a_qemu_that_fails_to_start_and_keeps_its_message() {
    let stage = Stage::with_qemu(DIES);
    let said = stage.run(&[]);
    said.expect_exit(5).expect_answer(&[
        "qemu-failed",
        "cannot set up guest memory",
        "INCOMPLETE",
        "QEMU failed",
    ]);
    let results = results(&stage);
    assert_eq!(results["runs"].as_array().unwrap().len(), 1);
    assert_eq!(results["runs"][0]["reason"], "qemu-failed");
}

#[test]
fn blames_qemu_if_it_hangs_before_the_guest_starts() {
    let stage = Stage::with_qemu("sleep 1000");
    stage.manifest(
        "boot-seconds = 60\nworker-seconds = 60\nrun-seconds = 150",
        "boot-seconds = 1\nworker-seconds = 1\nrun-seconds = 2",
    );
    let said = stage.run(&[]);
    said.expect_exit(5).expect_answer(&["qemu-failed", "hung before it started the guest"]);
}

#[test]
fn names_a_qemu_that_does_not_speak_qmp() {
    let stage = Stage::with_qemu("echo 'login:' >&0; sleep 1000");
    stage.run(&[]).expect_exit(8).expect_message(&["qmp", "login:"]);
}

#[test]
fn names_a_kernel_or_worker_that_is_not_built_and_how_to_build_it() {
    let stage = Stage::with_qemu(DIES);
    let said = stage.run(&["--kernel", "/nonexistent"]);
    said.expect_exit(8).expect_message(&["kernel /nonexistent", "make build"]);
    let said = stage.run(&["--workers", "/nonexistent"]);
    said.expect_exit(8).expect_message(&["/nonexistent/primes", "make workers"]);
}

#[test]
fn names_a_kernel_or_worker_that_is_not_an_elf_file() {
    let stage = Stage::with_qemu(DIES);
    fs::write(stage.path("kernel"), "text").unwrap();
    stage.run(&[]).expect_exit(8).expect_message(&["kernel", "not an ELF file"]);
    stage
        .run(&["--kernel", "/bin/true"])
        .expect_exit(8)
        .expect_message(&["kernel /bin/true", "no PVH entry"]);
    stage.run(&["--kernel", "/tmp"]).expect_exit(8).expect_message(&["kernel /tmp", "cannot be read"]);
    stage
        .run(&["--kernel", "/dev/null"])
        .expect_exit(8)
        .expect_message(&["kernel /dev/null", "not an ELF file"]);
    stage.static_program("kernel");
    let mut of_arm = fs::read(stage.path("kernel")).unwrap();
    // e_machine: EM_AARCH64.
    of_arm[18] = 183;
    fs::write(stage.path("kernel"), of_arm).unwrap();
    stage.run(&[]).expect_exit(8).expect_message(&["another machine", "x86-64"]);
    let stage = Stage::with_qemu(DIES);
    fs::write(stage.path("workers/primes"), "text").unwrap();
    stage.run(&[]).expect_exit(8).expect_message(&["workers/primes", "not an ELF file"]);
}

#[test]
fn shows_the_message_of_an_image_tool_that_fails() {
    let stage = Stage::with_qemu(DIES);
    stage.manifest("boot = \"direct\"", "boot = \"bios\"");
    let tool = stage.path("tool");
    let options = ["--image-tool", tool.to_str().unwrap()];
    stage.run(&options).expect_exit(8).expect_message(&["image tool", "make image-tool"]);
    stage.script("tool", "echo 'assay-image: the ramdisk is empty' >&2; exit 1");
    stage.run(&options).expect_exit(8).expect_message(&["the ramdisk is empty"]);
    stage.script("tool", "echo 'assay-image: x.img: No space left on device (os error 28)' >&2; exit 1");
    stage.run(&options).expect_exit(9).expect_message(&["No space left"]);
    stage.script("tool", "exit 0");
    stage.run(&options).expect_exit(8).expect_message(&["was not written"]);
    assert!(!stage.session().exists(), "the label must stay free for the next try");
}
