//! The rows of the platform and of the kernel's mechanisms: what each times, what proves that it was done, and which systems
//! can run it.

use crate::wire::value::words;

words! {
    /// How a row is sampled.
    pub enum SeriesClass {
        /// A sample is the time of `n` operations in a row.
        Batch = "batch",
        /// A sample is the time of one operation.
        Event = "event",
        /// A sample is a gap between two readings of the TSC, in a window of fixed length.
        Gaps = "gaps",
    }

    /// Why a system has no figure of a row.
    pub enum Unavailable {
        /// The CPU or the hypervisor does not offer what the row uses.
        NotOffered = "not-offered",
        /// The operation is no user program's, so a process has nothing to compare.
        NotApplicable = "not-applicable",
        /// The machine has one CPU.
        OneCpu = "one-cpu",
        /// There is not enough memory.
        Memory = "memory",
        /// A CPU that the row needs did not return from an earlier row.
        CpuLost = "cpu-lost",
        /// The machine is so slow that there were too few samples.
        TooSlow = "too-slow",
        /// The plan grants a task no handle that the row needs.
        NotGranted = "not-granted",
        /// A task of the row did not come to its end: the `error` record before says how.
        TaskLost = "task-lost",
    }

    /// The line of a plan that asks for a row.
    pub enum Tier {
        /// `platform`: what the machine itself costs.
        Platform = "platform",
        /// `mechanisms`: what operations of a kernel cost.
        Mechanism = "mechanism",
    }
}

/// What proves that a row's operations were done: `due` and `done` of `series-oracle` are equal, and `wrong` is 0. All texts
/// are Markdown.
#[derive(Clone, Copy, Debug)]
pub struct Oracle {
    /// What `done` counts.
    pub done: &'static str,
    /// What `wrong` counts.
    pub wrong: &'static str,
}

/// A row, for the host's rules and for documentation.
#[derive(Clone, Copy, Debug)]
pub struct RowSpec {
    /// The row.
    pub row: SeriesRow,
    /// How it is sampled.
    pub class: SeriesClass,
    /// What is done between the two readings of the clock.
    pub what: &'static str,
    /// What `arg` is; empty if it is always 0.
    pub arg: &'static str,
    /// Its oracle.
    pub oracle: Oracle,
    /// Why a process of Linux has no such row; empty if it runs the same code.
    pub not_on_linux: &'static str,
    /// What asks for it.
    pub tier: Tier,
    /// What a mechanism is on Linux; empty for rows of the platform.
    pub twin: &'static str,
    /// How the two differ, so that their ratio is read with care; empty for rows of the platform.
    pub differs: &'static str,
}

/// Declares the rows: the words of the enum, and their specifications.
macro_rules! rows {
    ($(
        $name:ident = $word:literal, $class:ident,
        $what:literal,
        arg $arg:literal,
        done $done:literal,
        wrong $wrong:literal,
        linux $linux:literal
        $(, twin $twin:literal, differs $differs:literal)?;
    )*) => {
        words! {
            /// A row.
            pub enum SeriesRow {
                $(
                    #[doc = $what]
                    $name = $word,
                )*
            }
        }

        /// The form of a [`Shortened`].
        const SHORTENED: &str = words!(@shape "none", "all" $(, $word)*);

        impl SeriesRow {
            /// Every row, in the order in which they run.
            pub const SPECS: &[RowSpec] = &[$(RowSpec {
                row: Self::$name,
                class: SeriesClass::$class,
                what: $what,
                arg: $arg,
                oracle: Oracle { done: $done, wrong: $wrong },
                not_on_linux: $linux,
                tier: rows!(@tier $($twin)?),
                twin: concat!("" $(, $twin)?),
                differs: concat!("" $(, $differs)?),
            },)*];

            /// The classes, in the same order: a kernel needs them, and none of the texts.
            const CLASSES: &[SeriesClass] = &[$(SeriesClass::$class,)*];
            /// The tiers, likewise.
            const TIERS: &[Tier] = &[$(rows!(@tier $($twin)?),)*];
        }
    };
    (@tier) => { Tier::Platform };
    (@tier $twin:literal) => { Tier::Mechanism };
}

rows! {
    OverheadBatch = "overhead_batch", Batch,
    "An empty body, repeated as the body of each batch row is. It is published and never subtracted.",
    arg "",
    done "passes through the body",
    wrong "nothing",
    linux "";

    OverheadEvent = "overhead_event", Event,
    "Nothing: two readings of the clock, one after the other.",
    arg "",
    done "pairs of readings",
    wrong "second readings that are not after the first",
    linux "";

    TscRead = "tsc_read", Batch,
    "RDTSC",
    arg "",
    done "readings that are not before the one before them",
    wrong "readings that are",
    linux "";

    TscReadP = "tsc_readp", Batch,
    "RDTSCP",
    arg "",
    done "readings that are not before the one before them",
    wrong "readings that are",
    linux "";

    TscFenced = "tsc_fenced", Batch,
    "LFENCE; RDTSC; LFENCE, which is this clock's own reading",
    arg "",
    done "readings that are not before the one before them",
    wrong "readings that are",
    linux "";

    TscOrder = "tsc_order", Event,
    "A stamp passes through one line from CPU to CPU; the sample is how much the receiver's reading is ahead of it.",
    arg "",
    done "stamps received, by the count that passes with them",
    wrong "readings of a receiver that are before the stamp",
    linux "";

    ExitCpuid = "exit_cpuid", Batch,
    "CPUID leaf 0, at which a hypervisor takes over",
    arg "",
    done "answers that are the first one's",
    wrong "answers that differ",
    linux "";

    ExitMsrRead = "exit_msr_rd", Batch,
    "RDMSR of IA32_TSC_ADJUST",
    arg "",
    done "values that are the first one's",
    wrong "values that differ",
    linux "a process reads a register by a call of the msr driver";

    ExitMsrWrite = "exit_msr_wr", Batch,
    "WRMSR of IA32_TSC_ADJUST, of the value that it has",
    arg "",
    done "writes that the register took, counted beside them; it is read back after each batch",
    wrong "batches after which it has another value",
    linux "a process writes a register by a call of the msr driver";

    MsrWriteControl = "msr_wr_no_exit", Batch,
    "WRMSR of IA32_KERNEL_GS_BASE, of a new value each time: hypervisors do not intercept it",
    arg "",
    done "the difference of the values that are read back after the batches",
    wrong "batches after which it has another value than the last one written",
    linux "a process writes a register by a call of the msr driver";

    ExitPortHost = "exit_pio_host", Batch,
    "IN from port 4D0H (ELCR), which KVM answers in the host's kernel unless its interrupt controllers are split",
    arg "",
    done "values that are the first one's",
    wrong "values that differ",
    linux "a process reads a port after iopl(3), which the twin's worker may not call";

    ExitPortVmm = "exit_pio_vmm", Batch,
    "IN of the ACPI power-management timer, which the VMM's own process answers as a rule",
    arg "",
    done "readings, counted beside them",
    wrong "batches in which the timer did not advance",
    linux "a process reads a port after iopl(3), which the twin's worker may not call";

    ExitLapic = "exit_lapic", Batch,
    "A read of the local APIC's version, by memory or by MSR",
    arg "",
    done "values that are the first one's",
    wrong "values that differ",
    linux "a process does not reach the local APIC";

    ExitVmcall = "exit_vmcall", Batch,
    "A hypercall with a number that KVM does not have",
    arg "",
    done "answers that are KVM's for an unknown call (-1000)",
    wrong "other answers",
    linux "KVM gives a process another answer before it looks at the number";

    IpiRt = "ipi_rt", Event,
    "From the write of the interrupt command to the sight of what the handler of a spinning CPU has stored",
    arg "",
    done "interrupts that the handler counted",
    wrong "replies that are not the number that was sent",
    linux "membarrier(2) adds a system call and interrupts every CPU";

    HltWake = "hlt_wake", Event,
    "From the write of the interrupt command to the first reading of the clock in the handler of a halted CPU",
    arg "how long the CPU is halted before, in microseconds",
    done "interrupts that the handler counted",
    wrong "interrupts that did not come in time, or whose reading is before the write",
    linux "a futex wakes a thread, which adds the scheduler";

    TimerSpin = "timer_late_spin", Event,
    "From the deadline of the local APIC's timer to the first reading of the clock in its handler, on a CPU that spins",
    arg "the time to the deadline, in microseconds",
    done "interrupts that the handler counted",
    wrong "interrupts that did not come, or came before the deadline by more than a count of the timer",
    linux "clock_nanosleep(2) adds a timer of Linux and the scheduler";

    TimerHalt = "timer_late_halt", Event,
    "The same on a CPU that is halted",
    arg "the time to the deadline, in microseconds",
    done "interrupts that the handler counted",
    wrong "interrupts that did not come, or came before the deadline by more than a count of the timer",
    linux "clock_nanosleep(2) adds a timer of Linux and the scheduler";

    Touch4k = "touch_4k", Event,
    "One store to a page of 4 KiB that was not touched since reset, if the firmware left it alone",
    arg "",
    done "pages that hold what was stored, read afterwards",
    wrong "pages that were not zero elsewhere",
    linux "Linux's own page fault would be part of it";

    Touch4kAgain = "touch_4k_again", Event,
    "A second store to the same page",
    arg "",
    done "pages that hold what was stored",
    wrong "pages that were not zero elsewhere",
    linux "Linux's own page fault would be part of it";

    Touch2m = "touch_2m", Event,
    "One store to an aligned range of 2 MiB that was not touched since reset, if the firmware left it alone",
    arg "",
    done "ranges that hold what was stored, read afterwards",
    wrong "ranges that were not zero elsewhere",
    linux "Linux's own page fault would be part of it";

    Touch2mAgain = "touch_2m_again", Event,
    "A second store to the same range",
    arg "",
    done "ranges that hold what was stored",
    wrong "ranges that were not zero elsewhere",
    linux "Linux's own page fault would be part of it";

    TlbShoot = "tlb_shoot", Event,
    "An entry of the page table is cleared, and the other CPUs are interrupted until all have dropped the translation",
    arg "the CPUs that are interrupted",
    done "handlers that ran, on all of them",
    wrong "CPUs on which the next access did not fault",
    linux "mprotect(2) adds a system call, locks and threads";

    HwNoise = "hwnoise", Gaps,
    "Readings of the TSC, one after the other, with interrupts off, on every CPU at once: gaps of 1 us and more",
    arg "the length of the window, in milliseconds",
    done "cycles from the first reading to the last, as the sum of gaps and of all shorter distances",
    wrong "readings before the one before them",
    linux "";

    CoreToCore = "c2c", Batch,
    "Two CPUs answer each other through one line; a sample has `n` round trips, and half of one is a transfer",
    arg "",
    done "the last number in the line, added over the batches: each side adds one",
    wrong "numbers that are not the next",
    linux "";

    MemLat4k = "mem_lat_4k", Batch,
    "A load whose address is what the load before it gave, along a random cycle of lines in pages of 4 KiB",
    arg "the size of the buffer, in bytes",
    done "loads, by the number that the line after the last one has in the cycle",
    wrong "batches that end at another line than the cycle has there",
    linux "";

    MemLat2m = "mem_lat_2m", Batch,
    "The same in pages of 2 MiB or more",
    arg "the size of the buffer, in bytes",
    done "loads, by the number that the line after the last one has in the cycle",
    wrong "batches that end at another line than the cycle has there",
    linux "";

    MemRead = "mem_read", Batch,
    "Each CPU reads its own part of a buffer once, 8 bytes at a time",
    arg "the CPUs that do so at once",
    done "the sum of all words over the samples",
    wrong "CPUs that did not finish",
    linux "";

    MemWrite = "mem_write", Batch,
    "Each CPU writes its own part of a buffer once, 8 bytes at a time",
    arg "the CPUs that do so at once",
    done "the sum of all words over the samples, read afterwards",
    wrong "CPUs that did not finish",
    linux "";

    MemCopy = "mem_copy", Batch,
    "Each CPU copies one half of its part to the other, 8 bytes at a time",
    arg "the CPUs that do so at once",
    done "the sum of all words of the copies over the samples, read afterwards",
    wrong "CPUs that did not finish",
    linux "";

    OverheadStub = "overhead_stub", Batch,
    "A call of a stub that returns its argument at once: what the loop of the rows below costs. It is never subtracted.",
    arg "",
    done "calls that returned their argument",
    wrong "calls that did not",
    linux "",
    twin "the same bytes",
    differs "nothing";

    NullEnter = "null_enter", Batch,
    "The smallest call that the kernel has",
    arg "",
    done "calls, by the kernel's count; on Linux, calls that returned the process's parent",
    wrong "other answers",
    linux "",
    twin "getppid(2)",
    differs "Linux enters through its own page tables if it isolates them, audits and filters; Assay does none of it";

    RefusedNumber = "refused_nr", Batch,
    "A call whose number the kernel does not have",
    arg "",
    done "refusals, by the kernel's count; on Linux, calls that returned ENOSYS",
    wrong "other answers",
    linux "",
    twin "a system call of number 100,000",
    differs "as for null_enter";

    CapOk = "cap_ok", Batch,
    "A handle is looked up, and its kind is returned",
    arg "",
    done "calls, by the kernel's count; on Linux, calls that returned the descriptor's flags",
    wrong "other answers",
    linux "",
    twin "fcntl(2), F_GETFD, of an eventfd",
    differs "a descriptor has no generation and no rights, and Linux counts who uses it";

    CapRefused = "cap_refused", Batch,
    "A call through a handle that does not fit, which is refused",
    arg "why it does not: 1 index, 2 stale generation, 3 kind, 4 right, 5 method",
    done "refusals for this reason, by the kernel's count; on Linux, calls that returned EBADF",
    wrong "other answers",
    linux "",
    twin "fcntl(2), F_GETFD, of a descriptor that is not open; the other four reasons do not exist",
    differs "Linux checks no more than that the descriptor is open";

    CallSame = "call_same", Batch,
    "A word is passed to a server on the same CPU, which answers with a word: there and back",
    arg "",
    done "words that the server received",
    wrong "answers that are not the right one, and words out of order",
    linux "",
    twin "write(2) and read(2) of 8 bytes through two pipes, between two processes",
    differs "a pipe keeps bytes in a buffer, and the scheduler chooses who runs; Assay passes registers, and the caller gives its CPU to the server";

    CallCross = "call_cross", Event,
    "The same with a server on another CPU",
    arg "1 if its CPU looks for work all the time, 2 if it halts",
    done "words that the server received",
    wrong "answers that are not the right one, and words out of order",
    linux "",
    twin "as call_same, on two CPUs; Linux halts or polls by its own policy, so there is no arg 1",
    differs "as for call_same; hlt_wake is part of it if the CPU halts";

    NotifyNone = "notify_none", Batch,
    "A notification is signalled, and none waits for it",
    arg "",
    done "signals, by the kernel's count; on Linux, the sum that the descriptor keeps",
    wrong "signals that failed, and batches after which the notification holds another word than it must",
    linux "",
    twin "write(2) of 1 to an eventfd",
    differs "an eventfd adds up what is written; a notification keeps bits";

    NotifyWake = "notify_wake", Event,
    "A notification is signalled to a task on the same CPU, which signals another back: two signals, and two tasks that wait",
    arg "",
    done "words for which the other task waited and which it got",
    wrong "other words",
    linux "",
    twin "write(2) and read(2) of two eventfds, between two processes",
    differs "an eventfd adds up, and the scheduler chooses who runs";

    Switch = "switch", Batch,
    "A task yields to another on the same CPU, which yields back: two switches",
    arg "the bytes that each of them touches in between, a word of each line",
    done "turns of the other task",
    wrong "yields after which the other task had not had exactly one turn",
    linux "",
    twin "sched_yield(2) of two processes of SCHED_FIFO, which take turns strictly",
    differs "Linux keeps a queue for each priority and accounts for time; Assay keeps one queue";

    TimerWake = "timer_wake", Event,
    "From a deadline to the first reading of the clock in the task that slept until it",
    arg "the time to the deadline, in microseconds",
    done "returns at the deadline or later",
    wrong "returns before it",
    linux "",
    twin "clock_nanosleep(2), of the time that is left",
    differs "Linux adds the slack of its timers, which is 1 ns here, and the scheduler";

    SpawnWait = "spawn_wait", Event,
    "A task is started from an ELF in memory, runs, and its parent has its answer",
    arg "",
    done "tasks whose answer is the right one",
    wrong "other answers",
    linux "",
    twin "vfork, execve(2) and wait4(2) of the same ELF, in a file system in memory",
    differs "a process of Linux has descriptors, signals and random addresses; a task of Assay has none of them";

    SpawnRefused = "spawn_refused", Batch,
    "A task cannot be started",
    arg "1 if its ELF is cut off, 2 if the handle is bad",
    done "refusals, by the kernel's count; on Linux, calls that returned ENOEXEC or EBADF",
    wrong "other answers",
    linux "",
    twin "vfork, execveat(2) of a cut file or of a descriptor that is not open, and wait4(2)",
    differs "Linux prepares the new address space before it looks at the file";

    FaultZero = "fault_zero", Event,
    "The first store to a page that is mapped when it is touched, its zeroing included",
    arg "",
    done "pages that held zeros, and then what was stored",
    wrong "other pages",
    linux "",
    twin "the first store to a private anonymous page",
    differs "Linux accounts for the page in its control group and in its lists";

    FaultServed = "fault_served", Event,
    "The first load from a page that is not mapped: a server on the same CPU has the fault, maps a page of memory there, and the load is made again",
    arg "",
    done "faults that the server had, each with the right page afterwards; on Linux, loads of the right page",
    wrong "other pages, and faults at other addresses",
    linux "",
    twin "a handler of SIGSEGV in the process itself, which maps the page of a memfd by mmap(2)",
    differs "Linux passes the fault to the process that made it: no other process runs, and no right to the memory is checked but the process's own";

    Map = "map", Event,
    "Pages of an object that exist already are mapped",
    arg "the pages",
    done "pages that held what was stored through an earlier mapping",
    wrong "calls that failed, and other pages",
    linux "",
    twin "mmap(2) of a memfd, MAP_SHARED, MAP_FIXED and MAP_POPULATE",
    differs "Linux finds the file's pages in its cache, one by one";

    Protect = "protect", Event,
    "Pages that are mapped are made read-only",
    arg "the pages",
    done "calls that returned the right answer, by the kernel's count of pages",
    wrong "other answers",
    linux "",
    twin "mprotect(2)",
    differs "Linux splits and merges its areas";

    Unmap = "unmap", Event,
    "Pages that are mapped are taken out of the address space",
    arg "the pages",
    done "calls that returned the right answer, by the kernel's count of pages",
    wrong "other answers",
    linux "",
    twin "munmap(2)",
    differs "Linux counts who maps each page";

    MapTouch = "map_touch", Event,
    "Pages of an object are mapped, a word of each page of the first tenth is stored to, and all are taken out again",
    arg "the pages; of 1 that one is stored to",
    done "pages that were stored to and hold it when they are mapped again, after the sample",
    wrong "calls that failed, and other pages",
    linux "",
    twin "mmap(2) of a memfd, MAP_SHARED and MAP_FIXED, the stores, which fault, and munmap(2)",
    differs "Linux maps a page when it is touched, and its neighbours with it if they are in its cache; Assay maps all at once";

    RingNop = "ring_nop", Batch,
    "One call has several operations of a ring done, which do nothing",
    arg "the operations",
    done "operations whose token came back, in order",
    wrong "tokens that are not the next",
    linux "",
    twin "io_uring_enter(2) with IORING_OP_NOP",
    differs "an entry of io_uring has 64 bytes and many kinds; one of Assay has four words";

    ShmXfer = "shm_xfer", Event,
    "Shared memory is filled, another task on the same CPU is notified, sums it up, and notifies back",
    arg "the bytes",
    done "transfers that the other task summed up",
    wrong "sums that are not the right one",
    linux "",
    twin "a memfd, and two eventfds",
    differs "as for notify_wake; the memory is the same";

    Attack = "attack", Event,
    "A task tries what it may not do: everything is refused, and then works as before",
    arg "what it tries: 1 reused slot, 2 foreign handle, 3 more rights, 4 full table, 5 map over, 6 write and execute, 7 dead caller, 8 revoked object, 9 storm of tasks, 10 random calls, 11 dead server, 12 bad ring, 13 a fault that its server resolves badly",
    done "passes in which every part was refused as it must be, and, if there is a server, honest calls that it answered after them",
    wrong "passes in which a part was accepted, or refused for another reason",
    linux "the attacks are on the objects of this kernel",
    twin "none",
    differs "Linux has no such objects";

    AttackCross = "attack_cross", Event,
    "The same with a server on another CPU",
    arg "what it tries: 1 dead server, 2 revoked object, 3 dead caller, 4 a ring that changes, 5 unmapping and faults at once",
    done "passes in which everything was as it must be; if there is a server, honest calls that it answered",
    wrong "passes in which a part was accepted, or refused for another reason",
    linux "the attacks are on the objects of this kernel",
    twin "none",
    differs "Linux has no such objects";
}

impl SeriesRow {
    /// The rows that a line of a plan asks for, in the order in which they run.
    pub fn of_tier(tier: Tier) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |row| row.tier() == tier)
    }

    /// How it is sampled.
    #[must_use]
    pub const fn class(self) -> SeriesClass {
        Self::CLASSES[self as usize]
    }

    /// What asks for it.
    #[must_use]
    pub const fn tier(self) -> Tier {
        Self::TIERS[self as usize]
    }

    /// Its specification.
    #[must_use]
    pub fn spec(self) -> &'static RowSpec {
        // One for each variant, in the same order.
        &Self::SPECS[self as usize]
    }
}

/// The rows that a plan makes do one operation less than they report, to show that their oracles notice it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shortened {
    /// None: every plan but that of a control.
    None,
    /// Every row.
    All,
    /// One row.
    One(SeriesRow),
}

impl Shortened {
    /// Whether a row is one of them.
    #[must_use]
    pub fn has(self, row: SeriesRow) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::One(one) => one == row,
        }
    }
}

impl core::fmt::Display for Shortened {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        crate::wire::Value::write(self, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Shortened {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl crate::wire::Value for Shortened {
    const MAX_LEN: usize = <SeriesRow as crate::wire::Value>::MAX_LEN;
    const SHAPE: &'static str = SHORTENED;

    fn write(&self, out: &mut dyn core::fmt::Write) -> core::fmt::Result {
        match self {
            Self::None => out.write_str("none"),
            Self::All => out.write_str("all"),
            Self::One(row) => row.write(out),
        }
    }

    fn read(text: &[u8]) -> Option<Self> {
        match text {
            b"none" => Some(Self::None),
            b"all" => Some(Self::All),
            _ => SeriesRow::read(text).map(Self::One),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Value;

    #[test]
    fn each_row_has_its_own_specification() {
        assert_eq!(SeriesRow::ALL.len(), SeriesRow::SPECS.len());
        assert!(SeriesRow::ALL.iter().all(|row| row.spec().row == *row));
    }

    #[test]
    fn a_shortened_row_is_none_all_or_one() {
        assert_eq!(Shortened::parse("c2c"), Some(Shortened::One(SeriesRow::CoreToCore)));
        assert_eq!(Shortened::parse("c2cs"), None);
        let has = |text| Shortened::parse(text).map(|short| short.has(SeriesRow::CoreToCore));
        assert_eq!(
            [has("none"), has("all"), has("c2c"), has("tsc_read")],
            [Some(false), Some(true), Some(true), Some(false)]
        );
    }
}
