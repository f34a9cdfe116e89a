//! The list of checks: name, why it matters, remedy, and the kind of fault if the check is bad.
//!
//! The names are an interface: scripts match on them. A test compares the table in docs/DOCTOR.md with this list.

use serde::{Serialize, Serializer};

/// The kind of fault if a check is bad.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Something is missing, too old or broken.
    Environment,
    /// This host cannot give a measurement.
    Unsupported,
    /// Results cannot be written.
    Output,
}

/// Declares the checks, in the order in which they are shown.
macro_rules! checks {
    ($($name:ident = $word:literal in $group:literal, else $fault:ident, $why:literal, $remedy:literal;)*) => {
        /// One check.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub enum Check {
            $(#[doc = $why] $name,)*
        }

        impl Check {
            /// Every check, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its stable name.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Its part of the report.
            #[must_use]
            pub const fn group(self) -> &'static str {
                match self { $(Self::$name => $group,)* }
            }

            /// Why it matters for a measurement, in a sentence.
            #[must_use]
            pub const fn why(self) -> &'static str {
                match self { $(Self::$name => $why,)* }
            }

            /// The general remedy; a finding can have a more specific one.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* }
            }

            /// The kind of fault if it is bad.
            #[must_use]
            pub const fn fault(self) -> Fault {
                match self { $(Self::$name => Fault::$fault,)* }
            }
        }
    };
}

checks! {
    Accelerator = "accelerator" in "guests", else Environment,
        "Emulated CPUs show ratios between cases, but not the times of any hardware.",
        "Use a host with KVM: a bare machine, or a VM with nested virtualisation.";
    Qemu = "qemu" in "guests", else Environment,
        "QEMU runs every guest.",
        "`sudo apt install qemu-system-x86`, or name a QEMU with `--qemu PROGRAM`.";
    OtherVmms = "other-vmms" in "guests", else Environment,
        "Only `--vmm firecracker` and `--vmm cloud-hypervisor` need them.",
        "Put the program in PATH, or name it in ASSAY_FIRECRACKER or ASSAY_CLOUD_HYPERVISOR.";
    Firmware = "uefi-firmware" in "guests", else Environment,
        "Only experiments that boot by UEFI need it.",
        "`sudo apt install ovmf`";
    Built = "built" in "guests", else Environment,
        "A guest needs the kernel and the workers; probes and the `linux` and `native` rows need the twin; \
         disks and ISOs need the image tool.",
        "`make build`";
    Toolchain = "toolchain" in "guests", else Environment,
        "Another compiler builds another kernel, whose times are not comparable.",
        "`make setup`";
    Cpus = "cpus" in "cpus", else Unsupported,
        "Each worker needs a core of its own; more vCPUs than cores show function, not speed.",
        "Use a host with more cores, or allow this process more CPUs by affinity or cpuset.";
    Pinning = "pinning" in "cpus", else Unsupported,
        "The scheduler moves unpinned vCPUs, and may put two of them on one core.",
        "Name the CPUs with `--cpus LIST`.";
    Smt = "smt" in "cpus", else Unsupported,
        "Two threads of one core share its execution units, and are slower than two cores.",
        "Pin to one thread of each core, or `echo off | sudo tee /sys/devices/system/cpu/smt/control`.";
    CoreKinds = "core-kinds" in "cpus", else Unsupported,
        "Cores of a slower kind take longer for the same work, and a case takes as long as its slowest worker.",
        "Pin to cores of one kind.";
    Caches = "caches" in "cpus", else Unsupported,
        "CPUs that share a cache slow each other down; if the guest can move, which ones differs from run to run.",
        "Pin, so that every run shares the same caches; best to CPUs that all share one last-level cache.";
    Numa = "numa" in "cpus", else Unsupported,
        "Memory of another node is slower, and which worker gets it differs from run to run.",
        "Pin to the CPUs of one node.";
    Cpuset = "cpuset" in "cpus", else Unsupported,
        "The cpuset limits this process's CPUs; unless it is exclusive, other cgroups may run on them too.",
        "Make the cgroup an isolated partition: write `isolated` to its `cpuset.cpus.partition`.";
    Quota = "cpu-quota" in "cpus", else Unsupported,
        "Linux stops a cgroup that has used up its quota until the period ends, in the middle of a case.",
        "Remove the CPU limit of the container, the service or the slice.";
    Hypervisor = "hypervisor" in "cpus", else Unsupported,
        "On a VM the hypervisor can take CPUs away, and only steal time shows it.",
        "Measure on a bare machine, or on a VM with dedicated CPUs.";
    Governor = "governor" in "frequency", else Unsupported,
        "A governor that follows the load starts each case at a low and varying clock rate.",
        "`echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor`";
    Turbo = "turbo" in "frequency", else Unsupported,
        "With turbo one busy core runs faster than many, so that the measured speed-up is too small.",
        "`echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost`";
    Isolated = "isolated-cpus" in "isolation", else Unsupported,
        "Linux moves no other task to an isolated CPU, so that none interrupts a vCPU there.",
        "Boot the host with `isolcpus=LIST nohz_full=LIST rcu_nocbs=LIST`, then pin to LIST.";
    Tick = "nohz-full" in "isolation", else Unsupported,
        "The host's timer tick interrupts a vCPU hundreds of times a second.",
        "Boot the host with `nohz_full=LIST` for the CPUs of the guest.";
    Rcu = "rcu-nocbs" in "isolation", else Unsupported,
        "The host kernel's RCU callbacks run on the CPU of a vCPU.",
        "Boot the host with `rcu_nocbs=LIST` for the CPUs of the guest.";
    Scheduling = "scheduling" in "isolation", else Unsupported,
        "Linux stops real-time tasks for part of every second, usually 50 ms: a vCPU waits, and its round is excluded.",
        "Start assay without `chrt`; `sudo nice -n -20` gives it priority without that limit.";
    Load = "load-average" in "load", else Unsupported,
        "Work that ran a minute ago may run again: a build, a backup, another measurement.",
        "Wait until `uptime` shows a load near 0.";
    Busy = "busy-now" in "load", else Unsupported,
        "Other work on a guest's CPU delays its worker; on an SMT sibling it takes part of the core.",
        "Stop the programs named here, or wait until they end.";
    Steal = "steal" in "load", else Unsupported,
        "The hypervisor under this host gave CPU time to other guests.",
        "Use a VM with dedicated CPUs, or try at another time.";
    Clocksource = "clocksource" in "clock", else Unsupported,
        "A Linux host that does not use the TSC as its clock has found a fault in it.",
        "Search `sudo dmesg` for `tsc`; use a machine whose TSCs are in step.";
    Tsc = "tsc" in "clock", else Unsupported,
        "The TSC measures time only if it runs at a constant rate and never stops.",
        "Use a CPU with constant_tsc and nonstop_tsc.";
    Kernel = "host-kernel" in "system", else Unsupported,
        "Times under different host kernels are not comparable.",
        "Compare only results from the same host kernel.";
    Mitigations = "mitigations" in "system", else Unsupported,
        "Mitigations change the cost of an exit to the host.",
        "Compare only results under the same mitigations.";
    HugePages = "huge-pages" in "system", else Unsupported,
        "A guest whose memory is not backed by huge pages misses the TLB more often.",
        "`echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled`";
    Ksm = "same-page-merging" in "system", else Unsupported,
        "KSM scans and merges a guest's memory while it runs, and a write to a merged page costs a copy.",
        "`echo 0 | sudo tee /sys/kernel/mm/ksm/run`";
    Memory = "memory" in "storage", else Environment,
        "A guest whose memory is swapped out or reclaimed waits for the disk.",
        "Stop the programs that use the memory: `ps aux --sort -rss | head`.";
    Disk = "disk" in "storage", else Output,
        "An experiment writes logs and results while it runs, and a full disk ends it.",
        "Free space: `du -xh . | sort -h | tail` lists the largest folders; or write elsewhere with `--out DIR`.";
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable_words_and_groups_are_together() {
        let mut groups: Vec<&str> = Check::ALL.iter().map(|check| check.group()).collect();
        groups.dedup();
        for (i, group) in groups.iter().enumerate() {
            assert!(!groups[..i].contains(group), "{group} is in two places");
        }
        for (i, check) in Check::ALL.iter().enumerate() {
            let word = check.word();
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{word}");
            assert!(Check::ALL[..i].iter().all(|other| other.word() != word), "{word}");
            assert!(check.why().ends_with('.') && check.remedy().ends_with(['.', '`']), "{word}");
        }
    }
}
