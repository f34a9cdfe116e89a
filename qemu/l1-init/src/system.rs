//! File systems, the links below /dev, and kernel modules.

use std::ffi::CStr;
use std::fs::File;
use std::os::unix::fs::symlink;

use rustix::mount::{MountFlags, mount};
use rustix::system::finit_module;

/// What Linux must know to unpack a module by itself (`linux/module.h`, MODULE_INIT_COMPRESSED_FILE).
const COMPRESSED: i32 = 4;

/// Mounts the file systems that programs expect, and makes the links that devtmpfs lacks: without /dev/stdout, QEMU would
/// write a guest's serial output into a regular file of that name.
///
/// # Errors
/// What could not be mounted or linked, and why.
pub fn mount_all() -> Result<(), String> {
    for (kind, at) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")] {
        mount(kind, at, kind, MountFlags::empty(), None).map_err(|error| format!("{at}: {error}"))?;
    }
    for (link, to) in [("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")] {
        let link = format!("/dev/{link}");
        symlink(format!("/proc/self/{to}"), &link).map_err(|error| format!("{link}: {error}"))?;
    }
    Ok(())
}

/// Loads a kernel module.
///
/// # Errors
/// Its path and Linux's reason.
pub fn load(path: &str) -> Result<(), String> {
    const NO_PARAMETERS: &CStr = c"";
    let flags = if path.ends_with(".ko") { 0 } else { COMPRESSED };
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    finit_module(&file, NO_PARAMETERS, flags).map_err(|error| format!("{path}: {error}"))
}
