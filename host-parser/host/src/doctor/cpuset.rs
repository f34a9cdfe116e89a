//! The cgroup's cpuset: which CPUs this process may use, and whether other cgroups may use them too.

use serde::Serialize;

use super::cgroup;
use super::check::Check;
use super::finding::Finding;
use super::host::Host;
use crate::{CpuSet, Root};

/// The cpuset of the nearest cgroup that has one (Linux, Documentation/admin-guide/cgroup-v2.rst, "Cpuset", and
/// cgroup-v1/cpusets.rst).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cpuset {
    /// The CPUs that processes in it may use.
    pub effective: CpuSet,
    /// The CPUs that it was set to; `None` if it inherits its parent's.
    pub configured: Option<CpuSet>,
    /// `member`, `root`, `isolated`, or one of them with `invalid` and the reason. Version 1 has none.
    pub partition: Option<String>,
    /// Whether sibling cgroups may not use its CPUs: it is in a valid partition, or version 1's `cpu_exclusive` is set.
    pub exclusive: bool,
    /// Whether the scheduler does not balance tasks onto its CPUs: an isolated partition, or version 1's
    /// `sched_load_balance` is off.
    pub isolated: bool,
    /// The folder of the cgroup.
    pub at: String,
}

/// The cpuset of this process.
pub fn of(root: &Root) -> Option<Cpuset> {
    version_2(root).or_else(|| version_1(root))
}

fn version_2(root: &Root) -> Option<Cpuset> {
    let folders = cgroup::folders(root, "");
    let at = folders.iter().find(|at| root.cpus(&format!("{at}/cpuset.cpus.effective")).is_some())?;
    // A member belongs to the partition of its nearest ancestor that is a partition root.
    let upwards = folders.iter().skip_while(|folder| *folder != at);
    let mut partitions = upwards.filter_map(|at| partition_of(root, at));
    let partition = partitions.find(|word| word != "member");
    let valid = partition.as_deref().filter(|word| !word.contains("invalid"));
    Some(Cpuset {
        effective: root.cpus(&format!("{at}/cpuset.cpus.effective"))?,
        configured: root.cpus(&format!("{at}/cpuset.cpus")),
        exclusive: valid.is_some(),
        isolated: valid == Some("isolated"),
        partition: partition.or_else(|| partition_of(root, at)),
        at: at.clone(),
    })
}

fn partition_of(root: &Root, at: &str) -> Option<String> {
    root.line(&format!("{at}/cpuset.cpus.partition"))
}

fn version_1(root: &Root) -> Option<Cpuset> {
    let folders = cgroup::folders(root, "cpuset");
    let at = folders.into_iter().find(|at| root.cpus(&format!("{at}/cpuset.cpus")).is_some())?;
    let configured = root.cpus(&format!("{at}/cpuset.cpus"));
    let flag = |name: &str| root.number(&format!("{at}/cpuset.{name}"));
    Some(Cpuset {
        effective: root.cpus(&format!("{at}/cpuset.effective_cpus")).or_else(|| configured.clone())?,
        configured,
        partition: None,
        exclusive: flag("cpu_exclusive") == Some(1),
        isolated: flag("sched_load_balance") == Some(0),
        at,
    })
}

/// The check of the cpuset.
pub fn probe(host: &Host) -> Finding {
    let check = Check::Cpuset;
    let Some(cpuset) = of(&host.root) else { return check.unknown("no cgroup shows one") };
    let Cpuset { effective, partition, exclusive, isolated, at, .. } = cpuset;
    if let Some(word) = partition.as_deref().filter(|word| word.contains("invalid")) {
        let remedy = format!("Give {at} CPUs that no sibling cgroup has, then write `isolated` again.");
        return check.warn(format!("CPUs {effective}; partition {word}")).remedy(remedy);
    }
    let all = host.online.check_within(&effective).is_ok();
    let which = if all { "all CPUs".to_owned() } else { format!("CPUs {effective} of {}", host.online) };
    match (isolated, exclusive, all) {
        (true, _, _) => check.ok(format!("{which}, isolated")),
        (false, _, true) => check.ok(which),
        (false, true, false) => check.ok(format!("{which}, exclusive, not isolated")),
        (false, false, false) => {
            let found = check.warn(format!("{which}, and other cgroups may use them too"));
            match partition {
                Some(_) => found.remedy(format!("`echo isolated | sudo tee {at}/cpuset.cpus.partition`")),
                None => found.remedy(format!("`echo 1 | sudo tee {at}/cpuset.cpu_exclusive`")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status::{Ok, Unknown, Warn};
    use crate::doctor::isolation::isolated_cpus;
    use crate::fixture::Fixture;

    fn version_2(files: &[(&str, &str)]) -> Fixture {
        let host = Fixture::with_cpus("0-7").file("/proc/self/cgroup", "0::/lab/run");
        files.iter().fold(host, |host, (path, text)| host.file(&format!("/sys/fs/cgroup/{path}"), text))
    }

    fn judged(host: Fixture) -> (crate::doctor::finding::Status, String, Option<String>) {
        let found = host.probe("4-7", true, probe);
        (found.status, found.value, found.remedy)
    }

    #[test]
    fn warns_of_a_shared_cpuset_of_version_2_with_the_way_to_isolate_it() {
        let (status, value, remedy) = judged(version_2(&[
            ("cpuset.cpus.effective", "0-7"),
            ("lab/cpuset.cpus", "4-7"),
            ("lab/cpuset.cpus.effective", "4-7"),
            ("lab/cpuset.cpus.partition", "member"),
        ]));
        assert_eq!((status, value.as_str()), (Warn, "CPUs 4-7 of 0-7, and other cgroups may use them too"));
        assert!(remedy.unwrap().contains("tee /sys/fs/cgroup/lab/cpuset.cpus.partition"));
    }

    #[test]
    fn members_below_an_isolated_partition_are_isolated() {
        let host = || {
            version_2(&[
                ("lab/cpuset.cpus.effective", "4-7"),
                ("lab/cpuset.cpus.partition", "isolated"),
                ("lab/run/cpuset.cpus.effective", "4-7"),
                ("lab/run/cpuset.cpus.partition", "member"),
            ])
        };
        assert_eq!(judged(host()), (Ok, "CPUs 4-7 of 0-7, isolated".to_owned(), None));
        assert_eq!(of(&host().root()).unwrap().at, "/sys/fs/cgroup/lab/run");
        host().probe("4-7", true, |host| assert_eq!(isolated_cpus(host).unwrap().to_string(), "4-7"));
    }

    #[test]
    fn warns_of_an_invalid_partition() {
        let word = "isolated invalid (Cpu list in cpuset.cpus not exclusive)";
        let (status, value, remedy) = judged(version_2(&[
            ("lab/run/cpuset.cpus.effective", "4-7"),
            ("lab/run/cpuset.cpus.partition", word),
        ]));
        assert_eq!((status, value), (Warn, format!("CPUs 4-7; partition {word}")));
        assert!(remedy.unwrap().contains("/sys/fs/cgroup/lab/run"));
    }

    #[test]
    fn version_1_has_two_flags() {
        let host = |exclusive, balance| {
            Fixture::with_cpus("0-7")
                .file("/proc/self/cgroup", "3:cpuset:/box\n0::/")
                .file("/sys/fs/cgroup/cpuset/box/cpuset.cpus", "2-5")
                .file("/sys/fs/cgroup/cpuset/box/cpuset.effective_cpus", "2-5")
                .file("/sys/fs/cgroup/cpuset/box/cpuset.cpu_exclusive", exclusive)
                .file("/sys/fs/cgroup/cpuset/box/cpuset.sched_load_balance", balance)
        };
        let (status, _, remedy) = judged(host("0", "1"));
        assert!(status == Warn && remedy.unwrap().contains("box/cpuset.cpu_exclusive"));
        assert_eq!(judged(host("1", "1")).1, "CPUs 2-5 of 0-7, exclusive, not isolated");
        assert_eq!(judged(host("1", "0")).1, "CPUs 2-5 of 0-7, isolated");
    }

    #[test]
    fn all_cpus_are_no_restriction_and_nothing_is_unknown() {
        assert_eq!(judged(version_2(&[("cpuset.cpus.effective", "0-7")])), (Ok, "all CPUs".to_owned(), None));
        assert_eq!(judged(version_2(&[])).0, Unknown);
    }
}
