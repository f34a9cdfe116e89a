//! The limits of this process's cgroups, version 1 and 2, from the process's own cgroup up to the root.

use crate::Root;

/// The CPU time that this process may use, in CPUs: the lowest limit of all its cgroups.
///
/// `Some(None)` is no limit. `None` is unknown: no cgroup file system is mounted at the usual place.
pub fn cpu_quota(root: &Root) -> Option<Option<f64>> {
    let version_2 = limits(root, "", |at| parse_cpu_max(&root.line(&format!("{at}/cpu.max"))?));
    let version_1 = limits(root, "cpu", |at| cfs_quota(root, at));
    let lowest = version_1.into_iter().chain(version_2).reduce(f64::min);
    // A controller is in one version only. Every cgroup has the file cgroup.procs.
    let version = if folders(root, "cpu").is_empty() { "" } else { "cpu" };
    let mounted = limits(root, version, |at| root.text(&format!("{at}/cgroup.procs")));
    (lowest.is_some() || !mounted.is_empty()).then_some(lowest)
}

/// The CPU limit of a version 1 cgroup.
fn cfs_quota(root: &Root, at: &str) -> Option<f64> {
    let period = root.number(&format!("{at}/cpu.cfs_period_us")).filter(|period| *period > 0)?;
    // -1, no limit, does not parse as a number.
    let quota = root.number(&format!("{at}/cpu.cfs_quota_us"))?;
    Some(ratio(quota, period))
}

/// The names of a version's memory files.
struct MemoryFiles {
    limit: &'static str,
    used: &'static str,
    /// The key in memory.stat of the page cache that the kernel reclaims first.
    inactive: &'static str,
}

const MEMORY_VERSION_1: MemoryFiles = MemoryFiles {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    inactive: "total_inactive_file ",
};
const MEMORY_VERSION_2: MemoryFiles =
    MemoryFiles { limit: "memory.max", used: "memory.current", inactive: "inactive_file " };

/// The memory in bytes that this process's cgroups still allow: the lowest limit less its use.
pub fn memory_left(root: &Root) -> Option<u64> {
    let version_2 = limits(root, "", |at| memory_left_at(root, at, &MEMORY_VERSION_2));
    let version_1 = limits(root, "memory", |at| memory_left_at(root, at, &MEMORY_VERSION_1));
    version_1.into_iter().chain(version_2).min()
}

/// The memory that one cgroup still allows. Inactive page cache does not count as used, since the kernel reclaims it.
fn memory_left_at(root: &Root, at: &str, files: &MemoryFiles) -> Option<u64> {
    let limit = root.number(&format!("{at}/{}", files.limit))?;
    let used = root.number(&format!("{at}/{}", files.used)).unwrap_or(0);
    let stat = root.text(&format!("{at}/memory.stat")).unwrap_or_default();
    let inactive = stat.lines().find_map(|line| line.strip_prefix(files.inactive)?.trim().parse().ok());
    Some(limit.saturating_sub(used.saturating_sub(inactive.unwrap_or(0))))
}

/// Reads each cgroup of this process that has `controller`; "" is version 2, which has all controllers.
fn limits<T>(root: &Root, controller: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
    folders(root, controller).iter().filter_map(|at| read(at)).collect()
}

/// The possible folders of this process's cgroups that have `controller`, from its own cgroup up to the root; "" is
/// version 2, which has all controllers. Version 1 is mounted under the names of all controllers of a hierarchy, under
/// one name, or both.
pub fn folders(root: &Root, controller: &str) -> Vec<String> {
    const MOUNTED: &str = "/sys/fs/cgroup";
    let Some(own) = root.text("/proc/self/cgroup") else { return Vec::new() };
    let mut found = Vec::new();
    for line in own.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        if controllers.split(',').all(|one| one != controller) {
            continue;
        }
        let mut bases = match controller {
            "" => vec![MOUNTED.to_owned(), format!("{MOUNTED}/unified")],
            one => vec![format!("{MOUNTED}/{controllers}"), format!("{MOUNTED}/{one}")],
        };
        bases.dedup();
        found.extend(bases.iter().flat_map(|base| ancestors(path).map(move |path| format!("{base}{path}"))));
    }
    found
}

/// `/a/b`, `/a` and the root. A process in a cgroup namespace can see a path with `..`; such a path is skipped.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let path = if path.contains("..") { "" } else { path.trim_end_matches('/') };
    std::iter::successors(Some(path), |path| path.rfind('/').map(|at| &path[..at]))
}

/// `50000 100000`: quota and period in microseconds; `max` is no limit.
fn parse_cpu_max(line: &str) -> Option<f64> {
    let (quota, period) = line.split_once(' ')?;
    let period = period.parse().ok().filter(|period| *period > 0)?;
    Some(ratio(quota.parse().ok()?, period))
}

#[expect(clippy::cast_precision_loss, reason = "microseconds, shown with one decimal")]
fn ratio(quota: u64, period: u64) -> f64 {
    quota as f64 / period as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn the_lowest_quota_up_to_the_root_counts() {
        let host = Fixture::new()
            .file("/proc/self/cgroup", "0::/pod/box")
            .file("/sys/fs/cgroup/pod/cpu.max", "150000 100000")
            .file("/sys/fs/cgroup/pod/box/cpu.max", "max 100000")
            .file("/sys/fs/cgroup/pod/memory.max", "536870912")
            .root();
        assert_eq!(cpu_quota(&host), Some(Some(1.5)));
        assert_eq!(memory_left(&host), Some(512 << 20));
    }

    #[test]
    fn version_1_is_read_if_mounted_under_its_joined_controllers() {
        let host = Fixture::new()
            .file("/proc/self/cgroup", "5:cpuset:/\n4:cpu,cpuacct:/job\n0::/")
            .file("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "50000")
            .file("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000")
            .file("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1")
            .file("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000")
            .root();
        assert_eq!(cpu_quota(&host), Some(Some(0.5)));
    }

    #[test]
    fn version_1_is_read_if_mounted_under_one_name() {
        let host = Fixture::new()
            .file("/proc/self/cgroup", "4:cpu,cpuacct:/job")
            .file("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "150000")
            .file("/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000");
        assert_eq!(cpu_quota(&host.root()), Some(Some(1.5)));
    }

    #[test]
    fn memory_left_is_the_limit_less_use_without_inactive_cache() {
        let host = Fixture::new()
            .file("/proc/self/cgroup", "0::/box")
            .file("/sys/fs/cgroup/box/memory.max", "1000")
            .file("/sys/fs/cgroup/box/memory.current", "900")
            .file("/sys/fs/cgroup/box/memory.stat", "anon 500\ninactive_file 300\nactive_file 50");
        assert_eq!(memory_left(&host.root()), Some(400));
        let host = Fixture::new()
            .file("/proc/self/cgroup", "4:memory:/box")
            .file("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "1000")
            .file("/sys/fs/cgroup/memory/box/memory.usage_in_bytes", "1200");
        assert_eq!(memory_left(&host.root()), Some(0));
    }

    #[test]
    fn no_limit_is_not_unknown() {
        let own = || Fixture::new().file("/proc/self/cgroup", "0::/");
        assert_eq!(cpu_quota(&own().file("/sys/fs/cgroup/cgroup.procs", "1").root()), Some(None));
        // Nothing is mounted, or only a hierarchy without the controller.
        assert_eq!(cpu_quota(&own().root()), None);
        let split = Fixture::new().file("/proc/self/cgroup", "1:cpu:/\n0::/");
        assert_eq!(cpu_quota(&split.file("/sys/fs/cgroup/unified/cgroup.procs", "1").root()), None);
        assert_eq!(cpu_quota(&Fixture::new().root()), None);
        let odd = Fixture::new()
            .file("/proc/self/cgroup", "0::/../..\nnonsense\n::")
            .file("/sys/fs/cgroup/cgroup.procs", "1")
            .file("/sys/fs/cgroup/cpu.max", "1 0");
        assert_eq!(cpu_quota(&odd.root()), Some(None));
    }
}
