//! The files that a program needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{NestedError, Tree};
use crate::process::output_of;

const PATIENCE: Duration = Duration::from_secs(30);
/// Where distributions keep the parts that QEMU loads on demand.
const QEMU_PARTS: [&str; 4] =
    ["/usr/lib/x86_64-linux-gnu/qemu", "/usr/lib/qemu", "/usr/lib64/qemu", "/usr/local/lib/qemu"];
/// Firmware is smaller. Larger files are for other machines, or UEFI's, which L1 cannot run: OVMF writes CR8 in its
/// exception handlers, and QEMU's translator aborts there for a guest of a guest (7.2 and 10.0).
const FIRMWARE_BYTES: u64 = 1 << 20;

/// The libraries that the program at `path` is linked to, and its loader; none if it is static or a script.
///
/// # Errors
/// A library is missing, or `ldd` cannot be run.
pub fn libraries(path: &Path) -> Result<Vec<PathBuf>, NestedError> {
    let doing = || format!("ldd {}", path.display());
    let fails = |detail: String| NestedError::Helper { doing: doing(), detail };
    let argument = path.to_str().ok_or_else(|| fails("the path is not UTF-8".to_owned()))?;
    let printed =
        output_of(Path::new("ldd"), argument, PATIENCE).map_err(|error| fails(error.to_string()))?;
    of_ldd(&printed).map_err(fails)
}

/// The paths in what `ldd` prints: `libz.so.1 => /lib/libz.so.1 (0x7f..)`, `/lib64/ld-linux.so.2 (0x7f..)`.
fn of_ldd(printed: &str) -> Result<Vec<PathBuf>, String> {
    if let Some(line) = printed.lines().find(|line| line.contains("not found")) {
        return Err(line.trim().to_owned());
    }
    let words = printed.lines().filter(|line| line.starts_with('\t')).flat_map(str::split_whitespace);
    Ok(words.filter(|word| word.starts_with('/')).map(PathBuf::from).collect())
}

/// Adds QEMU with its libraries, its accelerators and its firmware.
pub fn add_qemu(tree: &mut Tree, qemu: &Path) -> Result<(), NestedError> {
    tree.add_program(qemu)?;
    for file in QEMU_PARTS.iter().flat_map(|folder| files_of(Path::new(folder))) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("accel-") && name.ends_with(".so") {
            tree.add_program(&file)?;
        }
    }
    let fails = |detail: String| NestedError::Helper { doing: format!("{} -L help", qemu.display()), detail };
    let mut command = std::process::Command::new(qemu);
    let output = command.args(["-L", "help"]).output().map_err(|error| fails(error.to_string()))?;
    for folder in
        String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| fs::canonicalize(line).ok())
    {
        for file in files_of(&folder).into_iter().filter(|file| is_firmware(file)) {
            tree.add(&file);
        }
    }
    Ok(())
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path()).collect()
}

fn is_firmware(path: &Path) -> bool {
    let named = path.extension().is_some_and(|end| end == "bin" || end == "rom");
    named && path.metadata().is_ok_and(|file| file.is_file() && file.len() <= FIRMWARE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_ldd_prints() {
        let printed = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f40)\n\
                       \t/lib64/ld-linux-x86-64.so.2 (0x00007f40)\n";
        let expected = ["/lib/x86_64-linux-gnu/libz.so.1", "/lib64/ld-linux-x86-64.so.2"];
        assert_eq!(of_ldd(printed), Ok(expected.map(PathBuf::from).to_vec()));
        assert_eq!(of_ldd("\tstatically linked\n"), Ok(Vec::new()));
        assert_eq!(of_ldd("ldd: /a/script: not a dynamic executable\n"), Ok(Vec::new()));
        assert_eq!(of_ldd("\tlibx.so => not found\n"), Err("libx.so => not found".to_owned()));
    }

    #[test]
    fn a_missing_program_for_ldd_is_an_error_or_has_no_libraries() {
        // Static programs and missing files look alike to ldd; the archive names what cannot be read.
        assert!(libraries(Path::new("/nowhere/at/all")).unwrap_or_default().is_empty());
    }
}
