//! The host's identity in a report.

use serde::Serialize;

use crate::Root;

/// How a report identifies a host.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostIdentity {
    /// The operating system, its release and the machine: `Linux 6.12.8 x86_64`.
    pub system: String,
    /// The CPU's model name.
    pub cpu: String,
    /// How many CPUs are online.
    pub cpus_online: u16,
    /// The load average over one minute.
    pub load: Option<f64>,
}

impl HostIdentity {
    /// Reads it below `root`.
    #[must_use]
    pub fn read(root: &Root) -> Self {
        Self {
            system: system(root),
            cpu: cpu_name(root).unwrap_or_else(|| "unknown".to_owned()),
            cpus_online: u16::try_from(online(root)).unwrap_or(u16::MAX),
            load: root.load_averages().map(|(one_minute, _)| one_minute),
        }
    }
}

fn system(root: &Root) -> String {
    let kernel = ["ostype", "osrelease"].map(|name| root.line(&format!("/proc/sys/kernel/{name}")));
    let known = kernel.into_iter().flatten().chain([std::env::consts::ARCH.to_owned()]);
    known.collect::<Vec<_>>().join(" ")
}

fn online(root: &Root) -> usize {
    let set = root.cpus("/sys/devices/system/cpu/online");
    set.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), |set| set.len())
}

fn cpu_name(root: &Root) -> Option<String> {
    let cpuinfo = root.text("/proc/cpuinfo")?;
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn this_host_has_a_cpu() {
        let here = HostIdentity::read(&Root::here());
        assert!(here.cpus_online >= 1 && here.system.starts_with("Linux "), "{here:?}");
    }

    #[test]
    fn the_identity_comes_from_the_hosts_files() {
        let host = Fixture::with_cpus("0-3")
            .file("/proc/sys/kernel/ostype", "Linux")
            .file("/proc/sys/kernel/osrelease", "6.12.8")
            .file("/proc/cpuinfo", "processor\t: 0\nmodel name\t: A CPU @ 2.10GHz")
            .file("/proc/loadavg", "0.25 0.50 1.00 1/90 9")
            .root();
        let expected = HostIdentity {
            system: "Linux 6.12.8 x86_64".to_owned(),
            cpu: "A CPU @ 2.10GHz".to_owned(),
            cpus_online: 4,
            load: Some(0.25),
        };
        assert_eq!(HostIdentity::read(&host), expected);
    }
}
