//! The words that stand as values in records.

use super::value::words;

words! {
    /// How the kernel was started.
    pub enum Firmware {
        /// By the loader from a BIOS.
        Bios = "bios",
        /// By the loader from UEFI.
        Uefi = "uefi",
        /// By the loader, which does not say from what.
        Unknown = "unknown",
        /// By a VMM, which entered the kernel itself (PVH), without a loader.
        Direct = "direct",
    }

    /// The mode of the local APICs.
    pub enum ApicMode {
        /// Registers in memory, 8-bit ids.
        Xapic = "xapic",
        /// Registers by MSR, 32-bit ids.
        X2apic = "x2apic",
    }

    /// What became of a CPU that the MADT lists.
    pub enum CpuState {
        /// It runs this kernel's boot path: the bootstrap processor.
        Bsp = "bsp",
        /// It was started and checked in.
        Online = "online",
        /// It was sent INIT and SIPI and did not check in before the time-out.
        NoResponse = "no-response",
        /// It was not started: the MADT does not enable it, or the kernel has no room for it.
        Skipped = "skipped",
    }

    /// Where a word of the boot configuration stood.
    pub enum ConfigSource {
        /// In the ramdisk's file.
        File = "file",
        /// On the VMM's command line.
        CommandLine = "command-line",
    }

    /// Where a TSC frequency comes from, in the order in which one is chosen.
    pub enum TscSource {
        /// CPUID leaf 15H, crystal clock and ratio.
        Cpuid15 = "cpuid-15h",
        /// The hypervisor's CPUID leaf 4000_0010H.
        Hypervisor = "hypervisor",
        /// KVM's paravirtual clock.
        Kvmclock = "kvmclock",
        /// Counted against the HPET.
        Hpet = "hpet",
        /// Counted against the ACPI power-management timer.
        PmTimer = "pm-timer",
        /// Counted against channel 2 of the PIT.
        Pit = "pit",
        /// Counted against the seconds of the real-time clock.
        Rtc = "rtc",
        /// Linux's own calibration, as its log has it.
        Linux = "linux",
        /// Counted against Linux's CLOCK_MONOTONIC_RAW.
        ClockMonotonic = "clock-monotonic",
    }

    /// What runs the workers and prints the records.
    pub enum SystemName {
        /// The Assay kernel.
        Assay = "assay",
        /// Linux as a guest, with the twin as its first process.
        Linux = "linux",
        /// Linux as the host, with the twin as an ordinary program: the ceiling for that host.
        Native = "native",
    }

    /// Why a case of the plan was not run.
    pub enum SkipReason {
        /// Fewer CPUs are online than it has workers.
        Cpus = "cpus",
        /// A worker's address space could not be built.
        Memory = "memory",
        /// The ramdisk does not have the workload's ELF, or has another than the plan says.
        Blob = "blob",
        /// A CPU that the case needs did not come back from an earlier one.
        CpuLost = "cpu-lost",
    }

    /// What became of one worker.
    pub enum WorkerStatus {
        /// It ran to its end and left a complete result.
        Done = "done",
        /// It took a fault; see the `fault` record.
        Fault = "fault",
        /// It did not return before the case's time-out and was stopped.
        Timeout = "timeout",
        /// It returned without a complete result.
        Incomplete = "incomplete",
        /// Its CPU never reported back, though it could have been stopped.
        Lost = "lost",
    }

    /// The kernel's own view of the whole run. The host tool judges for itself.
    pub enum RunStatus {
        /// Every case ran, and every worker gave the answer that the plan expects.
        Ok = "ok",
        /// Something did not hold; the records say what.
        Failed = "failed",
    }

    /// What tells which CPUs share a core, in the order in which it is asked.
    pub enum TopologySource {
        /// CPUID leaf 1FH.
        Cpuid1f = "cpuid-1fh",
        /// CPUID leaf 0BH.
        Cpuid0b = "cpuid-0bh",
        /// CPUID leaves 8000_0008H and 8000_001EH, of AMD.
        CpuidAmd = "cpuid-amd",
        /// CPUID leaves 1 and 4.
        CpuidLegacy = "cpuid-legacy",
        /// Nothing: each CPU may be a core or not.
        None = "none",
    }

    /// What kind of core a CPU is of, where a processor has several kinds (CPUID leaf 1AH).
    pub enum CoreKind {
        /// The processor has one kind, or does not say that it has more.
        Alike = "alike",
        /// Intel Core: the larger kind.
        Performance = "performance",
        /// Intel Atom: the smaller kind.
        Efficient = "efficient",
        /// A kind that this kernel does not know.
        Other = "other",
    }

    /// What became of the search for SMBIOS tables.
    pub enum SmbiosState {
        /// They were found and read.
        Found = "found",
        /// There is no entry point in the BIOS's part of memory; under UEFI it is elsewhere, and the loader does not say
        /// where.
        Unavailable = "unavailable",
        /// An entry point leads to no table that can be read.
        Damaged = "damaged",
    }

    /// A string of the SMBIOS tables. Those that tell one machine from another of its kind (serial numbers, UUIDs) are
    /// not read.
    pub enum DmiField {
        /// The firmware's vendor.
        BiosVendor = "bios-vendor",
        /// The firmware's version.
        BiosVersion = "bios-version",
        /// The firmware's date.
        BiosDate = "bios-date",
        /// The machine's vendor.
        SystemVendor = "system-vendor",
        /// The machine's name.
        SystemProduct = "system-product",
        /// The machine's version.
        SystemVersion = "system-version",
        /// The chassis's asset tag, by which some clouds are told.
        ChassisAssetTag = "chassis-asset-tag",
    }
}
