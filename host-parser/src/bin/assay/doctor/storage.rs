//! Room: memory for a guest, disk for its logs.

use std::path::Path;

use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};

use super::cgroup;
use super::check::Check;
use super::finding::Finding;
use super::host::Host;

const MIB: u64 = 1 << 20;
/// A guest has 128 MiB as a rule, and QEMU about as much for itself.
const MEMORY_NEEDED: u64 = 256 * MIB;
const MEMORY_WANTED: u64 = 1024 * MIB;
/// An experiment's logs are a few MiB, and an image for firmware some 10 MiB for each case.
const DISK_NEEDED: u64 = 64 * MIB;
const DISK_WANTED: u64 = 1024 * MIB;

/// All of it; results go below `results`, as `assay run` has it by default.
pub fn probe(host: &Host, results: &Path) -> Vec<Finding> {
    // Before the first build the folder is not there; it will be on the file system of the one above.
    let results = if results.is_dir() { results } else { Path::new(".") };
    vec![memory(host), disk(statvfs(results).ok(), results)]
}

fn memory(host: &Host) -> Finding {
    let meminfo = host.root.text("/proc/meminfo");
    let Some(available) = meminfo.as_deref().and_then(available) else {
        return Check::Memory.unknown("no MemAvailable in /proc/meminfo");
    };
    match cgroup::memory_limit(&host.root).filter(|limit| *limit < available) {
        Some(limit) => size(Check::Memory, limit, "may be had, by a cgroup", MEMORY_WANTED, MEMORY_NEEDED)
            .remedy("Raise the memory limit of the container, the service or the slice."),
        None => size(Check::Memory, available, "available", MEMORY_WANTED, MEMORY_NEEDED),
    }
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn disk(found: Option<StatVfs>, at: &Path) -> Finding {
    let Some(found) = found else {
        return Check::Disk.unknown(format!("{} cannot be asked", at.display()));
    };
    if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Check::Disk
            .bad(format!("{} is read-only", at.display()))
            .remedy("Write elsewhere with `--out DIR`.");
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
    use crate::doctor::fixture::Fixture;

    fn with(kib: u64) -> Fixture {
        Fixture::new().file("/proc/meminfo", &format!("MemTotal: 1 kB\nMemAvailable:   {kib} kB"))
    }

    #[test]
    fn too_little_memory_is_told_before_a_guest_is_killed() {
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
        assert_eq!((found.status, found.value.as_str()), (Warn, "512 MiB may be had, by a cgroup"));
    }

    #[test]
    fn a_disk_that_is_full_or_read_only_ends_an_experiment() {
        let here = statvfs(".").unwrap();
        let with =
            |blocks| StatVfs { f_bavail: blocks, f_frsize: 4096, f_flag: StatVfsMountFlags::empty(), ..here };
        let status = |blocks| disk(Some(with(blocks)), Path::new(".")).status;
        assert_eq!((status(1 << 20), status(1 << 16), status(1)), (Ok, Warn, Bad));
        assert_eq!(
            disk(Some(StatVfs { f_flag: StatVfsMountFlags::RDONLY, ..with(1 << 20) }), Path::new(".")).status,
            Bad
        );
        assert_eq!(disk(None, Path::new(".")).status, Unknown);
    }
}
