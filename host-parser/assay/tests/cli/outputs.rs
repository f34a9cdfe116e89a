//! Outputs without a reader or without room.

use std::fs;
use std::io::pipe;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::assay::{assay, finish, pid, run, signal};
use crate::stage::{DEADLINE, DIES, Stage, good_log};

/// Runs `assay parse` with this standard output.
fn parse_into(out: Stdio) -> crate::assay::Said {
    let mut command = assay(["parse"]);
    let child = command.arg(good_log()).stdout(out).stderr(Stdio::piped()).spawn();
    finish(child.unwrap(), DEADLINE)
}

#[test]
fn reports_that_standard_output_is_full() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    parse_into(full.into())
        .expect_exit(9)
        .expect_message(&["standard output: cannot write", "No space left"]);
}

#[test]
fn succeeds_if_the_reader_has_gone() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let said = parse_into(writer.into());
    said.expect_exit(0);
    assert_eq!(said.err, "");
}

#[test]
fn keeps_the_results_if_the_terminal_has_gone() {
    let stage = Stage::with_qemu(DIES);
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut command = stage.command(&[]);
    let child = command.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
    finish(child, DEADLINE).expect_exit(5);
    assert!(stage.session().join("results.json").exists());
}

#[test]
fn names_a_folder_that_cannot_be_created() {
    let stage = Stage::with_qemu(DIES);
    fs::write(stage.path("out"), "a file").unwrap();
    stage.run(&[]).expect_exit(9).expect_message(&["/out: cannot create"]);
    let mut command = assay(["parse", "--out", "/dev/null/x"]);
    run(command.arg(good_log()), DEADLINE).expect_exit(9).expect_message(&["/dev/null/x"]);
}

/// A small tmpfs, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` if this process may not mount one.
    fn mount(at: PathBuf) -> Option<Self> {
        fs::create_dir(&at).unwrap();
        let mut mount = Command::new("mount");
        let output = mount.args(["-t", "tmpfs", "-o", "size=64k", "none"]).arg(&at).output().ok()?;
        output.status.success().then_some(Self(at))
    }

    /// Fills the disk until only `bytes` are free.
    fn leave(&self, bytes: usize) {
        let filler = self.0.join("filler");
        let mut size = 64 << 10;
        while fs::write(&filler, vec![0; size]).is_err() {
            size -= 4 << 10;
        }
        fs::write(&filler, vec![0; size.saturating_sub(bytes)]).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Nothing can be done if this fails: the mount then stays until the machine stops.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_has_its_own_exit_code_at_every_write() {
    let mut struck = Vec::new();
    for pages in 0..16 {
        let stage = Stage::with_qemu(DIES);
        let Some(disk) = SmallDisk::mount(stage.path("out")) else {
            eprintln!("skipped: no file system can be mounted here");
            return;
        };
        disk.leave(pages << 12);
        let said = stage.run(&[]);
        if said.code == Some(5) {
            break;
        }
        said.expect_exit(9).expect_message(&["No space left on device"]);
        struck.push(said.err);
    }
    for file in [".tar", "results.json"] {
        assert!(struck.iter().any(|err| err.contains(file)), "never at {file}: {struck:#?}");
    }
}

#[test]
fn a_signal_ends_the_image_tool_too() {
    let stage = Stage::with_qemu(DIES);
    stage.manifest("boot = \"direct\"", "boot = \"bios\"");
    stage.script("tool", "echo > \"$0.at-work\"; sleep 1000");
    let tool = stage.path("tool");
    Command::new("mkfifo").arg(stage.path("tool.at-work")).status().unwrap();
    let mut command = stage.command(&["--image-tool", tool.to_str().unwrap()]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Blocks until the tool has opened the FIFO too.
    fs::read(stage.path("tool.at-work")).unwrap();
    signal(pid(&child), rustix::process::Signal::INT);
    finish(child, DEADLINE).expect_exit(130).expect_message(&["interrupted while it built the image"]);
    assert!(!stage.session().exists(), "nothing was measured");
}
