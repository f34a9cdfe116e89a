//! The host's kernel: its release, its mitigations, and its huge pages and page merging under a guest's memory.

use super::check::Check;
use super::finding::Finding;
use super::host::{Host, count};

/// The checks of the host's kernel.
pub fn probe(host: &Host) -> Vec<Finding> {
    vec![kernel(host), mitigations(host), huge_pages(host), same_pages(host)]
}

fn kernel(host: &Host) -> Finding {
    match host.root.line("/proc/sys/kernel/osrelease") {
        Some(release) => Check::Kernel.ok(format!("Linux {release}")),
        None => Check::Kernel.unknown("no /proc/sys/kernel/osrelease"),
    }
}

fn mitigations(host: &Host) -> Finding {
    const VULNERABILITIES: &str = "/sys/devices/system/cpu/vulnerabilities";
    let mut states: Vec<(String, String)> = Vec::new();
    for name in host.root.names(VULNERABILITIES) {
        if let Some(state) = host.root.line(&format!("{VULNERABILITIES}/{name}")) {
            states.push((name, state));
        }
    }
    if states.is_empty() {
        return Check::Mitigations.unknown(format!("no {VULNERABILITIES}"));
    }
    let mitigated = states.iter().filter(|(_, state)| state.starts_with("Mitigation")).count();
    let open: Vec<&str> = states
        .iter()
        .filter(|(_, state)| state.starts_with("Vulnerable"))
        .map(|(name, _)| name.as_str())
        .collect();
    let mut value = format!("{} of {}", mitigated, count(states.len(), "known flaw"));
    if !open.is_empty() {
        value += &format!("; vulnerable: {}", open.join(", "));
    }
    if let Some(option) = host.root.boot_option("mitigations") {
        value += &format!("; mitigations={option}");
    }
    Check::Mitigations.ok(value)
}

fn huge_pages(host: &Host) -> Finding {
    let state = host.root.line("/sys/kernel/mm/transparent_hugepage/enabled");
    match state.as_deref().and_then(|state| state.split_once('[')?.1.split_once(']')) {
        Some((chosen, _)) => Check::HugePages.judge(chosen, chosen == "never", false),
        None => Check::HugePages.unknown("no /sys/kernel/mm/transparent_hugepage"),
    }
}

fn same_pages(host: &Host) -> Finding {
    match host.root.number("/sys/kernel/mm/ksm/run") {
        Some(run) => Check::Ksm.judge(if run == 1 { "on" } else { "off" }, run == 1, false),
        None => Check::Ksm.ok("off: not in this kernel"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status::{Ok, Unknown, Warn};
    use crate::fixture::Fixture;

    #[test]
    fn mitigations_are_counted_and_vulnerabilities_named() {
        let at = |name: &str| format!("/sys/devices/system/cpu/vulnerabilities/{name}");
        let host = Fixture::new()
            .file(&at("mds"), "Vulnerable: Clear CPU buffers attempted, no microcode")
            .file(&at("meltdown"), "Mitigation: PTI")
            .file(&at("srbds"), "Not affected")
            .file("/proc/cmdline", "quiet mitigations=auto,nosmt");
        let found = host.probe("0", true, mitigations);
        assert_eq!(found.value, "1 of 3 known flaws; vulnerable: mds; mitigations=auto,nosmt");
        assert_eq!(Fixture::new().probe("0", true, mitigations).status, Unknown);
    }

    #[test]
    fn warns_of_disabled_huge_pages_and_of_page_merging() {
        let pages = |state| {
            let host = Fixture::new().file("/sys/kernel/mm/transparent_hugepage/enabled", state);
            host.probe("0", true, huge_pages)
        };
        assert_eq!(pages("always [madvise] never").value, "madvise");
        assert_eq!(pages("always madvise [never]").status, Warn);
        assert_eq!(pages("odd").status, Unknown);
        let merging =
            |run| Fixture::new().file("/sys/kernel/mm/ksm/run", run).probe("0", true, same_pages).status;
        assert_eq!((merging("0"), merging("1"), merging("2")), (Ok, Warn, Ok));
        assert_eq!(Fixture::new().probe("0", true, same_pages).status, Ok);
    }
}
