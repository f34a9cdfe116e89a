//! The limits of the cgroups that this process is in: both versions, from its own up to the root.

use crate::Root;

/// How many CPUs' worth of time a cgroup may use: the least of all.
///
/// `Some(None)` is no limit, `None` that it cannot be seen: no cgroup file system is mounted where this process's are.
pub fn cpu_quota(root: &Root) -> Option<Option<f64>> {
    let version_2 = limits(root, "", |at| parse_cpu_max(&root.line(&format!("{at}/cpu.max"))?));
    let version_1 = limits(root, "cpu", |at| {
        let period = root.number(&format!("{at}/cpu.cfs_period_us")).filter(|period| *period > 0)?;
        // -1 is no limit, and no number.
        let quota = root.number(&format!("{at}/cpu.cfs_quota_us"))?;
        Some(ratio(quota, period))
    });
    let least = version_1.into_iter().chain(version_2).reduce(f64::min);
    // Where version 1 has the controller, version 2 has not. Every cgroup has this file.
    let version = if folders(root, "cpu").is_empty() { "" } else { "cpu" };
    let mounted = limits(root, version, |at| root.text(&format!("{at}/cgroup.procs")));
    (least.is_some() || !mounted.is_empty()).then_some(least)
}

/// How many bytes of memory a cgroup may still have: the least of all limits, each less its use.
pub fn memory_left(root: &Root) -> Option<u64> {
    // What was read from files and not used of late is given up first.
    let left = |at: &str, limit: &str, used: &str, cache: &str| {
        let limit = root.number(&format!("{at}/{limit}"))?;
        let used = root.number(&format!("{at}/{used}")).unwrap_or(0);
        let stat = root.text(&format!("{at}/memory.stat")).unwrap_or_default();
        let cache = stat.lines().find_map(|line| line.strip_prefix(cache)?.trim().parse().ok()).unwrap_or(0);
        Some(limit.saturating_sub(used.saturating_sub(cache)))
    };
    let version_2 = limits(root, "", |at| left(at, "memory.max", "memory.current", "inactive_file "));
    let version_1 = limits(root, "memory", |at| {
        left(at, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ")
    });
    version_1.into_iter().chain(version_2).min()
}

/// What `read` finds in each cgroup of this process that `controller` is in; "" is version 2, which has them all.
fn limits<T>(root: &Root, controller: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
    folders(root, controller).iter().filter_map(|at| read(at)).collect()
}

/// Where the cgroups of this process that `controller` is in may be, from its own up to the root; "" is version 2, which
/// has them all. Version 1 is mounted by the names of all controllers of a hierarchy, by one's, or both.
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

/// `/a/b`, `/a` and the root. In a cgroup namespace a process may see a path with `..`; that is left out.
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
    fn the_least_quota_on_the_way_up_counts() {
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
    fn version_1_is_read_where_its_controllers_are_joined() {
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
    fn version_1_is_read_where_it_is_mounted_by_one_name() {
        let host = Fixture::new()
            .file("/proc/self/cgroup", "4:cpu,cpuacct:/job")
            .file("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "150000")
            .file("/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000");
        assert_eq!(cpu_quota(&host.root()), Some(Some(1.5)));
    }

    #[test]
    fn what_is_used_of_a_limit_is_not_left_but_for_what_can_be_given_up() {
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
        // Nothing is mounted, or not what has the controller.
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
