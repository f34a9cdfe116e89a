//! The words that are values in records.

use super::value::words;

words! {
    /// The firmware or VMM that started the kernel.
    pub enum Firmware {
        /// By the loader from a BIOS.
        Bios = "bios",
        /// By the loader from UEFI.
        Uefi = "uefi",
        /// By the loader, which does not report the firmware.
        Unknown = "unknown",
        /// By a VMM that entered the kernel directly (PVH), without a loader.
        Direct = "direct",
    }

    /// How the RSDP was found, which leads to all ACPI tables.
    pub enum RsdpSource {
        /// The loader, or the start info of a VMM, names it.
        Named = "named",
        /// By a search of the first KiB of the extended BIOS data area.
        Ebda = "ebda",
        /// By a search of the BIOS's memory, E0000H to FFFFFH.
        BiosArea = "bios-area",
        /// It was not found.
        None = "none",
    }

    /// The mode of the local APICs.
    pub enum ApicMode {
        /// Registers in memory, 8-bit IDs.
        Xapic = "xapic",
        /// Registers by MSR, 32-bit IDs.
        X2apic = "x2apic",
    }

    /// The state of a CPU in the MADT.
    pub enum CpuState {
        /// It runs this kernel's boot path: the bootstrap processor.
        Bsp = "bsp",
        /// It was started and has checked in.
        Online = "online",
        /// It was sent INIT and SIPI and did not check in before the time-out.
        NoResponse = "no-response",
        /// It was not started: the MADT does not enable it, or the kernel has no room for it.
        Skipped = "skipped",
    }

    /// A scheduling class of Linux (sched(7)).
    pub enum SchedulingClass {
        /// SCHED_OTHER, which shares a CPU among its threads.
        Other = "other",
        /// SCHED_FIFO, whose threads run until they block or one of a higher priority wants the CPU.
        Fifo = "fifo",
    }

    /// The source of a word of the boot configuration.
    pub enum ConfigSource {
        /// The file in the ramdisk.
        File = "file",
        /// The command line of the VMM.
        CommandLine = "command-line",
    }

    /// The source of a TSC frequency, in the order of preference: the hypervisor, the CPU, then counters.
    pub enum TscSource {
        /// CPUID leaf 4000_0010H of the hypervisor, or leaf 10H of KVM's range elsewhere.
        Hypervisor = "hypervisor",
        /// MSR 4000_0022H of Hyper-V.
        HyperV = "hyper-v",
        /// KVM's paravirtual clock.
        Kvmclock = "kvmclock",
        /// CPUID leaf 15H, crystal clock and ratio.
        Cpuid15 = "cpuid-15h",
        /// Counted against the HPET.
        Hpet = "hpet",
        /// Counted against the ACPI power-management timer.
        PmTimer = "pm-timer",
        /// Counted against channel 2 of the PIT.
        Pit = "pit",
        /// Counted against the seconds of the real-time clock.
        Rtc = "rtc",
        /// The calibration of Linux, from its log.
        Linux = "linux",
        /// Counted against CLOCK_MONOTONIC_RAW of Linux.
        ClockMonotonic = "clock-monotonic",
    }

    /// The counter that is held against the TSC, in the order of preference.
    pub enum SecondSource {
        /// The HPET.
        Hpet = "hpet",
        /// The ACPI power-management timer.
        PmTimer = "pm-timer",
        /// CLOCK_MONOTONIC_RAW of Linux.
        ClockMonotonic = "clock-monotonic",
        /// The paravirtual clock of KVM. It is the TSC, scaled by what the host has stated.
        Kvmclock = "kvmclock",
        /// The seconds of the real-time clock: a clock of its own, but a coarse one.
        Rtc = "rtc",
        /// None: the times rest on the TSC alone.
        None = "none",
    }

    /// A register that a `register` record describes, by the name of its manual (Intel SDM vol. 3A and 4; AMD64 APM vol.
    /// 2).
    pub enum RegisterName {
        /// Debug status.
        Dr6 = "dr6",
        /// Debug control.
        Dr7 = "dr7",
        /// The selector of the local descriptor table.
        Ldtr = "ldtr",
        /// The extended state that is enabled.
        Xcr0 = "xcr0",
        /// The extended state that is in use, that is, not in its initial configuration (XGETBV with ECX = 1). An emulator
        /// may report all that is enabled.
        Xinuse = "xinuse",
        /// IA32_SYSENTER_CS.
        SysenterCs = "sysenter-cs",
        /// IA32_TSC_AUX.
        TscAux = "tsc-aux",
        /// IA32_DEBUGCTL.
        Debugctl = "debugctl",
        /// IA32_SPEC_CTRL: mitigations of speculation that are in force.
        SpecCtrl = "spec-ctrl",
        /// IA32_ARCH_CAPABILITIES: what the CPU needs no mitigation for.
        ArchCapabilities = "arch-capabilities",
        /// IA32_PAT: the memory types of pages.
        Pat = "pat",
        /// IA32_MTRR_DEF_TYPE: the memory type of addresses in no range.
        MtrrDefType = "mtrr-def-type",
        /// IA32_MISC_ENABLE, with the fast strings, the prefetchers of some CPUs and the turbo clock.
        MiscEnable = "misc-enable",
        /// IA32_PM_ENABLE: whether the CPU chooses its clock by itself (HWP).
        PmEnable = "pm-enable",
        /// IA32_HWP_REQUEST: between which limits.
        HwpRequest = "hwp-request",
        /// IA32_ENERGY_PERF_BIAS.
        EnergyPerfBias = "energy-perf-bias",
        /// DE_CFG of AMD, whose bit 1 makes LFENCE wait for earlier instructions.
        DeCfg = "de-cfg",
        /// HWCR of AMD, whose bit 25 switches the boost clock off.
        Hwcr = "hwcr",
    }

    /// A moment of an iteration at which the clocks are read.
    pub enum Moment {
        /// After `case-ready`, before anything is done for the iteration.
        Ready = "ready",
        /// When the last worker had finished its warm-up: the common start is decided from this reading.
        Warm = "warm",
        /// When the last worker had come back from its timed call, before its CPU checked its pace.
        Back = "back",
        /// When the iteration was over, its verify calls included, before `case-begin`.
        Done = "done",
    }

    /// The system that runs the workers and prints the records.
    pub enum SystemName {
        /// The Assay kernel.
        Assay = "assay",
        /// Linux as a guest, with the twin as its first process.
        Linux = "linux",
        /// Linux as the host, with the twin as an ordinary program: the ceiling for that host.
        Native = "native",
    }

    /// The reason why a case of the plan was not run.
    pub enum SkipReason {
        /// Fewer CPUs are online than it has workers.
        Cpus = "cpus",
        /// A worker's address space could not be built.
        Memory = "memory",
        /// The ramdisk lacks the ELF of the workload, or its hash is not that of the plan.
        Blob = "blob",
        /// A CPU that the case needs did not return from an earlier case.
        CpuLost = "cpu-lost",
        /// The machine lacks what the plan requires: a CPU feature, or pages of the size.
        Unsupported = "unsupported",
        /// The ramdisk lacks the corpus, or its hash is not that of the plan.
        Corpus = "corpus",
    }

    /// The end of one worker.
    pub enum WorkerStatus {
        /// It returned with a complete result.
        Done = "done",
        /// It took a fault; see the `fault` record.
        Fault = "fault",
        /// It did not return before its time-out and was stopped.
        Timeout = "timeout",
        /// It returned without a complete result.
        Incomplete = "incomplete",
        /// Its CPU did not report back, though the time-out should have stopped the worker.
        Lost = "lost",
    }

    /// The status of the whole run, as the kernel sees it. The host tool judges for itself.
    pub enum RunStatus {
        /// Every case ran, and every worker gave the answer that the plan expects.
        Ok = "ok",
        /// Something failed; the records show it.
        Failed = "failed",
    }

    /// The source that groups CPUs into cores, in the order of preference.
    pub enum TopologySource {
        /// CPUID leaf 1FH.
        Cpuid1f = "cpuid-1fh",
        /// CPUID leaf 8000_0026H of AMD.
        Cpuid80000026 = "cpuid-8000-0026h",
        /// CPUID leaf 0BH.
        Cpuid0b = "cpuid-0bh",
        /// CPUID leaves 8000_0008H and 8000_001EH of AMD.
        CpuidAmd = "cpuid-amd",
        /// CPUID leaves 1 and 4.
        CpuidLegacy = "cpuid-legacy",
        /// None: whether a CPU is a core is unknown.
        None = "none",
    }

    /// The kind of core, for a processor with several kinds (CPUID leaf 1AH, or 8000_0026H of AMD).
    pub enum CoreKind {
        /// The processor has one kind, or reports no more.
        Alike = "alike",
        /// Intel Core, or AMD's performance core: the larger kind.
        Performance = "performance",
        /// Intel Atom, or AMD's efficiency core: the smaller kind.
        Efficient = "efficient",
        /// An unknown kind.
        Other = "other",
    }

    /// A step of the boot, in order.
    pub enum Stage {
        /// From the first instruction to the first record.
        Entry = "entry",
        /// The records that describe the machine, and the serial ports.
        Console = "console",
        /// Heap and page tables.
        Memory = "memory",
        /// Firmware's tables.
        Acpi = "acpi",
        /// The local APIC, and the BSP's own data.
        Bsp = "bsp",
        /// The TSC's frequency.
        Clock = "clock",
        /// The start of the other CPUs.
        Aps = "aps",
        /// Their clocks and places, and the records about them.
        Machine = "machine",
        /// The boot is over: the plan runs.
        Run = "run",
    }

    /// What a command has a running machine do.
    pub enum CommandKind {
        /// It runs a plan.
        Exec = "exec",
        /// It puts into its memory and its CPUs what it must keep while it is saved and loaded.
        Hold = "hold",
        /// It reports what of that it has kept.
        Check = "check",
    }

    /// What a check spoils before it looks, to show that it notices that.
    pub enum Spoilt {
        /// Nothing.
        None = "none",
        /// A word of the memory.
        Memory = "memory",
        /// The x87 and SSE state of the last CPU.
        Fpu = "fpu",
        /// A register of the last CPU's local APIC.
        Apic = "apic",
        /// The last CPU's armed timer, which is stopped.
        Timer = "timer",
        /// The TSC of the last CPU, which appears to be ahead.
        Tsc = "tsc",
    }

    /// What became of a timer that was armed.
    pub enum TimerState {
        /// The CPU has none: it was not free for one.
        None = "none",
        /// It has fired once, and not too early.
        Fired = "fired",
        /// It has not fired.
        Lost = "lost",
        /// It has fired before it was due, or more than once.
        Wrong = "wrong",
    }

    /// What KVM's clock says of a pause.
    pub enum KvmclockState {
        /// The machine does not use this clock.
        None = "none",
        /// It reports no pause.
        Running = "running",
        /// It reports that the machine was stopped.
        Stopped = "stopped",
    }

    /// Why a line that came to a running machine is no command that it takes.
    pub enum RefusedFor {
        /// It is longer than a command can be.
        TooLong = "too-long",
        /// Its end did not come in time.
        TooSlow = "too-slow",
        /// The port lost bytes: they came faster than they were read.
        Overrun = "overrun",
        /// It has not the form of a command.
        Malformed = "malformed",
        /// Its checksum does not match.
        Checksum = "checksum",
        /// No command has its word.
        Unknown = "unknown",
        /// It is for another moment, or another boot: it names another stream than the last.
        Replayed = "replayed",
        /// Its number is not the next.
        OutOfOrder = "out-of-order",
        /// Its plan is none, or cannot be run by a machine that is up.
        Plan = "plan",
    }

    /// The outcome of the search for SMBIOS tables.
    pub enum SmbiosState {
        /// They were found and read.
        Found = "found",
        /// The BIOS area has no entry point. Under UEFI it is elsewhere, and the loader does not report where.
        Unavailable = "unavailable",
        /// There is an entry point, but no readable table.
        Damaged = "damaged",
    }

    /// A string of the SMBIOS tables. Strings that identify one machine among others of its kind (serial numbers,
    /// UUIDs) are not read.
    pub enum DmiField {
        /// The vendor of the firmware.
        BiosVendor = "bios-vendor",
        /// The version of the firmware.
        BiosVersion = "bios-version",
        /// The date of the firmware.
        BiosDate = "bios-date",
        /// The vendor of the machine.
        SystemVendor = "system-vendor",
        /// The name of the machine.
        SystemProduct = "system-product",
        /// The version of the machine.
        SystemVersion = "system-version",
        /// The asset tag of the chassis, which identifies some clouds.
        ChassisAssetTag = "chassis-asset-tag",
    }
}
