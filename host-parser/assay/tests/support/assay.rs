//! Runs the `assay` command as a user does, from the workspace's root, with a deadline.
#![allow(dead_code, reason = "each test program uses a part of this module")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// The root of the workspace. The products of `make build` are below it, in target/.
pub fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("the crate is in the workspace").to_owned()
}

/// The path of one of the tests' manifests.
pub fn manifest(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/manifests").join(name)
}

/// `assay` with these arguments and without the environment variables that it reads.
pub fn assay<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    for variable in [
        "ASSAY_QEMU",
        "ASSAY_FIRECRACKER",
        "ASSAY_CLOUD_HYPERVISOR",
        "ASSAY_QEMU_CPUS",
        "CAPOS_SMP_SCALE_QEMU_TASKSET_CPUS",
        "LINUX_SMP_SCALE_QEMU_TASKSET_CPUS",
        "LINUX_SMP_SCALE_KERNEL",
    ] {
        command.env_remove(variable);
    }
    command.current_dir(workspace()).args(args).stdin(Stdio::null());
    command
}

/// The exit code and the output of a command.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Fails, and shows the output, if the exit code is another.
    #[track_caller]
    pub fn expect_exit(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "\n--- stdout\n{}--- stderr\n{}", self.out, self.err);
        self
    }

    /// Fails if standard error lacks any of `parts`.
    #[track_caller]
    pub fn expect_message(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.err.contains(part), "no {part:?} in:\n{}", self.err);
        }
        self
    }

    /// Fails if standard output lacks any of `parts`.
    #[track_caller]
    pub fn expect_answer(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.out.contains(part), "no {part:?} in:\n{}", self.out);
        }
        self
    }
}

/// Runs a command to its end.
#[track_caller]
pub fn run(command: &mut Command, deadline: Duration) -> Said {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    finish(child.expect("assay can be started"), deadline)
}

/// Waits for the end of a command, and collects the streams that are pipes.
#[track_caller]
pub fn finish(child: Child, deadline: Duration) -> Said {
    let pid = pid(&child);
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(child.wait_with_output()));
    let Ok(output) = end.recv_timeout(deadline) else {
        signal(pid, Signal::KILL);
        panic!("still running after {deadline:?}");
    };
    let Output { status, stdout, stderr } = output.expect("the end of a child can be waited for");
    Said { code: status.code(), out: text(stdout), err: text(stderr) }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("assay prints UTF-8")
}

/// A child's process id.
pub fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Sends a signal to one process.
pub fn signal(pid: Pid, signal: Signal) {
    // An error means that the process has already ended.
    let _ = kill_process(pid, signal);
}
