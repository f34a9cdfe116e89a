//! The checks of the clock and of the hypervisor.

use super::check::Check;
use super::finding::Finding;
use super::host::Host;

/// The checks of the clock.
pub fn probe(host: &Host) -> Vec<Finding> {
    vec![clocksource(host), tsc(host)]
}

/// Whether this host is a VM. In the report this check is with the CPUs.
pub fn hypervisor(host: &Host) -> Finding {
    let Some(flags) = host.root.cpu_flags() else {
        return Check::Hypervisor.unknown("no flags in /proc/cpuinfo");
    };
    if !flags.iter().any(|flag| flag == "hypervisor") {
        return Check::Hypervisor.ok("none: a bare machine");
    }
    let names = ["/sys/hypervisor/type", "/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name"];
    let names: Vec<String> =
        names.into_iter().filter_map(|name| host.root.line(name)).filter(|name| !name.is_empty()).collect();
    let name = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    Check::Hypervisor.warn(format!("this host is a VM itself{name}"))
}

fn clocksource(host: &Host) -> Finding {
    // The paravirtual clocks are derived from the TSC.
    const BY_TSC: [&str; 4] = ["tsc", "kvm-clock", "xen", "hyperv_clocksource_tsc_page"];
    let Some(current) = host.root.line("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    else {
        return Check::Clocksource.unknown("no /sys/devices/system/clocksource");
    };
    let sound = BY_TSC.contains(&current.as_str());
    Check::Clocksource.judge(current, !sound, false)
}

fn tsc(host: &Host) -> Finding {
    let Some(flags) = host.root.cpu_flags() else {
        return Check::Tsc.unknown("no flags in /proc/cpuinfo");
    };
    let (have, lack): (Vec<&str>, Vec<&str>) = ["constant_tsc", "nonstop_tsc"]
        .into_iter()
        .partition(|wanted| flags.iter().any(|flag| flag == wanted));
    let more =
        ["tsc_reliable", "tsc_known_freq"].into_iter().filter(|more| flags.iter().any(|flag| flag == more));
    let seen: Vec<&str> = have.into_iter().chain(more).collect();
    if lack.is_empty() {
        return Check::Tsc.ok(seen.join(", "));
    }
    Check::Tsc.warn(format!("no {}", lack.join(", no ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status::{Ok, Unknown, Warn};
    use crate::fixture::Fixture;

    fn flags(flags: &str) -> Fixture {
        Fixture::new().file("/proc/cpuinfo", &format!("processor\t: 0\nflags\t\t: {flags}\nbugs\t: tsc"))
    }

    #[test]
    fn a_vms_vendor_and_product_are_named() {
        assert_eq!(flags("fpu vmx").probe("0", true, hypervisor).status, Ok);
        let vm = flags("fpu hypervisor").file("/sys/class/dmi/id/sys_vendor", "QEMU");
        let vm = vm.file("/sys/class/dmi/id/product_name", "Standard PC");
        let found = vm.probe("0", true, hypervisor);
        assert_eq!(
            (found.status, found.value.as_str()),
            (Warn, "this host is a VM itself (QEMU, Standard PC)")
        );
        assert_eq!(Fixture::new().probe("0", true, hypervisor).status, Unknown);
    }

    #[test]
    fn warns_of_a_host_that_gave_up_its_tsc() {
        let by = |name| {
            let file = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
            Fixture::new().file(file, name).probe("0", true, clocksource).status
        };
        assert_eq!((by("tsc"), by("kvm-clock"), by("xen"), by("hpet")), (Ok, Ok, Ok, Warn));
        assert_eq!(Fixture::new().probe("0", true, clocksource).status, Unknown);
    }

    #[test]
    fn warns_of_a_tsc_that_changes_its_rate_or_stops() {
        let found = |list| flags(list).probe("0", true, tsc);
        assert_eq!(
            found("constant_tsc nonstop_tsc tsc_reliable").value,
            "constant_tsc, nonstop_tsc, tsc_reliable"
        );
        assert_eq!((found("constant_tsc").status, found("tsc").status), (Warn, Warn));
        assert_eq!(found("tsc").value, "no constant_tsc, no nonstop_tsc");
    }
}
