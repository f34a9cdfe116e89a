//! The records there are.

use super::{Hex64, Label, Text, messages};
use crate::control::ControlKind;
use crate::syscall::Authority;
use crate::{ApicId, CpuId, Digest};

pub use super::words::{
    ApicMode, ConfigSource, CoreKind, CpuState, DmiField, Firmware, RunStatus, SkipReason, SmbiosState,
    SystemName, TopologySource, TscSource, WorkerStatus,
};

/// The version of the records below; the tag's number. A change that an older reader would misread raises both.
pub const PROTOCOL: u16 = 1;

messages! {
    /// A record: one thing that the kernel has to say.
    pub enum Record;

    /// The first record of a boot, printed before anything can go wrong.
    Start = "start" {
        /// The version of the records.
        proto: u16,
        /// A number that differs from boot to boot, so that a reboot shows.
        nonce: Hex64,
        /// SHA-256 of the plan's bytes; of no bytes, where there is no plan.
        plan: Digest,
        /// The first 8 bytes of the kernel ELF's GNU build ID; 0 where it has none or keeps it to itself.
        build: Hex64,
    }

    /// What the machine says of itself.
    Machine = "machine" {
        /// How the kernel was started.
        firmware: Firmware,
        /// CPUID's vendor string.
        vendor: Label,
        /// CPUID.1:EAX: family, model and stepping.
        signature: Hex64,
        /// CPUID leaf 4000_0000H's signature, where CPUID says that there is a hypervisor.
        hypervisor: Text<36>,
    }

    /// Which system this is: what is compared with what.
    System = "system" {
        /// Its name.
        name: SystemName,
        /// The kernel's version; for Linux what uname calls the release.
        release: Text<90>,
    }

    /// The name of the CPU.
    Brand = "brand" {
        /// CPUID's brand string.
        name: Text<120>,
    }

    /// What the kernel switched on. What the CPU lacks is 0.
    Features = "features" {
        /// The mode of the local APICs, which firmware chose.
        apic: ApicMode,
        /// No-execute pages.
        nx: bool,
        /// Supervisor-mode execution prevention.
        smep: bool,
        /// Supervisor-mode access prevention.
        smap: bool,
        /// User-mode instruction prevention.
        umip: bool,
        /// CPUID promises that the TSC runs at one rate in every state.
        invariant_tsc: bool,
    }

    /// The memory the kernel found.
    Memory = "memory" {
        /// Bytes that the memory map calls usable.
        usable_bytes: u64,
        /// Usable regions after sorting and merging.
        regions: u32,
        /// Bytes given to the kernel's heap; 0 for a kernel that sets none aside.
        heap_bytes: u64,
    }

    /// The boot configuration in force. It changes where the kernel talks and how it ends, never what is measured.
    Config = "config" {
        /// Where records go: the serial ports, with a `+` between, as `serial=` names them.
        serial: Text<48>,
        /// What follows the last record, as `after=` names it.
        after: Text<36>,
        /// Whether text goes to a screen too.
        display: bool,
        /// Words that were passed over; each has its `config-ignored` before this.
        ignored: u16,
    }

    /// A word of the boot configuration that was passed over: not understood, or of no use on this machine. What it
    /// would have set stays at its default.
    ConfigIgnored = "config-ignored" {
        /// Where it stood.
        from: ConfigSource,
        /// Its line there, from 1; 0 for all of it.
        line: u16,
        /// The word.
        word: Text<64>,
    }

    /// One processor entry of the MADT.
    Cpu = "cpu" {
        /// Its dense number; for one that was skipped, the number of its entry.
        cpu: CpuId,
        /// Its local APIC id.
        apic: ApicId,
        /// What became of it.
        state: CpuState,
        /// Cycles from the first SIPI of all to its check-in; 0 where it did not check in, on the BSP, and where it is
        /// not known.
        cycles: u64,
    }

    /// Where a CPU that is online is in the machine, by what it says of itself. Two CPUs are SMT siblings where their
    /// `core` is the same; `-` is what is not told.
    Topology = "topology" {
        /// Its dense number.
        cpu: CpuId,
        /// What tells.
        source: TopologySource,
        /// Its package: its APIC id without the bits that tell one CPU of a package from another.
        package: Option<u32>,
        /// Its die, likewise, where dies are told apart.
        die: Option<u32>,
        /// Its core, likewise.
        core: Option<u32>,
        /// Which thread of its core it is.
        thread: Option<u32>,
        /// The kind of its core.
        kind: CoreKind,
        /// Its proximity domain, by the SRAT.
        node: Option<u32>,
    }

    /// What else the machine says of itself, for those who publish a result.
    Platform = "platform" {
        /// The hypervisor's largest CPUID leaf; 0 where CPUID shows none.
        hypervisor_leaf: Hex64,
        /// The microcode's revision; 0 where it is not told.
        microcode: Hex64,
        /// What became of the search for SMBIOS tables.
        smbios: SmbiosState,
    }

    /// A string of the SMBIOS tables that is there and not empty.
    Dmi = "dmi" {
        /// Which.
        field: DmiField,
        /// Its text.
        text: Text<96>,
    }

    /// One measurement of the TSC's frequency.
    TscReading = "tsc-reading" {
        /// What it comes from.
        source: TscSource,
        /// The frequency.
        khz: u64,
    }

    /// The TSC's frequency as used from here on.
    Tsc = "tsc" {
        /// The source chosen.
        source: TscSource,
        /// The frequency.
        khz: u64,
        /// How many sources gave a reading.
        sources: u16,
        /// The largest difference between a reading and the chosen one, in parts per million.
        spread_ppm: u32,
    }

    /// Whether the CPUs' TSCs are in step: all CPUs read theirs in turn, as fast as they can, and no reading may be
    /// before one that another CPU had already published.
    Warp = "warp" {
        /// CPUs that took part.
        cpus: u16,
        /// Readings in all.
        samples: u64,
        /// Readings that came after another CPU's: how often the test could have seen something.
        handovers: u64,
        /// The least of them for any CPU, in either direction: readings of its own that came after another's, or readings
        /// of another that came after its own.
        least: u64,
        /// The furthest any reading was behind, in cycles.
        max_warp: u64,
    }

    /// One step of the boot.
    Phase = "phase" {
        /// Its name.
        name: Label,
        /// Its length in TSC cycles.
        cycles: u64,
    }

    /// The plan tells the kernel to do something wrong. Printed only then; such a run never passes.
    Control = "control" {
        /// What.
        kind: ControlKind,
        /// On which CPU, where that matters.
        target: u16,
    }

    /// What the plan asks for. With `blob` and `split` it makes a log complete: it can be judged without the plan.
    Experiment = "experiment" {
        /// The experiment's name.
        name: Label,
        /// The workload's name.
        workload: Label,
        /// The syscalls its workers may make.
        authority: Authority,
    }

    /// The plan is a sweep: its cases are worked out from the machine's cores and CPUs, by `abi::sweep`.
    Sweep = "sweep" {
        /// How often every case is to be run.
        iterations: u16,
        /// What the order of the cases in each iteration comes from.
        seed: Hex64,
        /// Cores among the CPUs that are online, as far as `topology` tells them apart.
        cores: u16,
        /// CPUs that are online.
        cpus: u16,
    }

    /// What the plan gives one worker of a case.
    Split = "split" {
        /// The case.
        case: u16,
        /// The worker.
        worker: u16,
        /// The first parameter.
        p0: u64,
        /// The second parameter.
        p1: u64,
        /// The third parameter.
        p2: u64,
        /// The fourth parameter.
        p3: u64,
    }

    /// A worker's ELF, as found in the ramdisk.
    Blob = "blob" {
        /// The workload's name.
        name: Label,
        /// Its length.
        bytes: u32,
        /// SHA-256 of its bytes.
        sha256: Digest,
    }

    /// An iteration is about to begin: what the host does from here to `case-begin` may disturb it. A watcher takes
    /// its readings at these two.
    CaseReady = "case-ready" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
    }

    /// An iteration of a case was begun: its workers are ready and all will start at one TSC value.
    CaseBegin = "case-begin" {
        /// The case, named by how many workers it has.
        case: u16,
        /// Which iteration, from 0.
        iter: u16,
        /// The TSC value at which all start.
        start_tsc: u64,
    }

    /// How one worker's timed region went.
    Worker = "worker" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The worker, from 0.
        worker: u16,
        /// The CPU it ran on.
        cpu: CpuId,
        /// Cycles from the common start to its own first reading.
        skew: u64,
        /// Cycles from its first reading to its last.
        cycles: u64,
        /// The same shifted right by 20, the unit of the field's tables; at most 2^32 - 1.
        scaled: u32,
        /// Interrupts that its CPU took while it was in ring 3; under Linux, which allows them, from the workers'
        /// meeting to the worker's return.
        irqs: u16,
    }

    /// What one worker answered.
    Answer = "result" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The worker.
        worker: u16,
        /// The answer to the workload's question.
        answer: u64,
        /// The work done, in the workload's unit.
        work: u64,
        /// The digest of the answer's parts.
        digest: Hex64,
    }

    /// How one worker ended, and what it asked of the kernel beyond its authority.
    WorkerEnd = "worker-end" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The worker.
        worker: u16,
        /// The CPU it ran on.
        cpu: CpuId,
        /// What became of it.
        status: WorkerStatus,
        /// Syscalls outside its authority, all refused.
        refused: u32,
        /// The number of the first of them; 0 where there is none.
        first_refused: u64,
    }

    /// A fault that a worker took.
    Fault = "fault" {
        /// The worker.
        worker: u16,
        /// The exception's mnemonic.
        exception: Label,
        /// Its error code; 0 for one that has none.
        error: Hex64,
        /// Where: the instruction's address, relative to the worker's image where it is in it.
        rip: Hex64,
        /// CR2 for a page fault, else 0.
        address: Hex64,
    }

    /// What a worker's CPU saw of its host just before and just after the timed run, in half a millisecond each of
    /// reading the TSC with the same work between any two readings: the longest time between two of them, and how many
    /// there were. A CPU that was taken away shows a gap; one that was only slowed down, fewer readings. The work is
    /// additions and the like that do not wait for each other, as many at once as a core can do, of which its other
    /// thread takes half.
    Gap = "gap" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The worker.
        worker: u16,
        /// Its CPU.
        cpu: CpuId,
        /// Before, in cycles.
        before: u64,
        /// After, in cycles.
        after: u64,
        /// Readings before: the CPU's pace then.
        reads_before: u32,
        /// Readings after.
        reads_after: u32,
        /// Time that the hypervisor says it took from this CPU in between, in ns; natively, the time that the worker's
        /// process waited for its CPU; `-` where nobody says.
        steal_ns: Option<u64>,
    }

    /// An iteration of a case has ended, and its workers' records are all before this one.
    CaseEnd = "case-end" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// Workers that are done.
        done: u16,
        /// Last end less first start, in cycles; 0 where not all are done.
        makespan: u64,
        /// Whether every worker's answer is what the plan expects.
        verified: bool,
    }

    /// A case that was not run, with all its iterations.
    CaseSkipped = "case-skipped" {
        /// The case.
        case: u16,
        /// Why.
        reason: SkipReason,
        /// CPUs that are online.
        online: u16,
    }

    /// Something is wrong with the machine or the plan. The kernel goes on where it can.
    Problem = "error" {
        /// A stable name.
        code: Label,
        /// The particulars.
        detail: Text<90>,
    }

    /// The kernel cannot go on. No `end` follows.
    Panic = "panic" {
        /// The CPU that found it.
        cpu: CpuId,
        /// File and line in the kernel's source.
        at: Text<44>,
        /// What it found.
        message: Text<64>,
    }

    /// The last record.
    End = "end" {
        /// How many records came before it.
        records: u32,
        /// The kernel's own view.
        status: RunStatus,
        /// SHA-256 over the lines before it, each with one line feed.
        digest: Digest,
    }
}
