//! The caches of a CPU, from /sys (Linux, Documentation/ABI/testing/sysfs-devices-system-cpu).

use serde::Serialize;

use crate::Root;

/// A cache.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Cache {
    /// 1, 2, 3 ...
    pub level: u64,
    /// `data`, `instruction` or `unified`.
    pub holds: String,
    /// Its size in KiB.
    pub kib: Option<u64>,
    /// The CPUs that share it.
    pub cpus: String,
}

/// The caches of `cpu`. A cache without a level, a type or CPUs is skipped.
pub fn of(root: &Root, cpu: usize) -> Vec<Cache> {
    let folder = format!("/sys/devices/system/cpu/cpu{cpu}/cache");
    root.names(&folder).iter().filter_map(|name| cache(root, &format!("{folder}/{name}"))).collect()
}

fn cache(root: &Root, at: &str) -> Option<Cache> {
    Some(Cache {
        level: root.number(&format!("{at}/level"))?,
        holds: root.line(&format!("{at}/type"))?.to_lowercase(),
        kib: root.line(&format!("{at}/size")).and_then(|size| size.strip_suffix('K')?.parse().ok()),
        cpus: root.cpus(&format!("{at}/shared_cpu_list"))?.to_string(),
    })
}
