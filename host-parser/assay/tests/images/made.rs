//! Images of the tests' small experiment, made once for all tests, and the programs that read them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use crate::assay::{assay, manifest, run};

const DEADLINE: Duration = Duration::from_secs(120);

/// A folder with all images, removed when dropped.
pub struct Made {
    folder: TempDir,
}

/// The images. The first call makes them.
pub fn images() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(Made::new)
}

impl Made {
    /// Makes all images, with a boot configuration that powers off after the run.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = assay(["image", "--set", "after=poweroff", "--out"]);
        run(command.arg(folder.path()).arg(manifest("small.toml")), DEADLINE).expect_exit(0);
        Self { folder }
    }

    /// The file or folder with this end of its name.
    pub fn path(&self, end: &str) -> PathBuf {
        self.folder.path().join(format!("small{end}"))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `disk.raw`, extracted from GCE's archive by GNU tar.
    pub fn gce_disk(&self) -> PathBuf {
        let folder = self.folder.path().join("gce");
        let disk = folder.join("disk.raw");
        if !disk.exists() {
            std::fs::create_dir_all(&folder).unwrap();
            let mut tar = Command::new("tar");
            let status = tar.arg("-xSzf").arg(self.path("-gce.tar.gz")).arg("-C").arg(&folder).status();
            assert!(status.unwrap().success());
        }
        disk
    }
}

/// Runs a reader that the distribution has in `package`, and returns its standard output. The reader must succeed and
/// print each of `parts`. `None` if the reader is not installed.
#[track_caller]
pub fn reader(package: &str, command: &mut Command, parts: &[&str]) -> Option<Vec<u8>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = match command.env("LC_ALL", "C").output() {
        Ok(output) => output,
        Err(error) => {
            let all = std::env::var_os("ASSAY_IMAGE_READERS").is_some_and(|which| which == "all");
            assert!(!all, "{name} (package {package}): {error}");
            eprintln!("skipped: {name} is not installed (package {package})");
            return None;
        }
    };
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    for part in parts {
        assert!(said.contains(part), "{command:?}: no {part:?} in:\n{said}");
    }
    Some(output.stdout)
}
