//! Runs a program in an L1 guest.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use host::CancelToken;
use host::process::Process;
use l1_init::{JOB, Job};

use super::watch::watch;
use super::{HostKernel, L1End, NestedError, Tree, add_qemu};
use crate::Qemu;
use crate::process::launcher;

/// The CPUs of L1.
const CPUS: &str = "3";
/// L1's memory: the initramfs twice while it is unpacked, and guests of up to half a GiB.
const MEMORY_MIB: &str = "2048";
/// `quiet` and `loglevel` keep Linux's messages out of the program's lines; `panic=-1` ends L1 with a panic.
const COMMAND_LINE: &str = "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off tsc=reliable nokaslr";
/// Where the modules are in L1.
const MODULES: &str = "/l1-modules";

/// An L1 guest: its kernel, its files, and what its guests run under.
#[derive(Clone, Debug)]
pub struct L1 {
    /// The QEMU that runs L1, and in it L1's guests.
    pub qemu: Qemu,
    /// L1's kernel.
    pub kernel: HostKernel,
    tree: Tree,
}

/// A program to run in L1.
#[derive(Clone, Debug)]
pub struct L1Spec<'a> {
    /// The program, by an absolute path in L1, and its arguments.
    pub program: Vec<String>,
    /// The folder in which it starts.
    pub folder: &'a Path,
    /// Variables, besides `PATH`, `HOME` and `NO_COLOR`.
    pub variables: Vec<(String, String)>,
    /// The longest time for the program.
    pub deadline: Duration,
    /// Where the initramfs is written, some 120 MB. It is removed again.
    pub initramfs: &'a Path,
}

impl L1 {
    /// An L1 guest with `qemu`, the init program at `init` and the files of `tree`.
    ///
    /// # Errors
    /// A file of QEMU or the init cannot be found or read.
    pub fn new(qemu: Qemu, kernel: HostKernel, init: &Path, mut tree: Tree) -> Result<Self, NestedError> {
        add_qemu(&mut tree, &qemu.path)?;
        tree.add_at(Path::new("/init"), init);
        for folder in ["/dev", "/proc", "/sys", "/tmp", "/var/tmp"] {
            tree.add_folder(Path::new(folder));
        }
        for (module, path) in modules_in_l1(&kernel) {
            tree.add_at(Path::new(&path), module);
        }
        Ok(Self { qemu, kernel, tree })
    }

    /// Runs a program, and passes each line that it prints to `on_line`.
    ///
    /// # Errors
    /// L1 cannot be started.
    pub fn run(
        &self,
        spec: &L1Spec<'_>,
        cancel: &CancelToken,
        on_line: &mut dyn FnMut(&str),
    ) -> Result<L1End, NestedError> {
        let mut tree = self.tree.clone();
        let job = self.job(spec).text().map_err(|value| NestedError::LineEnd { value })?;
        tree.add_bytes(JOB, job.into_bytes());
        tree.add_folder(spec.folder);
        let _file = Removed(spec.initramfs);
        tree.write(spec.initramfs)?;
        let started = |source| NestedError::Helper {
            doing: format!("starting {}", self.qemu.path.display()),
            detail: std::io::Error::to_string(&source),
        };
        let mut command = launcher(&self.qemu.path);
        command.args(self.arguments(spec.initramfs)).stdin(Stdio::null()).stdout(Stdio::piped());
        let process = Process::spawn(&mut command).map_err(started)?;
        watch(process, spec.deadline, cancel, on_line).map_err(started)
    }

    /// As [`Self::run`], and once more if L1 itself breaks. `on_break` gets the reason.
    ///
    /// # Errors
    /// L1 cannot be started.
    pub fn run_with_retry(
        &self,
        spec: &L1Spec<'_>,
        cancel: &CancelToken,
        on_line: &mut dyn FnMut(&str),
        on_break: &mut dyn FnMut(&str),
    ) -> Result<L1End, NestedError> {
        match self.run(spec, cancel, on_line)? {
            L1End::Broken(why) => on_break(&why),
            end => return Ok(end),
        }
        self.run(spec, cancel, on_line)
    }

    fn job(&self, spec: &L1Spec<'_>) -> Job {
        let fixed = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/tmp"), ("NO_COLOR", "1")];
        let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Job {
            modules: modules_in_l1(&self.kernel).map(|(_, path)| path).collect(),
            folder: spec.folder.to_string_lossy().into_owned(),
            variables: fixed.into_iter().chain(spec.variables.iter().cloned()).collect(),
            holder: self.holder(),
            program: spec.program.clone(),
        }
    }

    /// The command of a guest that never runs.
    fn holder(&self) -> Vec<String> {
        const STOPPED: &str =
            "-S -nodefaults -no-user-config -display none -machine pc -accel kvm -cpu host -m 16";
        let arguments = STOPPED.split(' ').map(str::to_owned);
        std::iter::once(self.qemu.path.to_string_lossy().into_owned()).chain(arguments).collect()
    }

    fn arguments(&self, initramfs: &Path) -> Vec<OsString> {
        const MACHINE: &str = "-nodefaults -no-user-config -no-reboot -display none -machine q35 \
                               -accel tcg,thread=multi -cpu max,+svm,+npt -chardev stdio,id=console,signal=off \
                               -serial chardev:console";
        let mut arguments: Vec<OsString> = MACHINE.split_whitespace().map(OsString::from).collect();
        arguments.extend(["-smp", CPUS, "-m", MEMORY_MIB, "-append", COMMAND_LINE].map(OsString::from));
        arguments.extend(["-kernel".into(), self.kernel.kernel.path.clone().into_os_string()]);
        arguments.extend(["-initrd".into(), initramfs.as_os_str().to_owned()]);
        arguments
    }
}

/// Each module with its path in L1.
fn modules_in_l1(kernel: &HostKernel) -> impl Iterator<Item = (&PathBuf, String)> {
    kernel.modules.iter().map(|module| {
        (module, format!("{MODULES}/{}", module.file_name().unwrap_or_default().to_string_lossy()))
    })
}

/// A file that is removed in the end.
struct Removed<'a>(&'a Path);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0);
    }
}
