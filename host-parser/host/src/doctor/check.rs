//! Every check: its name, why it matters, what to do, and what is at fault if it is bad.
//!
//! The names are an interface: scripts match on them. docs/DOCTOR.md has them as a table, held by a test.

use serde::{Serialize, Serializer};

/// What is at fault if a check is bad.
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
        /// One thing that is checked.
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

            /// The part of the report that it is in.
            #[must_use]
            pub const fn group(self) -> &'static str {
                match self { $(Self::$name => $group,)* }
            }

            /// Why it matters for a measurement, in a sentence.
            #[must_use]
            pub const fn why(self) -> &'static str {
                match self { $(Self::$name => $why,)* }
            }

            /// What helps, as a rule; a finding may know better.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* }
            }

            /// What is at fault if it is bad.
            #[must_use]
            pub const fn fault(self) -> Fault {
                match self { $(Self::$name => Fault::$fault,)* }
            }
        }
    };
}

checks! {
    Accelerator = "accelerator" in "guests", else Environment,
        "Emulated CPUs show ratios between cases, and nothing about the times of any hardware.",
        "Use a host with KVM: a bare machine, or a VM with nested virtualisation.";
    Qemu = "qemu" in "guests", else Environment,
        "QEMU runs every guest.",
        "`sudo apt install qemu-system-x86`, or name one with `--qemu PROGRAM`.";
    Firmware = "uefi-firmware" in "guests", else Environment,
        "Experiments that boot by UEFI need it; the others do not.",
        "`sudo apt install ovmf`";
    Built = "built" in "guests", else Environment,
        "Kernel, workers and image tool are what a guest is made of; the twin probes the host, and is the other rows.",
        "`make build`";
    Toolchain = "toolchain" in "guests", else Environment,
        "Another compiler makes another kernel, whose times are not comparable.",
        "`make setup`";
    Cpus = "cpus" in "cpus", else Unsupported,
        "Each worker needs a core of its own; more vCPUs than cores show function, not speed.",
        "Use a host with more cores, or give this process more: affinity, cpuset.";
    Pinning = "pinning" in "cpus", else Unsupported,
        "The scheduler moves vCPUs that are not pinned, and may put two of them on one core.",
        "Name the CPUs with `--cpus LIST`.";
    Smt = "smt" in "cpus", else Unsupported,
        "Two threads of one core share its units: two of them are not two CPUs' worth.",
        "Pin to one thread of each core, or `echo off | sudo tee /sys/devices/system/cpu/smt/control`.";
    CoreKinds = "core-kinds" in "cpus", else Unsupported,
        "Cores of a slower kind take longer for the same work, and a case takes as long as its slowest worker.",
        "Pin to cores of one kind.";
    Caches = "caches" in "cpus", else Unsupported,
        "Which CPUs slow each other down in a cache that they share differs from run to run, if the guest can move.",
        "Pin, so that it is the same in every run; best to CPUs that all share one last-level cache.";
    Numa = "numa" in "cpus", else Unsupported,
        "Memory of another node is further away, and which worker has it differs from run to run.",
        "Pin to the CPUs of one node.";
    Cpuset = "cpuset" in "cpus", else Unsupported,
        "It decides which CPUs this process can get; other cgroups may run on them too, unless it is exclusive.",
        "Make the cgroup a partition of its own: `isolated` into its `cpuset.cpus.partition`.";
    Quota = "cpu-quota" in "cpus", else Unsupported,
        "A cgroup that has used up its quota is stopped for the rest of the period, in the middle of a case.",
        "Take the CPU limit off the container, the service or the slice.";
    Hypervisor = "hypervisor" in "cpus", else Unsupported,
        "This host is a VM itself: its CPUs can be taken away without a trace but steal time.",
        "Measure on a bare machine, or on a VM with dedicated CPUs.";
    Governor = "governor" in "frequency", else Unsupported,
        "A governor that follows the load starts each case slowly, and how slowly differs.",
        "`echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor`";
    Turbo = "turbo" in "frequency", else Unsupported,
        "One busy core is clocked higher than many, so that the speed-up looks smaller than it is.",
        "`echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost`";
    Isolated = "isolated-cpus" in "isolation", else Unsupported,
        "On a CPU kept free of other tasks nothing else runs between two instructions of a vCPU.",
        "Boot the host with `isolcpus=LIST nohz_full=LIST rcu_nocbs=LIST`, then pin to LIST.";
    Tick = "nohz-full" in "isolation", else Unsupported,
        "The host's timer tick interrupts a vCPU hundreds of times a second.",
        "Boot the host with `nohz_full=LIST` for the CPUs of the guest.";
    Rcu = "rcu-nocbs" in "isolation", else Unsupported,
        "Clean-up work of the host's kernel runs on the CPU of a vCPU.",
        "Boot the host with `rcu_nocbs=LIST` for the CPUs of the guest.";
    Scheduling = "scheduling" in "isolation", else Unsupported,
        "Linux stops real-time tasks for a part of every second, as a rule 50 ms: a vCPU then waits, and its round is set aside.",
        "Start it without `chrt`; `sudo nice -n -20` puts it before all other work and is not stopped.";
    Load = "load-average" in "load", else Unsupported,
        "What ran a minute ago may run again: a build, a backup, another measurement.",
        "Wait until `uptime` shows a load near 0.";
    Busy = "busy-now" in "load", else Unsupported,
        "What else runs on a guest's CPU makes its worker late; on a sibling of it, it takes part of the core.",
        "Stop what is named here, and wait for what ends by itself.";
    Steal = "steal" in "load", else Unsupported,
        "The hypervisor under this host gave its CPUs to somebody else.",
        "Use a VM with dedicated CPUs, or try at another time.";
    Clocksource = "clocksource" in "clock", else Unsupported,
        "A host that does not keep its own time by the TSC has found a fault in it.",
        "Look for `tsc` in `sudo dmesg`; use a machine whose TSCs are in step.";
    Tsc = "tsc" in "clock", else Unsupported,
        "The TSC measures time only where it runs at one rate and never stops.",
        "Use a CPU with constant_tsc and nonstop_tsc.";
    Kernel = "host-kernel" in "system", else Unsupported,
        "Times under different kernels of the host are not comparable.",
        "Compare results of one kernel only.";
    Mitigations = "mitigations" in "system", else Unsupported,
        "They change what an exit to the host costs: results compare under the same ones only.",
        "Compare results under the same mitigations only.";
    HugePages = "huge-pages" in "system", else Unsupported,
        "Without huge pages under its memory a guest misses the TLB more often.",
        "`echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled`";
    Ksm = "same-page-merging" in "system", else Unsupported,
        "KSM scans and merges guests' memory while they run, and a write to a merged page costs a copy.",
        "`echo 0 | sudo tee /sys/kernel/mm/ksm/run`";
    Memory = "memory" in "storage", else Environment,
        "A guest whose memory is swapped out or reclaimed waits for the disk.",
        "Stop what holds the memory: `ps aux --sort -rss | head`.";
    Disk = "disk" in "storage", else Output,
        "Logs and results are written while an experiment runs, and a full disk ends it.",
        "Make room: `du -xh . | sort -h | tail`, or write elsewhere with `--out DIR`.";
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
