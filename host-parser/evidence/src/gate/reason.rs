//! The reasons why a run has no measurement: one list of stable codes.
//!
//! The codes are an interface: scripts match on them, so a code is never renamed and never given another meaning.
//! A test makes the table in docs/GATE.md from this list.

use std::fmt;

use serde::{Serialize, Serializer};

/// The outcome that a reason leads to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Class {
    /// The evidence is sound, and it shows that the guest did not do what it had to do.
    Failed,
    /// This machine, tool or set-up cannot give the answer.
    Unsupported,
    /// The evidence does not hold, so there is no answer, good or bad.
    Invalid,
}

impl Class {
    /// The word for it in results.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Unsupported => "unsupported",
            Self::Invalid => "invalid",
        }
    }
}

/// Declares the reasons, most fundamental first.
macro_rules! reasons {
    ($($name:ident = $code:literal, $class:ident, $meaning:literal, $remedy:literal;)*) => {
        /// Why a run has no measurement, or a claim no result. In order of precedence: if several apply, the first is
        /// the reason, and the others are listed as findings.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum ReasonCode {
            $(#[doc = $meaning] $name,)*
        }

        impl ReasonCode {
            /// Every reason, most fundamental first.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The outcome that it leads to.
            #[must_use]
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }

            /// What it means, in one or two sentences.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// What to do about it.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* }
            }
        }
    };
}

reasons! {
    KernelPanic = "kernel-panic", Failed,
        "The kernel could not go on and reported that in a `panic` record or by its exit value.",
        "This is a kernel bug, or a machine that the kernel does not support: report it with the log.";
    Cancelled = "cancelled", Invalid,
        "The run was stopped from the host before it ended.",
        "Nothing is wrong: run it again.";
    QemuFailed = "qemu-failed", Invalid,
        "QEMU exited although the guest had not ended the run.",
        "Read QEMU's message in the detail. Check its version and options, and whether something killed it.";
    VmInternalError = "vm-internal-error", Invalid,
        "The hypervisor hit an internal error and stopped the guest.",
        "Read the host's kernel log, or try the other accelerator.";
    GuestReset = "guest-reset", Failed,
        "The machine was reset before the run had ended: the log has a second `start`, or the VMM saw a reset or a triple fault.",
        "This is a kernel bug, or a watchdog of the platform fired: report it with the log.";
    SerialOverflow = "serial-overflow", Failed,
        "The guest printed more than the limit for a run, and was stopped.",
        "This is a kernel bug. The end of the log shows what it repeats: report it with the log.";
    Timeout = "timeout", Failed,
        "The guest had not ended by the run's deadline.",
        "The detail has the last record. If the guest was still working, the host is too slow for the deadline.";
    NotAssay = "not-assay", Invalid,
        "The log has no record: it is empty, it is binary, or another program wrote it.",
        "Check that this is the right file, and that it captured the machine's first serial port.";
    ProtocolVersion = "protocol-version", Unsupported,
        "The records have a protocol version that this tool does not read.",
        "Use the `assay` that was built with the image.";
    CorruptRecord = "corrupt-record", Invalid,
        "A line starts a record but is not a whole one: it is torn, mixed with other text, or was changed on the way.",
        "Check the serial line and whether anything else writes to it, then run again.";
    DuplicateRecord = "duplicate-record", Invalid,
        "The log has a record twice.",
        "Check how the log was captured, then run again.";
    MisorderedRecord = "misordered-record", Invalid,
        "A record is in the wrong place: after one with a higher number, or after `end`.",
        "Check how the log was captured or joined, then run again.";
    DroppedRecords = "dropped-records", Invalid,
        "Records are missing: their sequence numbers have a gap.",
        "Check how the log was captured (some consoles keep only the last part), then run again.";
    MissingEnd = "missing-end", Invalid,
        "The log stops before the `end` record, and nothing explains why.",
        "Run again, and capture the log until the machine is off.";
    EndDigest = "end-digest", Invalid,
        "Every line is whole, but the count or the digest in `end` does not match the lines before it.",
        "The log was changed after it was written: use the original.";
    NonceReused = "nonce-reused", Invalid,
        "Another run of the experiment has the same boot nonce, so one log was given twice.",
        "Give each run its own log.";
    ReadingsRepeated = "readings-repeated", Invalid,
        "The run's clock readings are those of an earlier run of the experiment, or nearly: its log is a copy.",
        "Give each run its own log. An emulator that counts instructions instead of time repeats itself, too: its counts are not a measurement.";
    KernelMismatch = "kernel-mismatch", Invalid,
        "The kernel is not the expected one, or differs from that of the other runs.",
        "Build the image again and run the whole experiment with it.";
    KernelProfile = "kernel-profile", Invalid,
        "The kernel was built without some of its checks, so its figures are not those of the kernel.",
        "Build the kernel without features. `assay exact profiles` counts the others (docs/EXACT.md).";
    PlanMismatch = "plan-mismatch", Invalid,
        "The run did not follow the plan: it has another plan or other cases, or its splits do not make up the same whole.",
        "Build the image again from the manifest.";
    BlobMismatch = "blob-mismatch", Invalid,
        "The worker's program is not the expected one, or differs from that of the other runs.",
        "Build the image again. Runs of different programs cannot be compared.";
    CorpusMismatch = "corpus-mismatch", Invalid,
        "The corpus that the workers read is not the expected one, or there is none.",
        "Build the image again from the manifest.";
    GrantMismatch = "grant-mismatch", Invalid,
        "A worker was granted other memory, pages or features than the plan asks for, or than in the other runs.",
        "Build the image again from the manifest. Runs with different grants cannot be compared.";
    RowMismatch = "row-mismatch", Invalid,
        "The boot is not of the row that it stands in: its machine, plan or authority is not that of the row's earlier boots.",
        "Judge the logs of each machine and each plan by a command of their own.";
    InconsistentRecord = "inconsistent-record", Invalid,
        "Every line arrived, but records contradict each other, or one that belongs to another is missing.",
        "This is a kernel bug: report it with the log.";
    TimeMissing = "time-missing", Failed,
        "The workers' times are shorter than the clock readings around them allow, and nothing that the host did explains the rest.",
        "The kernel does not report the times that it measured, or its clock is wrong: report it with the log. The run is never repeated for this.";
    EvidenceMissing = "evidence-missing", Invalid,
        "A record that a rule needs is not there, or its number says that nothing was read: the log is of an older kernel, or something was removed.",
        "Use the kernel that was built with this `assay`.";
    DisclosureMissing = "disclosure-missing", Invalid,
        "A record about the machine, the clock or the program that every result needs is missing.",
        "Use a kernel that prints the record. Without it a result cannot be interpreted.";
    WorkloadUnknown = "workload-unknown", Unsupported,
        "This tool has no reference for the workload, or the parameters are outside the reference's range.",
        "Use the `assay` that was built with the image.";
    CpuMissing = "cpu-missing", Failed,
        "A CPU did not start, or fewer CPUs started than the machine has.",
        "The `cpu` records show which. Report it with the log and the machine's type.";
    WorkerFault = "worker-fault", Failed,
        "A worker caused a CPU exception.",
        "The `fault` record has the exception and the address: correct the worker.";
    AuthorityExceeded = "authority-exceeded", Failed,
        "A worker made a syscall that its manifest does not allow. The kernel refused it.",
        "Correct the worker, or its `authority` in the manifest.";
    WorkerTimeout = "worker-timeout", Failed,
        "A worker had not returned by its time-out and was stopped.",
        "Either the worker hangs, or the time-out is too short for this machine: raise `worker-seconds` in the manifest to find out.";
    WorkerLost = "worker-lost", Failed,
        "A worker's CPU never reported the end of its work.",
        "This is a kernel bug, or the machine lost a CPU: report it with the log.";
    WorkerIncomplete = "worker-incomplete", Failed,
        "A worker returned without a complete result.",
        "Correct the worker.";
    VerifierMismatch = "verifier-mismatch", Failed,
        "A worker's answer, count of work or digest differs from what the reference gives for the same parameters.",
        "The work was not done, or it was done wrongly: correct the worker, or find out what is wrong with the machine.";
    RequirementMissing = "requirement-missing", Unsupported,
        "The machine lacks what the manifest requires: a CPU feature, or pages of the size.",
        "Use a machine that has it (under QEMU also an accelerator and a CPU model), or run the build for every x86-64.";
    CaseSkipped = "case-skipped", Unsupported,
        "A case that was to be run was skipped, or no run has it.",
        "Give the machine the CPUs and the memory that the case needs; the detail says which it lacks.";
    GuestError = "guest-error", Failed,
        "The kernel reported an error of the machine or the plan.",
        "The detail has the `error` record: correct what it names.";
    GuestStatus = "guest-status", Failed,
        "The guest reports that the run failed, or its exit value is not that of a good run, and no record says why.",
        "This is a kernel bug: report it with the log.";
    Interrupted = "interrupted", Invalid,
        "A CPU took an interrupt while it ran a timed worker.",
        "Run again. If it happens again, the platform delivers interrupts that the kernel has masked: report it with the log.";
    UnexpectedInterrupt = "unexpected-interrupt", Invalid,
        "A CPU took an interrupt that the kernel did not ask for, during a measurement: a device that firmware left live, or a spurious one.",
        "If the boot has several iterations, this one is excluded; otherwise the run is made again in its round. If it happens in every run, switch off in the firmware's setup what the detail's vector belongs to.";
    Nmi = "nmi", Invalid,
        "A CPU took a non-maskable interrupt during a measurement: a watchdog, a management controller, or a hardware error that the platform reports so.",
        "If the boot has several iterations, this one is excluded; otherwise the run is made again in its round. If it happens again, read the platform's event log.";
    TscUnsynchronised = "tsc-unsynchronised", Invalid,
        "The CPUs' clocks are so far apart that nothing shows that the workers ran together.",
        "Use a machine whose TSCs are synchronised.";
    CpusDiffer = "cpus-differ", Invalid,
        "A CPU that ran a worker is in another state than CPU 0: a register in force differs that decides how fast it runs code in ring 3.",
        "The `register` records show which. It is the firmware's doing: load the defaults of its set-up, or update it.";
    TscDisagree = "tsc-disagree", Invalid,
        "The sources of the TSC's frequency disagree, or the runs of the experiment do.",
        "Run again on a quiet host. If it happens again, do not trust this machine's clocks.";
    VmStopped = "vm-stopped", Invalid,
        "The machine stood still while a worker was timed, and its clocks went on: the timer that watches the worker's CPU came far too late. A VMM that was stopped, a host that slept, a snapshot.",
        "If the boot has several iterations, this one is excluded; otherwise the run is made again in its round. Find out what stops the machine.";
    VcpuPreempted = "vcpu-preempted", Invalid,
        "The host kept a vCPU (in the native row, a worker) waiting during a measurement. The scheduler's account shows it, or a gap that the CPU saw itself, or elapsed time that nothing accounts for.",
        "If the boot has several iterations, this one is excluded; otherwise the run is made again in its round. Stop what else runs on the host, and pin the guest.";
    Steal = "steal", Invalid,
        "A hypervisor took too much time from a CPU during a measurement, by its own account.",
        "If the boot has several iterations, this one is excluded; otherwise the run is made again in its round. Use a host that is not overcommitted.";
    Smi = "smi", Invalid,
        "The firmware took a CPU away by a system-management interrupt while it ran a timed worker.",
        "If the boot has several iterations, this one is excluded; otherwise the run is made again in its round. If there are many, switch off in the firmware's set-up what causes them: legacy USB, power management, error reporting.";
    CpuSlowed = "cpu-slowed", Invalid,
        "A CPU was much slower just before or just after its worker than its baseline in the session, although the host did not take the CPU away: something shared its core, or its clock was lower.",
        "If the boot has several iterations, this one is excluded; otherwise the run is made again in its round. Stop what runs on the cores' other threads, fix the CPUs' frequency, or use a host whose cores are not shared.";
    ProbeSlow = "probe-slow", Invalid,
        "A native probe just before or after the round was slower than the session's baseline, or failed.",
        "The round is excluded and replaced. Stop what else runs on the host, or ask its owner what shares its cores.";
    HostContended = "host-contended", Invalid,
        "The host disturbed so much that what is left would be a selection: too many rounds, or more than half of the iterations that were made.",
        "Stop what else runs on the host and run the whole experiment again; `assay doctor` names suspects. If the host's cores are always shared, use manifests/smp-process-scale-shared.toml: its boots have many short iterations, some of which run undisturbed.";
    Superlinear = "superlinear", Invalid,
        "Several workers were more than as many times as fast as one: either the times are wrong, or something slowed the one worker and no evidence shows it.",
        "Run again on a quiet host. A workload that fits the caches of several CPUs and not that of one can do this: then a speed-up does not show how the system scales.";
    Selection = "selection", Invalid,
        "What was excluded depends on what was measured: one case or one system lost more than another, or a claim that holds undisturbed is far from holding if everything that was made counts.",
        "The platform itself may be what slows that case or system: two vCPUs that share a core, for example. Run on a host where less is excluded; the figures as experienced, which leave nothing out, are still shown.";
    LateStart = "late-start", Invalid,
        "A worker started so long after the common start that the workers did not run together.",
        "If the boot has several iterations, this one is excluded. Free the host's CPUs, pin the guest, and run again.";
    ControlUnnoticed = "control-unnoticed", Failed,
        "The plan made something go wrong on purpose, and no rule of the gate noticed it.",
        "This is a bug in the gate, whose verdicts prove nothing then: report it with the log.";
    Oversubscribed = "oversubscribed", Unsupported,
        "The guest has more CPUs than host CPUs to run on: the case shows function, not speed.",
        "Use a host that has as many CPUs as the largest case of the claim.";
    SharedCores = "shared-cores", Unsupported,
        "Workers of the claim's case shared cores. That shows what SMT gives, not how cores scale.",
        "Claim a case that has a core for each worker. The SMT case is still shown, without a claim.";
    TooFewRounds = "too-few-rounds", Invalid,
        "Fewer rounds have a result than a claim needs.",
        "Run more rounds, or run on a quieter host.";
    NotComparable = "not-comparable", Invalid,
        "The systems did not do the same work in the same envelope, so they are not compared. The detail says what differs.",
        "Read under \"Systems side by side\" what differs, and run all systems again in one session.";
    Incomplete = "incomplete", Invalid,
        "The experiment was stopped before all of its runs were done.",
        "The results so far are kept. For a claim, run the whole experiment.";
}

impl ReasonCode {
    /// Whether the reason is something that the host or the platform did, shown by evidence other than the result. Such a
    /// run is made again in its round.
    #[must_use]
    pub const fn is_the_hosts(self) -> bool {
        matches!(
            self,
            Self::VcpuPreempted
                | Self::Steal
                | Self::VmStopped
                | Self::Smi
                | Self::UnexpectedInterrupt
                | Self::Nmi
        )
    }

    /// Whether the host, or what shares it, was busy: the same run can pass later, on the same machine. An interrupt that
    /// firmware or a device sends is not that.
    #[must_use]
    pub const fn is_a_busy_host(self) -> bool {
        matches!(
            self,
            Self::VcpuPreempted
                | Self::Steal
                | Self::VmStopped
                | Self::CpuSlowed
                | Self::ProbeSlow
                | Self::HostContended
                | Self::LateStart
        )
    }

    /// Whether a run with no other reason did its work all the same, so that its times are those that a user of the
    /// machine experienced.
    #[must_use]
    pub const fn is_a_disturbance(self) -> bool {
        self.is_the_hosts() || matches!(self, Self::LateStart)
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Serialize for ReasonCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
