//! Clock rates: the host's governor, and whether one busy core may run faster than many (turbo).

use std::collections::BTreeSet;

use super::check::Check;
use super::finding::Finding;
use super::host::Host;

/// The checks of the clock rates.
pub fn probe(host: &Host) -> Vec<Finding> {
    vec![governor(host), turbo(host)]
}

fn governor(host: &Host) -> Finding {
    let governors = governors(host);
    let value = governors.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    match governors.len() {
        0 => Check::Governor.unknown(not_there(host)),
        1 if value == "performance" => Check::Governor.ok(value),
        _ => Check::Governor.warn(value),
    }
}

fn turbo(host: &Host) -> Finding {
    match boost(host) {
        Some(Boost { on: true, switch }) => Check::Turbo.warn("on").remedy(match switch {
            INTEL => format!("`echo 1 | sudo tee {INTEL}`"),
            switch => format!("`echo 0 | sudo tee {switch}`"),
        }),
        Some(Boost { on: false, .. }) => Check::Turbo.ok("off"),
        None => Check::Turbo.unknown(not_there(host)),
    }
}

const INTEL: &str = "/sys/devices/system/cpu/intel_pstate/no_turbo";
const GENERAL: &str = "/sys/devices/system/cpu/cpufreq/boost";
const EACH: &str = "/sys/devices/system/cpu/cpu*/cpufreq/boost";

/// Turbo: the clock rates that only some of the cores can reach at a time.
pub struct Boost {
    /// Whether it is on.
    pub on: bool,
    /// The file that switches it.
    switch: &'static str,
}

/// Reads the switches. Under intel_pstate there is no general switch. amd-pstate also has one for each policy, which counts
/// only while the general one, if there is one, is on.
pub fn boost(host: &Host) -> Option<Boost> {
    if let Some(no_turbo) = host.root.number(INTEL) {
        return Some(Boost { on: no_turbo == 0, switch: INTEL });
    }
    let general = host.root.number(GENERAL);
    if general == Some(0) {
        return Some(Boost { on: false, switch: GENERAL });
    }
    let each: Vec<u64> = host
        .cpus
        .iter()
        .filter_map(|cpu| host.root.number(&format!("/sys/devices/system/cpu/cpu{cpu}/cpufreq/boost")))
        .collect();
    match (general, each.as_slice()) {
        (_, [_, ..]) => Some(Boost { on: each.contains(&1), switch: EACH }),
        (Some(general), []) => Some(Boost { on: general == 1, switch: GENERAL }),
        (None, []) => None,
    }
}

/// The governors of the guest's CPUs.
pub fn governors(host: &Host) -> BTreeSet<String> {
    let cpus = host.cpus.iter();
    cpus.filter_map(|cpu| {
        host.root.line(&format!("/sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor"))
    })
    .collect()
}

fn not_there(host: &Host) -> &'static str {
    let guest = host.root.cpu_flags().is_some_and(|flags| flags.iter().any(|flag| flag == "hypervisor"));
    if guest { "the hypervisor under this host decides" } else { "the host's kernel does not show it" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status::{Ok, Unknown, Warn};
    use crate::fixture::Fixture;

    fn governed(governors: &[&str]) -> Fixture {
        let at = |cpu| format!("/sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor");
        governors
            .iter()
            .enumerate()
            .fold(Fixture::new(), |host, (cpu, governor)| host.file(&at(cpu), governor))
    }

    #[test]
    fn only_the_performance_governor_is_steady() {
        let judged = |governors: &[&str]| {
            let found = governed(governors).probe("0,1", true, governor);
            (found.status, found.value)
        };
        assert_eq!(judged(&["performance", "performance"]), (Ok, "performance".to_owned()));
        assert_eq!(judged(&["powersave", "powersave"]), (Warn, "powersave".to_owned()));
        assert_eq!(judged(&["schedutil", "performance"]), (Warn, "performance, schedutil".to_owned()));
        // Other CPUs' governors do not matter.
        assert_eq!(judged(&["performance", "performance", "powersave"]).0, Ok);
    }

    #[test]
    fn turbo_is_found_under_both_names_and_the_remedy_names_the_switch() {
        let intel = |value| Fixture::new().file("/sys/devices/system/cpu/intel_pstate/no_turbo", value);
        let others = |value| Fixture::new().file("/sys/devices/system/cpu/cpufreq/boost", value);
        let judge = |host: Fixture| host.probe("0", true, turbo);
        assert_eq!(judge(intel("1")).status, Ok);
        assert_eq!(judge(others("0")).status, Ok);
        assert!(judge(intel("0")).help().contains("echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate"));
        assert!(
            judge(others("1")).help().contains("echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost")
        );
    }

    #[test]
    fn each_cpus_switch_counts_only_while_the_general_one_is_on() {
        let each = |cpu| format!("/sys/devices/system/cpu/cpu{cpu}/cpufreq/boost");
        let judge = |general: Option<&str>, on: [&str; 2]| {
            let host = general.map_or_else(Fixture::new, |on| Fixture::new().file(GENERAL, on));
            let host = host.file(&each(0), on[0]).file(&each(1), on[1]);
            host.probe("0,1", true, turbo)
        };
        assert_eq!(judge(Some("1"), ["0", "0"]).status, Ok);
        assert_eq!(judge(Some("0"), ["1", "1"]).status, Ok);
        let found = judge(None, ["0", "1"]);
        assert!(found.status == Warn && found.help().contains("cpu*/cpufreq/boost"), "{found:?}");
    }

    #[test]
    fn in_a_vm_the_rates_are_unknown_because_the_hypervisor_decides() {
        let vm = Fixture::new().file("/proc/cpuinfo", "flags\t\t: fpu hypervisor");
        vm.probe("0", true, |host| {
            assert_eq!((governor(host).status, turbo(host).status), (Unknown, Unknown));
            assert!(turbo(host).value.contains("hypervisor"));
        });
        assert_eq!(governed(&["performance"]).probe("0", true, turbo).status, Unknown);
        assert_eq!(governed(&["powersave"]).probe("0", true, governor).status, Warn);
    }
}
