//! Finds the commit that the tool is built from: the variable ASSAY_COMMIT, else git's, else `unknown`.
//!
//! The script runs again if the commit or a source of the tool changes. A change of a source builds this crate again
//! anyway, so a build without a change does nothing.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the tool is built from, below the root of the workspace.
const SOURCES: [&str; 26] = [
    "Cargo.lock",
    "Cargo.toml",
    "abi/Cargo.toml",
    "abi/src",
    "host-parser/assay/Cargo.toml",
    "host-parser/assay/build.rs",
    "host-parser/assay/src",
    "host-parser/evidence/Cargo.toml",
    "host-parser/evidence/src",
    "host-parser/experiment/Cargo.toml",
    "host-parser/experiment/src",
    "host-parser/host/Cargo.toml",
    "host-parser/host/src",
    "host-parser/judging/Cargo.toml",
    "host-parser/judging/src",
    "host-parser/lab/Cargo.toml",
    "host-parser/lab/src",
    "host-parser/report/Cargo.toml",
    "host-parser/report/src",
    "host-parser/results/Cargo.toml",
    "host-parser/results/src",
    "host-parser/stats/src",
    "qemu/Cargo.toml",
    "qemu/src",
    "rust-toolchain.toml",
    "user-workers/reference/src",
];

/// How many digits of a commit are shown.
const DIGITS: usize = 12;

fn main() {
    println!("cargo::rerun-if-env-changed=ASSAY_COMMIT");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."));
    for source in SOURCES.map(|source| root.join(source)).iter().filter(|source| source.exists()) {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    let given = env::var("ASSAY_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(|| of_git(root)).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=ASSAY_BUILT_FROM={commit}");
}

/// The commit that is checked out at `root`, and whether a source of the tool differs from it. `None` without git, or if
/// `root` is no checkout of its own: a copy inside another repository is not built from that one's commit.
fn of_git(root: &Path) -> Option<String> {
    let top = PathBuf::from(git(root, &["rev-parse", "--show-toplevel"])?);
    (top.canonicalize().ok()? == root.canonicalize().ok()?).then_some(())?;
    // The log of HEAD changes with every commit and every checkout; a repository that keeps none has HEAD and its branches.
    for name in ["HEAD", "logs/HEAD", "packed-refs", "refs/heads"] {
        let path = root.join(git(root, &["rev-parse", "--git-path", name])?);
        if path.exists() && (name != "refs/heads" || !root.join(".git/logs/HEAD").exists()) {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    let commit = git(root, &["rev-parse", "--verify", "HEAD"])?;
    let mut status = vec!["--no-optional-locks", "status", "--porcelain", "--"];
    status.extend(SOURCES);
    let dirty = if git(root, &status)?.is_empty() { "" } else { " dirty" };
    Some(format!("{}{dirty}", commit.get(..DIGITS)?))
}

/// The output of a git command that succeeds.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.trim_end().to_owned())
}
