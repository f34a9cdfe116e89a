//! Memory for a guest, disk space for its logs.

use std::path::Path;

use rustix::fs::{Access, StatVfs, StatVfsMountFlags, access, statvfs};

use super::cgroup;
use super::check::Check;
use super::finding::Finding;
use super::host::Host;
use crate::proc_fields;

const MIB: u64 = 1 << 20;
/// A guest usually has 128 MiB, and QEMU needs about as much.
const MEMORY_NEEDED: u64 = 256 * MIB;
const MEMORY_WANTED: u64 = 1024 * MIB;
/// An experiment's logs take a few MiB, and an image that firmware boots about 10 MiB for each case.
const DISK_NEEDED: u64 = 64 * MIB;
const DISK_WANTED: u64 = 1024 * MIB;

/// An experiment writes some hundred files.
const FILES_NEEDED: u64 = 500;
const FILES_WANTED: u64 = 5000;

/// The checks of memory and of the disk that `results` is on.
pub fn probe(host: &Host, results: &Path) -> Vec<Finding> {
    // Before the first run the folder does not exist; it will be created below its nearest existing ancestor.
    let here = Path::new(".");
    let above =
        results.ancestors().find(|path| !path.as_os_str().is_empty() && path.exists()).unwrap_or(here);
    let writable = access(above, Access::WRITE_OK | Access::EXEC_OK).is_ok() && above.is_dir();
    vec![memory(host), disk(statvfs(above).ok(), writable, above)]
}

fn memory(host: &Host) -> Finding {
    let meminfo = host.root.text("/proc/meminfo");
    let Some(available) = meminfo.and_then(|meminfo| proc_fields::bytes(&meminfo, "MemAvailable")) else {
        return Check::Memory.unknown("no MemAvailable in /proc/meminfo");
    };
    match cgroup::memory_left(&host.root).filter(|left| *left < available) {
        Some(left) => size(Check::Memory, left, "left of a cgroup's limit", MEMORY_WANTED, MEMORY_NEEDED)
            .remedy(
                "Raise the memory limit of the container, the service or the slice, or stop programs in it.",
            ),
        None => size(Check::Memory, available, "available", MEMORY_WANTED, MEMORY_NEEDED),
    }
}

fn disk(found: Option<StatVfs>, writable: bool, at: &Path) -> Finding {
    let Some(found) = found else {
        return Check::Disk.unknown(format!("no file system information for {}", at.display()));
    };
    let read_only = found.f_flag.contains(StatVfsMountFlags::RDONLY);
    if read_only || !writable {
        let why = if read_only { "is read-only" } else { "cannot be written to by this user" };
        return Check::Disk
            .bad(format!("{} {why}", at.display()))
            .remedy("Write elsewhere with `--out DIR`.");
    }
    // File systems without a fixed number of files report 0 of 0.
    let files = Some(found.f_favail).filter(|files| found.f_files > 0 && *files < FILES_WANTED);
    if let Some(files) = files {
        let value = format!("only {files} more files possible at {}", at.display());
        return Check::Disk.judge(value, true, files < FILES_NEEDED).remedy(
            "Delete files: `du --inodes -x . | sort -n | tail`, or write elsewhere with `--out DIR`.",
        );
    }
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    size(Check::Disk, free, &format!("free at {}", at.display()), DISK_WANTED, DISK_NEEDED)
}

fn size(check: Check, bytes: u64, what: &str, wanted: u64, needed: u64) -> Finding {
    let text = match bytes / MIB {
        mib if mib < 10 * 1024 => format!("{mib} MiB {what}"),
        mib => format!("{} GiB {what}", mib / 1024),
    };
    check.judge(text, bytes < wanted, bytes < needed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status::{Bad, Ok, Unknown, Warn};
    use crate::fixture::Fixture;

    fn with(kib: u64) -> Fixture {
        Fixture::new().file("/proc/meminfo", &format!("MemTotal: 1 kB\nMemAvailable:   {kib} kB"))
    }

    #[test]
    fn too_little_memory_is_a_warning_or_bad() {
        let status = |mib: u64| with(mib * 1024).probe("0", true, memory).status;
        assert_eq!((status(8000), status(800), status(100)), (Ok, Warn, Bad));
        assert_eq!(with(20 << 20).probe("0", true, memory).value, "20 GiB available");
        assert_eq!(Fixture::new().probe("0", true, memory).status, Unknown);
    }

    #[test]
    fn the_limit_of_a_container_counts() {
        let host =
            with(8 << 20).file("/proc/self/cgroup", "0::/").file("/sys/fs/cgroup/memory.max", "536870912");
        let found = host.probe("0", true, memory);
        assert_eq!((found.status, found.value.as_str()), (Warn, "512 MiB left of a cgroup's limit"));
    }

    #[test]
    fn a_full_or_read_only_disk_is_bad() {
        let here = statvfs(".").unwrap();
        let with = |blocks| StatVfs {
            f_bavail: blocks,
            f_frsize: 4096,
            f_files: 1 << 20,
            f_favail: 1 << 19,
            f_flag: StatVfsMountFlags::empty(),
            ..here
        };
        let judge = |found: StatVfs, writable| disk(Some(found), writable, Path::new(".")).status;
        let status = |blocks| judge(with(blocks), true);
        assert_eq!((status(1 << 20), status(1 << 16), status(1)), (Ok, Warn, Bad));
        let plenty = || with(1 << 20);
        assert_eq!(judge(StatVfs { f_flag: StatVfsMountFlags::RDONLY, ..plenty() }, true), Bad);
        assert_eq!(judge(plenty(), false), Bad);
        assert_eq!(judge(StatVfs { f_favail: 100, ..plenty() }, true), Bad);
        assert_eq!(judge(StatVfs { f_favail: 1000, ..plenty() }, true), Warn);
        assert_eq!(judge(StatVfs { f_favail: 0, f_files: 0, ..plenty() }, true), Ok);
        assert_eq!(disk(None, true, Path::new(".")).status, Unknown);
    }

    #[test]
    fn checks_the_disk_that_results_go_to() {
        let folder = tempfile::tempdir().unwrap();
        let disk = |results: &str| {
            let results = folder.path().join(results);
            Fixture::new().probe("0", true, |host| probe(host, &results)).pop().unwrap()
        };
        let found = disk("not/yet/there");
        assert!(found.value.ends_with(&folder.path().display().to_string()), "{found:?}");
        std::fs::write(folder.path().join("file"), "").unwrap();
        let found = disk("file/below");
        assert!(found.status == Bad && found.value.contains("cannot be written"), "{found:?}");
    }
}
