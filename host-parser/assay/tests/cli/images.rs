//! `assay image`: its calls of the image tool, and its errors.

use std::fs;
use std::process::Command;

use crate::assay::{Said, assay, run};
use crate::stage::{DEADLINE, Stage};

/// An image tool that writes each file with the name of its option as content.
pub const WRITES: &str = r#"
while [ $# -gt 0 ]; do
    case "$1" in
        --kernel) ;;
        --ramdisk) cp "$2" "$0.ramdisk" ;;
        --tftp) mkdir -p "$2" && echo "$1" > "$2/bootloader" ;;
        *) echo "$1" > "$2" ;;
    esac
    shift 2
done"#;

/// A stage whose image tool is this script.
pub fn stage(tool: &str) -> Stage {
    let stage = Stage::with_qemu("exit 1");
    stage.script("tool", tool);
    stage
}

pub fn image(stage: &Stage, options: &[&str]) -> Command {
    let mut command = assay(["image"]);
    for (option, name) in
        [("--kernel", "kernel"), ("--workers", "workers"), ("--image-tool", "tool"), ("--out", "out")]
    {
        if !options.contains(&option) {
            command.arg(option).arg(stage.path(name));
        }
    }
    command.args(options).arg(stage.path("x.toml"));
    command
}

#[track_caller]
fn said(stage: &Stage, options: &[&str]) -> Said {
    run(&mut image(stage, options), DEADLINE)
}

#[test]
fn makes_every_form_and_lists_its_size_and_sum() {
    let stage = stage(WRITES);
    let made = said(&stage, &[]);
    made.expect_exit(0).expect_answer(&["smp-process-scale.iso", " 6  ", "after=linger:600", "EC2"]);
    let sums = fs::read_to_string(stage.path("out/SHA256SUMS")).unwrap();
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        let content = fs::read(stage.path("out").join(name)).unwrap();
        assert_eq!(abi::Digest::of(&content).to_string(), sum);
        assert!(made.out.contains(name) && made.out.contains(sum), "{name} is not in\n{}", made.out);
    }
    assert_eq!(sums.lines().count(), 11, "{sums}");
}

#[test]
fn makes_only_the_requested_forms() {
    let stage = stage(WRITES);
    said(&stage, &["--format", "iso,ec2"]).expect_exit(0);
    let mut names: Vec<_> =
        fs::read_dir(stage.path("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["SHA256SUMS", "smp-process-scale.iso", "smp-process-scale.raw"]);
}

#[test]
fn names_an_unknown_form_and_lists_the_known_ones() {
    let said = said(&stage(WRITES), &["--format", "iso,floppy"]);
    said.expect_exit(2).expect_message(&["floppy", "possible values", "azure", "qcow2"]);
}

#[test]
fn puts_settings_into_the_ramdisk_and_refuses_wrong_ones() {
    let stage = stage(WRITES);
    said(&stage, &["--format", "iso", "--set", "serial=com2", "--set", "after=reboot"])
        .expect_exit(0)
        .expect_answer(&["serial=com2 after=reboot"]);
    let ramdisk = fs::read(stage.path("tool.ramdisk")).unwrap();
    let text = String::from_utf8_lossy(&ramdisk);
    assert!(text.contains("serial=com2\n") && text.contains("after=reboot\n"), "{text}");
    assert!(!text.contains("after=linger:600"), "{text}");
    for wrong in ["after=never", "colour=green", "serial"] {
        said(&stage, &["--set", wrong]).expect_exit(2).expect_message(&[wrong, "expected"]);
    }
}

#[test]
fn names_a_folder_that_cannot_be_created() {
    let stage = stage(WRITES);
    fs::write(stage.path("out"), "a file").unwrap();
    said(&stage, &[]).expect_exit(9).expect_message(&["out"]);
    said(&stage, &["--out", "/dev/null/x"]).expect_exit(9).expect_message(&["/dev/null/x"]);
}

#[test]
fn a_full_disk_has_its_own_exit_code_and_leaves_no_file() {
    let full = "echo 'assay-image: x.iso: No space left on device (os error 28)' >&2; exit 1";
    let stage = stage(full);
    said(&stage, &["--format", "iso"]).expect_exit(9).expect_message(&["No space left on device"]);
    assert_eq!(fs::read_dir(stage.path("out")).unwrap().count(), 0);
}

#[test]
fn shows_the_message_of_an_image_tool_that_fails() {
    let stage = stage("echo 'assay-image: qemu-img is not installed' >&2; exit 1");
    said(&stage, &[]).expect_exit(8).expect_message(&["qemu-img is not installed"]);
    stage.script("tool", "exit 0");
    said(&stage, &[]).expect_exit(8).expect_message(&["was not written"]);
    said(&stage, &["--image-tool", "/nonexistent"]).expect_exit(8).expect_message(&["make image-tool"]);
    said(&stage, &["--kernel", "/nonexistent"])
        .expect_exit(8)
        .expect_message(&["kernel /nonexistent", "make build"]);
}

#[test]
fn names_an_invalid_manifest() {
    let stage = stage(WRITES);
    stage.manifest("rounds = 7", "rounds = 0");
    said(&stage, &[]).expect_exit(7).expect_message(&["x.toml", "rounds"]);
}

#[test]
fn an_image_runs_every_iteration_of_every_round() {
    let stage = stage(WRITES);
    let plan = || String::from_utf8_lossy(&fs::read(stage.path("tool.ramdisk")).unwrap()).into_owned();
    said(&stage, &["--format", "iso"]).expect_exit(0).expect_answer(&["runs each case 7 times"]);
    assert!(plan().contains("case workers=2 iterations=7 "), "{}", plan());
    stage.manifest("workers = [1, 2, 4]", "workers = [1, 2, 4]\niterations = 5");
    let note = "runs each case 35 times: 5 iterations in each of 7 rounds";
    said(&stage, &["--format", "iso"]).expect_exit(0).expect_answer(&[note]);
    assert!(plan().contains("case workers=2 iterations=35 "), "{}", plan());
    let many = fs::read_to_string(stage.path("x.toml")).unwrap();
    let many =
        many.replacen("rounds = 7", "rounds = 1000", 1).replacen("iterations = 5", "iterations = 100", 1);
    fs::write(stage.path("x.toml"), many).unwrap();
    said(&stage, &[]).expect_exit(7).expect_message(&["1000 rounds of 100 iterations", "65535"]);
}
