//! Fetches the distribution's cloud kernel with its package tools. This needs no root, and apt checks the signature.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{LinuxError, Origin};
use crate::file_error::FileError;
use crate::nested::kernel::{MODULES, module_in, modules_of};

/// Debian's name for its newest kernel for virtual machines. The package of that name holds nothing but a dependency.
const NEWEST: &str = "linux-image-cloud-amd64";
/// The package has 27 MB; a mirror that takes longer than this counts as unreachable.
const PATIENCE_SECONDS: &str = "300";

/// Fetches the kernel into `store`, an absolute path; returns where it is.
///
/// # Errors
/// [`LinuxError::Fetch`] with the tool's message.
pub fn fetch(store: &Path) -> Result<(PathBuf, Origin), LinuxError> {
    let shown = run("apt-cache", &["show", "--no-all-versions", NEWEST], store)?;
    let (package, version) = dependency(&shown)
        .ok_or_else(|| failed(format!("apt-cache show {NEWEST}"), "names no kernel package".to_owned()))?;
    let wanted = format!("{package}={version}");
    run("apt-get", &["download", "--quiet", &wanted], store)?;
    // apt writes the version's colon as %3a; there is one file of this package, whatever its exact name.
    let archive = newest_file(store, &format!("{package}_"), ".deb")
        .ok_or_else(|| failed(format!("apt-get download {wanted}"), "left no file".to_owned()))?;
    let tree = store.join("tree");
    let unpacked = run("dpkg-deb", &[OsStr::new("-x"), archive.as_os_str(), tree.as_os_str()], store);
    let kernel = unpacked.and_then(|_| take_kernel(&tree, store, &package));
    // Failing to remove these temporary files is no error.
    let _ = fs::remove_dir_all(&tree);
    let _ = fs::remove_file(&archive);
    Ok((kernel?, Origin::Distribution { package, version }))
}

/// Moves the kernel out of an unpacked package, and its KVM modules beside it.
fn take_kernel(tree: &Path, store: &Path, package: &str) -> Result<PathBuf, LinuxError> {
    let inside = newest_file(&tree.join("boot"), "vmlinuz-", "")
        .ok_or_else(|| failed(format!("package {package}"), "has no boot/vmlinuz-*".to_owned()))?;
    let path = store.join(inside.file_name().unwrap_or_default());
    fs::rename(&inside, &path).map_err(|source| FileError::Unwritable { path: path.clone(), source })?;
    take_modules(tree, &path)?;
    Ok(path)
}

/// Moves the modules that an L1 guest needs, if the package has them. Only `make test-kvm` misses them.
fn take_modules(tree: &Path, kernel: &Path) -> Result<(), LinuxError> {
    let Some(modules) = newest_file(&tree.join("lib/modules"), "", "") else { return Ok(()) };
    let folder = modules_of(kernel);
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |source| FileError::Unwritable { path, source }
    };
    fs::create_dir_all(&folder).map_err(unwritable(&folder))?;
    for (name, below) in MODULES {
        if let Some(module) = module_in(&modules.join("kernel").join(below), name) {
            let path = folder.join(module.file_name().unwrap_or_default());
            fs::rename(&module, &path).map_err(unwritable(&path))?;
        }
    }
    Ok(())
}

/// The kernel's package and its version, from `Depends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)`.
fn dependency(shown: &str) -> Option<(String, String)> {
    let depends = shown.lines().find_map(|line| line.strip_prefix("Depends: "))?;
    let image = depends.split(", ").find(|name| name.starts_with("linux-image-"))?;
    let (package, version) = image.split_once(" (= ")?;
    Some((package.to_owned(), version.strip_suffix(')')?.to_owned()))
}

fn newest_file(folder: &Path, begin: &str, end: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let named = entries.filter(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name.starts_with(begin) && name.ends_with(end))
    });
    named.max_by_key(|entry| entry.metadata().and_then(|file| file.modified()).ok()).map(|entry| entry.path())
}

/// Runs a program in `folder`, for a limited time; returns what it printed.
fn run(program: &str, arguments: &[impl AsRef<OsStr>], folder: &Path) -> Result<String, LinuxError> {
    let words: Vec<_> = arguments.iter().map(|word| word.as_ref().to_string_lossy()).collect();
    let doing = format!("{program} {}", words.join(" "));
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", PATIENCE_SECONDS, program]).args(arguments);
    command.current_dir(folder).env("LC_ALL", "C").stdin(Stdio::null());
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => return Err(failed(doing, error.to_string())),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let detail = match output.status.code() {
        // timeout(1)'s own.
        Some(124 | 137) => format!("did not end within {PATIENCE_SECONDS} s"),
        Some(127) => "no such program: this is not Debian".to_owned(),
        _ => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.trim().lines().last().unwrap_or_default();
            format!("{}: {last} (if there are no package lists, run `apt-get update`)", output.status)
        }
    };
    Err(failed(doing, detail))
}

fn failed(doing: String, detail: String) -> LinuxError {
    LinuxError::Fetch { doing, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_real_package_behind_the_newest() {
        let shown = "Package: linux-image-cloud-amd64\nVersion: 6.1.192-2\n\
                     Depends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)\nSection: kernel\n";
        let expected = ("linux-image-6.1.0-56-cloud-amd64".to_owned(), "6.1.192-2".to_owned());
        assert_eq!(dependency(shown), Some(expected));
        assert_eq!(dependency("Depends: linux-image-x\n"), None);
        assert_eq!(dependency(""), None);
    }

    #[test]
    fn names_the_remedy_if_the_tool_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let message = run("apt-of-nowhere", &["show"], folder.path()).unwrap_err().to_string();
        assert!(
            message.contains("apt-of-nowhere show") && message.contains("LINUX_SMP_SCALE_KERNEL"),
            "{message}"
        );
    }
}
