//! The records.

use super::{Hex64, Label, Text, messages};
use crate::checks::Checks;
use crate::control::ControlKind;
use crate::grant::{Copies, FeatureSet, PageSize};
use crate::object::{Kind, Rights};
use crate::series::{SeriesClass, SeriesRow, Shortened, Unavailable};
use crate::stub::Op;
use crate::syscall::Authority;
use crate::task::TaskName;
use crate::{ApicId, CpuId, Digest};

pub use super::words::{
    ApicMode, CommandKind, ConfigSource, CoreKind, CpuState, DmiField, Firmware, KvmclockState, Moment,
    RefusedFor, RegisterName, RsdpSource, RunStatus, SchedulingClass, SecondSource, SkipReason, SmbiosState,
    Spoilt, Stage, SystemName, TimerState, TopologySource, TscSource, WorkerStatus,
};

/// The version of the records below, and the number of the tag. A change that an older reader would misread raises
/// both.
pub const PROTOCOL: u16 = 1;

messages! {
    /// A record: one fact that the kernel reports.
    pub enum Record;

    /// The first record of a boot, printed before anything can go wrong.
    Start = "start" {
        /// The version of the records.
        proto: u16,
        /// A number that differs from boot to boot, so that a reboot is noticed.
        nonce: Hex64,
        /// SHA-256 of the bytes of the plan; of no bytes if there is no plan.
        plan: Digest,
        /// The first 8 bytes of the GNU build ID of the kernel ELF; 0 if it has none or does not disclose it.
        build: Hex64,
    }

    /// The command that this stream answers, in a stream that is no boot's. It follows `start`, whose plan is the command's.
    CommandTaken = "command" {
        /// What it has the machine do.
        kind: CommandKind,
        /// The commands that were taken before it in this boot.
        number: u32,
        /// The nonce that it named: of the boot, or of the answer to the command before.
        after: Hex64,
        /// The length of its line.
        bytes: u32,
        /// How long its line took from its first byte to its last, in microseconds.
        took_us: u64,
        /// The commands that were refused since the last one that was taken.
        refused: u32,
    }

    /// A line that is no command that the machine takes. It follows `start`, and `end` follows it: nothing was done.
    CommandRefused = "command-refused" {
        /// Why.
        reason: RefusedFor,
        /// The commands that were refused before it since the last one that was taken. After 32 the machine answers no more
        /// of them.
        refused: u32,
        /// The particulars.
        detail: Text<64>,
    }

    /// The clocks of a machine at the moment of a command `hold` or `check`.
    Clocks = "clocks" {
        /// The TSC.
        tsc: u64,
        /// The second clock.
        count: u64,
        /// The real-time clock, in seconds; `-` without one.
        seconds: Option<u64>,
    }

    /// What a machine holds from a command `hold` on.
    Held = "held" {
        /// Bytes of memory that were filled.
        bytes: u64,
        /// The exclusive or of their words.
        digest: Hex64,
        /// CPUs whose x87, SSE and local APIC state is held.
        cpus: u16,
        /// CPUs whose timer was armed.
        timers: u16,
        /// When it fires, in microseconds from then.
        timer_us: u64,
    }

    /// What a machine has kept in its memory, at a command `check`.
    Kept = "kept" {
        /// What the check has spoilt before.
        spoilt: Spoilt,
        /// Bytes of memory that were read.
        bytes: u64,
        /// The exclusive or of their words.
        digest: Hex64,
        /// Words that are not what was held.
        wrong: u64,
        /// KVM's clock.
        kvmclock: KvmclockState,
        /// The next number of a generator that was seeded with the boot's nonce: two clones of a machine have the same.
        random: Hex64,
    }

    /// What a CPU has kept, at a command `check`.
    KeptCpu = "kept-cpu" {
        /// The CPU.
        cpu: CpuId,
        /// Bytes of its x87 and SSE state that are not what was held.
        fpu: u16,
        /// Registers of its local APIC that are not what was held.
        apic: u16,
        /// Its timer.
        timer: TimerState,
        /// How long after it was due the timer's interrupt was taken, in microseconds, by this CPU's TSC.
        late_us: u64,
    }

    /// The machine, as it identifies itself.
    Machine = "machine" {
        /// The firmware or VMM that started the kernel.
        firmware: Firmware,
        /// The vendor string of CPUID.
        vendor: Label,
        /// CPUID.1:EAX: family, model and stepping.
        signature: Hex64,
        /// The signature of CPUID leaf 4000_0000H, if CPUID reports a hypervisor.
        hypervisor: Text<36>,
    }

    /// The system that runs the workers. Comparisons are between systems.
    System = "system" {
        /// Its name.
        name: SystemName,
        /// The version of the kernel; for Linux the release of uname.
        release: Text<90>,
    }

    /// The name of the CPU.
    Brand = "brand" {
        /// The brand string of CPUID.
        name: Text<120>,
    }

    /// The features that the kernel switched on; 0 for one that the CPU lacks.
    Features = "features" {
        /// The mode of the local APICs, chosen by firmware.
        apic: ApicMode,
        /// No-execute pages.
        nx: bool,
        /// Supervisor-mode execution prevention.
        smep: bool,
        /// Supervisor-mode access prevention.
        smap: bool,
        /// User-mode instruction prevention.
        umip: bool,
        /// CPUID reports a TSC that runs at one rate in every state.
        invariant_tsc: bool,
    }

    /// The memory that the kernel found.
    Memory = "memory" {
        /// Usable bytes in the memory map.
        usable_bytes: u64,
        /// Usable regions after sorting and merging.
        regions: u32,
        /// Bytes of the heap of the kernel; 0 for a kernel that reserves none.
        heap_bytes: u64,
    }

    /// The root of the ACPI tables. A VMM may name none; then the kernel searches the places of a BIOS.
    Rsdp = "rsdp" {
        /// How it was found.
        source: RsdpSource,
        /// Its physical address; 0 without one.
        at: Hex64,
    }

    /// The boot configuration in force. It changes where the kernel prints and how it ends, never what it measures.
    Config = "config" {
        /// The serial ports for records, with a `+` between, as `serial=` names them.
        serial: Text<48>,
        /// The action after the last record, as `after=` names it.
        after: Text<36>,
        /// Whether text is printed on a screen too.
        display: bool,
        /// The number of words that were ignored. Each has a `config-ignored` record before this one.
        ignored: u16,
    }

    /// A word of the boot configuration that was ignored: it is not understood, or this machine cannot use it. Its
    /// setting keeps the default.
    ConfigIgnored = "config-ignored" {
        /// The source of the word.
        from: ConfigSource,
        /// Its line in the source, from 1; 0 for all of it.
        line: u16,
        /// The word.
        word: Text<64>,
    }

    /// What is in force in a system that was set up to leave its workers' CPUs alone, by its own account. A system as it
    /// comes has no such record.
    Tuning = "tuning" {
        /// The CPUs that its scheduler moves no thread to, as a list; `-` for none.
        isolated: Text<36>,
        /// The CPUs whose tick may stop while one thread runs on them, as a list; `-` for none.
        nohz_full: Text<36>,
        /// The driver of idle states; `none` for none: an idle CPU halts.
        idle: Label,
        /// The scheduling class of the workers.
        workers: SchedulingClass,
    }

    /// One processor entry of the MADT.
    Cpu = "cpu" {
        /// Its dense number; for a skipped CPU the number of its entry.
        cpu: CpuId,
        /// Its local APIC ID.
        apic: ApicId,
        /// Its state after the start.
        state: CpuState,
        /// Cycles from the first SIPI of all to its check-in; 0 if it did not check in, for the BSP, and if not known.
        cycles: u64,
    }

    /// The place of an online CPU in the machine, as the CPU reports it. Two CPUs are SMT siblings if they have the
    /// same `core`. `-` is an unknown place.
    Topology = "topology" {
        /// Its dense number.
        cpu: CpuId,
        /// The source of this information.
        source: TopologySource,
        /// Its package: its APIC ID without the bits that number the CPUs of a package.
        package: Option<u32>,
        /// Its die, likewise, if the source distinguishes dies.
        die: Option<u32>,
        /// Its core, likewise.
        core: Option<u32>,
        /// Its thread in its core.
        thread: Option<u32>,
        /// The kind of its core.
        kind: CoreKind,
        /// Its proximity domain in the SRAT.
        node: Option<u32>,
    }

    /// A register of a CPU that decides how the CPU runs code in ring 3, or what it reports. All registers of CPU 0 that
    /// the CPU has, and those of the other CPUs that differ from it. A register without a record is absent or not
    /// readable.
    Register = "register" {
        /// The CPU.
        cpu: CpuId,
        /// The register.
        name: RegisterName,
        /// Its value as the firmware or the hypervisor left it.
        found: Hex64,
        /// Its value in force from here on, read back.
        value: Hex64,
    }

    /// The kernel was built without some of its checks, to learn what they cost. A kernel with all of them has no such record.
    Profile = "profile" {
        /// The checks that it lacks.
        left_out: Checks,
    }

    /// More about the machine, to be disclosed with a published result.
    Platform = "platform" {
        /// The largest CPUID leaf of the hypervisor; 0 if CPUID reports no hypervisor.
        hypervisor_leaf: Hex64,
        /// The microcode revision; 0 if not reported.
        microcode: Hex64,
        /// The outcome of the search for SMBIOS tables.
        smbios: SmbiosState,
    }

    /// A string of the SMBIOS tables that is present and not empty.
    Dmi = "dmi" {
        /// Its field.
        field: DmiField,
        /// Its text.
        text: Text<96>,
    }

    /// One measurement of the TSC frequency.
    TscReading = "tsc-reading" {
        /// Its source.
        source: TscSource,
        /// The frequency.
        khz: u64,
    }

    /// The TSC frequency in use from here on.
    Tsc = "tsc" {
        /// The source chosen.
        source: TscSource,
        /// The frequency.
        khz: u64,
        /// The number of sources with a reading.
        sources: u16,
        /// The largest difference between a reading and the chosen one, in parts per million.
        spread_ppm: u32,
    }

    /// The second clock: a counter that is read beside the TSC in every `mark`. One record in a boot, after `tsc`.
    SecondClock = "second-clock" {
        /// The counter.
        source: SecondSource,
        /// Its counts in a second; 0 without a counter.
        hz: u64,
        /// The number of its bits, after which it begins at 0 again; 0 without a counter.
        bits: u16,
        /// Whether it counts by an oscillator of its own. A clock of Linux that is derived from the TSC does not: it shows
        /// a wrong frequency, but not a TSC that runs at another rate for a while.
        independent: bool,
    }

    /// The test whether the TSCs are in step: all CPUs read theirs in turn, as fast as they can, and no reading may be
    /// below one that another CPU has already published.
    Warp = "warp" {
        /// CPUs that took part.
        cpus: u16,
        /// The number of readings.
        samples: u64,
        /// Readings that followed one of another CPU. Only these can show a difference.
        handovers: u64,
        /// The least number of handovers of any CPU, in either direction: to it or from it.
        least: u64,
        /// The most by which a reading was behind, in cycles.
        max_warp: u64,
    }

    /// How far the TSC of a CPU can be from that of CPU 0: both CPUs read theirs in turn, each after it has seen the
    /// reading of the other. The difference of two such readings is the offset plus the time that the reading took to
    /// arrive, so the least difference in each direction bounds the offset. One record for each CPU that was tested, but
    /// CPU 0; a log without them is of an older kernel.
    Offset = "offset" {
        /// The CPU.
        cpu: CpuId,
        /// Readings of one that followed a reading of the other, in the direction that has fewer.
        handovers: u64,
        /// The least that its TSC can be ahead of that of CPU 0, in ns; negative: it may be behind.
        least_ns: i64,
        /// The most that its TSC can be ahead, in ns; negative: it is behind.
        most_ns: i64,
    }

    /// One step of the boot.
    Phase = "phase" {
        /// Its name.
        name: Label,
        /// Its length in TSC cycles.
        cycles: u64,
    }

    /// The fault that the plan makes the kernel commit. Printed only for such a plan; its run never passes.
    Control = "control" {
        /// The fault.
        kind: ControlKind,
        /// The CPU that commits it, if one CPU does.
        target: u16,
    }

    /// The experiment of the plan. With `blob` and `split` a log is complete: it can be judged without the plan.
    Experiment = "experiment" {
        /// The experiment's name.
        name: Label,
        /// The workload's name.
        workload: Label,
        /// The syscalls its workers may make.
        authority: Authority,
    }

    /// The challenge of the plan. It shows that the answers are of this run.
    Challenge = "challenge" {
        /// The number.
        value: Hex64,
        /// SHA-256 of the plan without what the challenge decides (`Plan::work_digest`): the same for the same work.
        work: Digest,
    }

    /// How long each worker is warmed up before it is timed, by the plan.
    WarmUp = "warm-up" {
        /// At least this many milliseconds.
        ms: u32,
    }

    /// What each worker is granted beyond its image, its arguments and its result slot, by the plan. Printed only if the plan
    /// asks for it: without this record the stack has 64 KiB and there is nothing else.
    Grant = "grant" {
        /// Whether the worker is called to prepare before its warm-up.
        prepare: bool,
        /// Whether it is called to verify after its timed call.
        verify: bool,
        /// The memory of its own, in MiB.
        memory_mib: u32,
        /// Its stack, in KiB.
        stack_kib: u32,
        /// The pages of its memory and of the corpus.
        pages: PageSize,
        /// The features that each of its CPUs has.
        requires: FeatureSet,
        /// The memory that all workers of a case share, in KiB.
        shared_kib: u32,
        /// The most digests of chunks that it can leave.
        chunks: u16,
    }

    /// The corpus that the workers read, as found in the ramdisk.
    Corpus = "corpus" {
        /// Its name.
        name: Label,
        /// Its length.
        bytes: u64,
        /// SHA-256 of its bytes.
        sha256: Digest,
        /// How many copies of it are in memory.
        copies: Copies,
    }

    /// The plan is a sweep: `abi::sweep` derives its cases from the cores and CPUs of the machine.
    Sweep = "sweep" {
        /// The number of times to run every case.
        iterations: u16,
        /// The seed of the order of the cases in each iteration.
        seed: Hex64,
        /// Cores of the online CPUs, as far as `topology` distinguishes them.
        cores: u16,
        /// Online CPUs.
        cpus: u16,
    }

    /// The parameters of one worker of a case, from the plan.
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

    /// The ELF of the workers, as found in the ramdisk.
    Blob = "blob" {
        /// The workload's name.
        name: Label,
        /// Its length.
        bytes: u32,
        /// SHA-256 of its bytes.
        sha256: Digest,
    }

    /// An iteration is about to begin. Its workers run between this record and `case-begin`; what the host does in
    /// between may disturb them. The host tool samples its own counters at both.
    CaseReady = "case-ready" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
    }

    /// An iteration of a case was run. Its other records follow.
    CaseBegin = "case-begin" {
        /// The case, named by its number of workers.
        case: u16,
        /// The iteration, from 0.
        iter: u16,
        /// The TSC value at which all workers were to start; 0 if they did not meet.
        start_tsc: u64,
    }

    /// The timed region of one worker.
    Worker = "worker" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The worker, from 0.
        worker: u16,
        /// The CPU it ran on.
        cpu: CpuId,
        /// Cycles from the common start to its first reading of the TSC.
        skew: u64,
        /// Cycles from its first reading to its last.
        cycles: u64,
        /// The same shifted right by 20, the unit of published tables; at most 2^32 - 1.
        scaled: u32,
        /// Interrupts on its CPU while it was in ring 3; under Linux, which allows them, from the rendezvous of the
        /// workers to the return of this one.
        irqs: u16,
    }

    /// The result of one worker.
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
        /// The digest of what the answer is made of.
        digest: Hex64,
    }

    /// What one worker left in its result pages, if its plan has any: the digests of its chunks, in order.
    Chunks = "chunks" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The worker.
        worker: u16,
        /// The number of digests, as the worker counted them.
        count: u32,
        /// SHA-256 over the digests that there is room for.
        root: Digest,
    }

    /// The digests of the chunks of all workers of an iteration, in the order of the workers: the same for every number of
    /// workers. It follows the last `worker-end`.
    Root = "root" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The number of digests.
        count: u32,
        /// SHA-256 over the digests.
        root: Digest,
    }

    /// The kernel's own readings of the TSC around the timed call of one worker that is done. They enclose the worker's
    /// time: it can be neither longer nor, but for the way in and out, shorter.
    Region = "region" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The worker.
        worker: u16,
        /// The CPU it ran on.
        cpu: CpuId,
        /// Cycles from just before the CPU entered the worker to the common start.
        entered: u64,
        /// Cycles from the common start to just after the worker came back.
        returned: u64,
    }

    /// The end of one worker, and its syscalls beyond its authority.
    WorkerEnd = "worker-end" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The worker.
        worker: u16,
        /// The CPU it ran on.
        cpu: CpuId,
        /// Its end.
        status: WorkerStatus,
        /// Syscalls outside its authority, all refused.
        refused: u32,
        /// The number of the first of them; 0 if there is none.
        first_refused: u64,
    }

    /// A fault that a worker took.
    Fault = "fault" {
        /// The worker.
        worker: u16,
        /// The mnemonic of the exception.
        exception: Label,
        /// Its error code; 0 for an exception without one.
        error: Hex64,
        /// The address of the instruction; relative to the image of the worker if it is inside.
        rip: Hex64,
        /// CR2 for a page fault, else 0.
        address: Hex64,
    }

    /// The pace checks of a worker's CPU: half a millisecond just before the timed run and half a millisecond just
    /// after it, in which the CPU reads the TSC with the same work between any two readings. Reported are the longest
    /// time between two readings and the number of readings. A preempted CPU shows a gap; a slowed one shows fewer
    /// readings. The work is independent integer operations that fill a core, of which a busy sibling thread takes
    /// half.
    Gap = "gap" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The worker.
        worker: u16,
        /// Its CPU.
        cpu: CpuId,
        /// The longest gap before, in cycles.
        before: u64,
        /// The longest gap after, in cycles.
        after: u64,
        /// Readings before: the pace of the CPU.
        reads_before: u32,
        /// Readings after.
        reads_after: u32,
        /// Steal time of this CPU in between, as the hypervisor reports it, in ns; natively the time that the process
        /// of the worker waited for its CPU; `-` if not reported.
        steal_ns: Option<u64>,
    }

    /// An iteration of a case has ended. The records of its workers are before this one, but for `gap`, which follows.
    CaseEnd = "case-end" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// Workers that are done.
        done: u16,
        /// Last end less first start, in cycles; 0 if not all are done.
        makespan: u64,
        /// Whether every worker gave the answer that the plan expects.
        verified: bool,
    }

    /// The TSC and the second clock at one moment of an iteration. The records follow the `gap` records of the
    /// iteration, in the order of the moments.
    Mark = "mark" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The moment. `warm` has a record only if the workers met, `back` only if all of them came back.
        moment: Moment,
        /// The TSC then.
        tsc: u64,
        /// The second clock then; 0 if there is none.
        count: u64,
    }

    /// The conditions under which the CPU of one worker ran it. The records follow the `mark` records of the iteration, by
    /// worker; a log without them is of an older kernel.
    Conditions = "conditions" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The worker.
        worker: u16,
        /// Its CPU.
        cpu: CpuId,
        /// The length of the warm-up of the worker, in cycles.
        warm_up: u64,
        /// How often the watch over the timed call, a timer interrupt, came on this CPU; `-` if nothing watched.
        watches: Option<u32>,
        /// The most by which one of them came late, in cycles; 0 if none came, `-` if nothing watched.
        late: Option<u64>,
    }

    /// What the CPU of one worker counted while it ran the worker: the differences of two readings, one just before the
    /// worker was entered for its timed call and one just after it came back. The records follow the `conditions`
    /// records, by worker, if any of the counts is there on any CPU.
    Counters = "counters" {
        /// The case.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The worker.
        worker: u16,
        /// Its CPU.
        cpu: CpuId,
        /// IA32_APERF, which counts at the actual clock of the CPU; `-` if the CPU has none or it is not readable.
        aperf: Option<u64>,
        /// IA32_MPERF, which counts at the rate of the TSC while the CPU runs; `-` like `aperf`.
        mperf: Option<u64>,
        /// System-management interrupts by MSR_SMI_COUNT; `-` if the CPU has no such count or it is not readable.
        smis: Option<u64>,
    }

    /// The TSC and the real-time clock at one moment: before the first iteration, after each iteration if a second has
    /// passed since the last record, and after the last iteration. There is none if the machine has no such clock.
    Seconds = "seconds" {
        /// The TSC then.
        tsc: u64,
        /// The real-time clock then, in seconds since 1970 if it is set. Its second began at most a second before.
        count: u64,
    }

    /// The rows of the platform follow, after all cases. There is none if the plan asks for none.
    PlatformRows = "platform-rows" {
        /// How long each CPU looks for gaps, in milliseconds.
        noise_ms: u32,
        /// The rows that did one operation less than they report, by the plan. A log with such rows holds no figures.
        short: Shortened,
    }

    /// The samples of one cost of the platform: a row of docs/PLATFORM.md, at one place. All times are TSC cycles. Its
    /// `series-oracle`, `series-range` and `series-counts` records follow.
    Series = "series" {
        /// The number of the series, from 0.
        id: u16,
        /// The row.
        row: SeriesRow,
        /// The CPU whose clock is read.
        cpu: CpuId,
        /// The other CPU, if there is one.
        peer: Option<u32>,
        /// The argument of the row; 0 if it has none.
        arg: u64,
        /// How it was sampled.
        class: SeriesClass,
        /// The operations in a sample.
        n: u64,
        /// The number of samples.
        count: u32,
    }

    /// What proves that the operations of a series were done. If `done` is not `due`, or something was wrong, the series
    /// has no figure.
    SeriesOracle = "series-oracle" {
        /// The series.
        id: u16,
        /// What must have been done: the operations of all samples.
        due: u64,
        /// What was done, as the row's other side counts it.
        done: u64,
        /// What was wrong.
        wrong: u64,
    }

    /// The range of the samples of a series, in cycles.
    SeriesRange = "series-range" {
        /// The series.
        id: u16,
        /// The first warm-up. It is no sample.
        cold: u64,
        /// The least sample; 0 if there is none.
        min: u64,
        /// The greatest sample; 0 if there is none.
        max: u64,
        /// The sum of all samples.
        sum: u64,
    }

    /// A part of the histogram of a series. Its buckets are log-linear, 64 to each power of two, numbered from 0
    /// (`abi::series::bounds`).
    SeriesCounts = "series-counts" {
        /// The series.
        id: u16,
        /// The part, from 0.
        part: u16,
        /// Pairs of numbers, little-endian in digits of `0-9 a-z A-Z _ .`, 32 to a digit, of which the upper half means
        /// that more follow: the buckets that are skipped since the last one, and the samples in the bucket less one.
        counts: Text<128>,
    }

    /// Some of the samples of a series, in the order in which they were taken. Printed if the plan asks for them.
    SeriesSamples = "series-samples" {
        /// The series.
        id: u16,
        /// The part, from 0.
        part: u16,
        /// Their numbers, written as in `series-counts`.
        samples: Text<128>,
    }

    /// A series that there is not.
    SeriesNone = "series-none" {
        /// The row.
        row: SeriesRow,
        /// The CPU.
        cpu: CpuId,
        /// The other CPU, if there is one.
        peer: Option<u32>,
        /// The argument of the row; 0 if it has none.
        arg: u64,
        /// Why.
        reason: Unavailable,
    }

    /// The machine that the rows were measured on, for its reader.
    PlatformNote = "platform-note" {
        /// The size of the last level of cache that the CPU reports, in bytes; 0 if it reports none.
        llc_bytes: u64,
        /// The time that the hypervisor took from CPU 0 while the rows ran, by its own account, in ns.
        steal_ns: Option<u64>,
        /// System-management interrupts on CPU 0 while the rows ran; `-` if it does not count them.
        smis: Option<u64>,
        /// Non-maskable interrupts on any CPU while the rows ran.
        nmis: u32,
        /// How long all rows took, in milliseconds.
        took_ms: u64,
    }

    /// The rows of the kernel's mechanisms follow, after those of the platform. There is none if the plan asks for none.
    MechanismRows = "mechanism-rows" {
        /// The program of all tasks.
        program: Label,
        /// The rows that the plan asks for.
        rows: Shortened,
        /// The rows that did one operation less than they report, by the plan. A log with such rows holds no figures.
        short: Shortened,
    }

    /// The ELF of the tasks of the mechanisms.
    MechanismProgram = "mechanism-program" {
        /// Its name.
        name: Label,
        /// Its size.
        bytes: u32,
        /// Its SHA-256.
        sha256: Digest,
    }

    /// An object that was made anew for each row of the mechanisms.
    MechanismObject = "mechanism-object" {
        /// Its name.
        name: Label,
        /// Its kind.
        kind: Kind,
        /// The length of memory, or how many bytes of the program an image has, 0 for all; 0 for other kinds.
        bytes: u64,
    }

    /// A handle of a task of the mechanisms.
    MechanismGrant = "mechanism-grant" {
        /// The task.
        task: TaskName,
        /// The slot of its table.
        slot: u16,
        /// The object.
        object: Label,
        /// What the task may do with it.
        rights: Rights,
        /// What a server learns of who calls through it.
        badge: u64,
    }

    /// The code by which a system does an operation: a stub, which the loop that reads the clock calls.
    MechanismStub = "mechanism-stub" {
        /// The operation.
        op: Op,
        /// The part of the code, from 0.
        part: u16,
        /// Its bytes, in hexadecimal digits, at most 64 a part, without what fills up its slot.
        code: Text<128>,
    }

    /// Who counted what of a series of the mechanisms. It follows the series' other records.
    MechanismCounts = "mechanism-counts" {
        /// The series.
        id: u16,
        /// Operations that were made in no sample: warm-ups, batches for the choice of `n`, and the end of the partner.
        outside: u64,
        /// Operations of the samples, as the client counted right answers.
        client: u64,
        /// All operations, as the client's partner counted them; `-` without a partner.
        partner: Option<u64>,
        /// All operations, as the kernel counted them; `-` if it counts them not at all, or is not ours.
        kernel: Option<u64>,
    }

    /// The rows of the mechanisms are over.
    MechanismNote = "mechanism-note" {
        /// How often tasks were built, run and taken down.
        scenes: u32,
        /// How long all rows took, in milliseconds.
        took_ms: u64,
    }

    /// A case that was not run, with all its iterations.
    CaseSkipped = "case-skipped" {
        /// The case.
        case: u16,
        /// The reason.
        reason: SkipReason,
        /// Online CPUs.
        online: u16,
    }

    /// A problem with the machine or the plan. The kernel goes on if it can.
    Problem = "error" {
        /// A stable name.
        code: Label,
        /// The particulars.
        detail: Text<90>,
    }

    /// Interrupts during an iteration that the kernel did not ask for, on one CPU: a device's that firmware left live, a
    /// spurious one, or an NMI. They follow the `mark` records. Those from before the first iteration, or between two, have
    /// case 0 and precede `case-ready`. A CPU without any has no record.
    Interrupts = "interrupts" {
        /// The case; 0 outside of every iteration.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The CPU.
        cpu: CpuId,
        /// Interrupts whose vector the kernel does not use.
        unexpected: u32,
        /// The vector of the first of them; 0 without one.
        vector: u16,
        /// Non-maskable interrupts.
        nmis: u32,
    }

    /// One of several vectors of the interrupts that the `interrupts` record just before counts: at most four for each CPU, in
    /// the order in which they came. If all have one vector, there is none.
    InterruptVector = "interrupt-vector" {
        /// The case; 0 outside of every iteration.
        case: u16,
        /// The iteration.
        iter: u16,
        /// The CPU.
        cpu: CpuId,
        /// The vector.
        vector: u16,
        /// Interrupts of this vector.
        count: u32,
    }

    /// The step of the boot in which the kernel panicked. A `panic` record follows.
    BootStage = "boot-stage" {
        /// The step.
        stage: Stage,
    }

    /// The kernel cannot go on. No `end` record follows. A machine that stays up repeats it.
    Panic = "panic" {
        /// The CPU that panicked.
        cpu: CpuId,
        /// File and line in the source of the kernel.
        at: Text<44>,
        /// The message.
        message: Text<64>,
    }

    /// The last record.
    End = "end" {
        /// The number of records before this one.
        records: u32,
        /// The status as the kernel sees it.
        status: RunStatus,
        /// SHA-256 over the lines before this one, each with one line feed.
        digest: Digest,
    }
}
