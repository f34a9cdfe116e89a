//! Isolation: other tasks, the timer tick, RCU callbacks and quotas on the guest's CPUs.

use std::collections::BTreeSet;

use super::cgroup;
use super::check::Check;
use super::cpuset;
use super::finding::Finding;
use super::host::{Host, common, list};
use crate::CpuSet;

/// A host with fewer CPUs than this has none to isolate.
const CPUS_TO_SPARE_FROM: usize = 5;

/// The checks of isolation.
pub fn probe(host: &Host) -> Vec<Finding> {
    vec![isolated(host), tick(host), rcu(host)]
}

/// The check of the cgroups' CPU limit. In the report it is with the CPUs.
pub fn quota(host: &Host) -> Finding {
    let Some(quota) = cgroup::cpu_quota(&host.root) else {
        return Check::Quota.unknown("no cgroup file system of this process at /sys/fs/cgroup");
    };
    let Some(quota) = quota else { return Check::Quota.ok("none") };
    // Below two CPUs the limit decides the speed-up. Above, it stops a case now and then.
    Check::Quota.judge(format!("a cgroup limits CPU time to {quota:.1} CPUs"), true, quota < 2.0)
}

fn isolated(host: &Host) -> Finding {
    const ISOLATED: &str = "/sys/devices/system/cpu/isolated";
    let check = Check::Isolated;
    if host.root.line(ISOLATED).is_none() && isolated_cpus(host).is_none() {
        return check.unknown(format!("no {ISOLATED}"));
    }
    let Some(isolated) = isolated_cpus(host) else {
        let online = host.online.len();
        return if online < CPUS_TO_SPARE_FROM {
            check.ok(format!("none; a host with {online} has none to spare"))
        } else {
            check.warn("none")
        };
    };
    if host.pinned && host.cpus.check_within(&isolated).is_ok() {
        return check.ok(format!("{isolated}, which include all of the guest's"));
    }
    // Without taskset this process could not pin a guest to isolated CPUs.
    let remedy = format!("`taskset -c {} assay run ... --cpus {isolated}`", host.online);
    check.warn(format!("{isolated}; the guest is to run on {}", host.cpus)).remedy(remedy)
}

/// The isolated CPUs: by the kernel's command line, and by this process's cgroup if it is an isolated partition. `None` if
/// there are none or the host does not show them.
pub fn isolated_cpus(host: &Host) -> Option<CpuSet> {
    let booted = host.root.cpus("/sys/devices/system/cpu/isolated");
    let partition = cpuset::of(&host.root).filter(|cpuset| cpuset.isolated).map(|found| found.effective);
    let both = [booted, partition].into_iter().flatten().flat_map(|set| set.iter().collect::<Vec<_>>());
    list(both).parse().ok()
}

fn tick(host: &Host) -> Finding {
    partly(host, Check::Tick, nohz_full(host))
}

fn rcu(host: &Host) -> Finding {
    partly(host, Check::Rcu, rcu_nocbs(host))
}

/// The CPUs whose RCU callbacks run elsewhere.
pub fn rcu_nocbs(host: &Host) -> Option<CpuSet> {
    // nohz_full implies it (Linux, Documentation/timers/no_hz.rst).
    let last = host.root.cpus("/sys/devices/system/cpu/possible").unwrap_or_else(|| host.online.clone());
    let named = host
        .root
        .boot_option("rcu_nocbs")
        .and_then(|list| CpuSet::from_boot_list(&list, last.iter().last()?));
    let both = [named, nohz_full(host)].into_iter().flatten().flat_map(|set| set.iter().collect::<Vec<_>>());
    list(both).parse().ok()
}

/// The CPUs without a timer tick. `(null)` is how some kernels print an empty set.
pub fn nohz_full(host: &Host) -> Option<CpuSet> {
    host.root.cpus("/sys/devices/system/cpu/nohz_full")
}

/// A refinement of isolation: a warning only if CPUs of the guest are isolated and lack it.
fn partly(host: &Host, check: Check, having: Option<CpuSet>) -> Finding {
    let with: BTreeSet<usize> = having.map(|set| common(&set, &host.cpus)).unwrap_or_default();
    let without: BTreeSet<usize> = host.cpus.iter().filter(|cpu| !with.contains(cpu)).collect();
    let lacking = isolated_cpus(host).is_some_and(|set| !common(&set, &host.cpus).is_disjoint(&without));
    let value = match (with.is_empty(), without.is_empty()) {
        (true, _) => "none".to_owned(),
        (_, true) => format!("{}: all of the guest's", list(with)),
        _ => format!("{}, not {}", list(with), list(without.iter().copied())),
    };
    check.judge(value, lacking, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status::{Bad, Ok, Unknown, Warn};
    use crate::fixture::Fixture;

    fn isolating() -> Fixture {
        Fixture::with_cpus("0-7")
            .file("/sys/devices/system/cpu/isolated", "4-7")
            .file("/sys/devices/system/cpu/nohz_full", "4-5")
            .file("/proc/cmdline", "quiet rcu_nocbs=4-7")
    }

    #[test]
    fn isolated_cpus_are_ok_if_the_guest_is_pinned_to_them() {
        isolating().probe("4,5", true, |host| {
            let found = probe(host);
            assert!(found.iter().all(|finding| finding.status == Ok), "{found:?}");
        });
        isolating().probe("4-7", true, |host| {
            let tick = tick(host);
            assert_eq!((tick.status, tick.value.as_str()), (Warn, "4,5, not 6,7"));
            assert_eq!(rcu(host).value, "4-7: all of the guest's");
        });
    }

    #[test]
    fn reads_a_boot_list_with_the_last_cpu_and_strides() {
        let list = |text| CpuSet::from_boot_list(text, 15).map(|set| set.to_string());
        assert_eq!(list("4-N").as_deref(), Some("4-15"));
        assert_eq!(list("0,N").as_deref(), Some("0,15"));
        assert_eq!(list("0-9:2/4").as_deref(), Some("0,1,4,5,8,9"));
        assert_eq!(list("all").as_deref(), Some("0-15"));
        assert_eq!(list("all:1/8").as_deref(), Some("0,8"));
        // CPUs that the host does not have are skipped.
        assert_eq!(list("8-31").as_deref(), Some("8-15"));
        assert_eq!((list("0-9:2/0"), list("x"), list("0-9:2")), (None, None, None));
        let host = Fixture::with_cpus("0-7").file("/proc/cmdline", "rcu_nocbs=4-N");
        assert_eq!(host.probe("4-7", true, rcu).value, "4-7: all of the guest's");
    }

    #[test]
    fn warns_of_isolated_cpus_that_the_guest_does_not_use() {
        let found = isolating().probe("0-3", false, isolated);
        assert_eq!((found.status, found.value.as_str()), (Warn, "4-7; the guest is to run on 0-3"));
        assert!(found.help().contains("taskset -c 0-7 assay run ... --cpus 4-7"));
    }

    #[test]
    fn a_small_host_has_no_cpu_to_isolate() {
        let none = |cpus| Fixture::with_cpus(cpus).file("/sys/devices/system/cpu/isolated", "");
        assert_eq!(none("0,1").probe("0,1", false, isolated).status, Ok);
        assert_eq!(none("0-7").probe("0-7", false, isolated).status, Warn);
        assert_eq!(Fixture::with_cpus("0-7").probe("0-7", false, isolated).status, Unknown);
        let null = none("0-7").file("/sys/devices/system/cpu/nohz_full", "(null)");
        assert_eq!(null.probe("0-7", false, |host| (tick(host).status, rcu(host).status)), (Ok, Ok));
    }

    #[test]
    fn a_quota_below_two_cpus_is_bad() {
        let limited = |max| {
            let host =
                Fixture::new().file("/proc/self/cgroup", "0::/box").file("/sys/fs/cgroup/box/cpu.max", max);
            let host = host.file("/sys/fs/cgroup/box/cgroup.procs", "1");
            host.probe("0-3", false, quota).status
        };
        assert_eq!(limited("100000 100000"), Bad);
        assert_eq!(limited("300000 100000"), Warn);
        assert_eq!(limited("max 100000"), Ok);
        assert_eq!(Fixture::new().probe("0-3", false, quota).status, Unknown);
    }
}
