//! Runs the `assay` command, and reads a session's results.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use host::process::{Capture, End, Process};
use host::{CpuSet, Root};
use serde_json::Value;

const ASSAY: &str = "target/release/assay";
const OUTPUT_BYTES: usize = 4 << 20;
/// What QEMU's translator names its CPUs.
const EMULATED: &str = "QEMU TCG CPU";

/// `assay` with arguments.
pub struct Assay(Command);

impl Assay {
    /// The command, without the variables that it reads.
    pub fn new<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Self {
        let mut command = Command::new(ASSAY);
        for variable in ["ASSAY_QEMU", "ASSAY_QEMU_CPUS", "CAPOS_SMP_SCALE_QEMU_TASKSET_CPUS"] {
            command.env_remove(variable);
        }
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    /// One argument more.
    pub fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.0.arg(word);
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It cannot be started, or does not end in time.
    pub fn run(mut self, deadline: Duration) -> Result<Said> {
        let process = Process::spawn(&mut self.0).context(ASSAY)?;
        let capture = Capture { deadline, limit_bytes: OUTPUT_BYTES, cancel: None };
        let captured = capture.run(process, &mut |_, _| ())?;
        let out = String::from_utf8_lossy(&captured.output).into_owned();
        let End::Itself(status) = captured.end else {
            bail!("assay had not ended after {deadline:?}\n{out}{}", captured.stderr)
        };
        Ok(Said { code: status.code(), out, err: captured.stderr })
    }
}

/// What a command said, and its exit code.
pub struct Said {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// # Errors
    /// Another exit code.
    pub fn expect_exit(&self, code: i32) -> Result<()> {
        ensure!(
            self.code == Some(code),
            "exit code {:?}, expected {code}\n{}{}",
            self.code,
            self.out,
            self.err
        );
        Ok(())
    }
}

/// results.json of the session EXPERIMENT/LABEL below `out`.
///
/// # Errors
/// There is none.
pub fn results(out: &Path, experiment: &str, label: &str) -> Result<Value> {
    let path = out.join(experiment).join(label).join("results.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// Whether this host's CPUs are emulated: it is an L1 guest.
pub fn is_nested() -> bool {
    Root::here().text("/proc/cpuinfo").unwrap_or_default().contains(EMULATED)
}

/// Two CPUs for guests. The first of three or more is left to the tool.
///
/// # Errors
/// There is one CPU only.
pub fn two_cpus() -> Result<[usize; 2]> {
    let mut cpus: Vec<usize> = CpuSet::allowed()?.iter().collect();
    if cpus.len() > 2 {
        cpus.remove(0);
    }
    let [a, b, ..] = cpus.as_slice() else { bail!("one CPU: two are needed") };
    Ok([*a, *b])
}
