//! Why a run holds no measurement: one list of stable codes.
//!
//! The codes are an interface: scripts match on them, so a code is never renamed and never given another meaning.
//! docs/GATE.md has them as a table, which a test holds against this list.

use std::fmt;

use serde::{Serialize, Serializer};

/// What kind of answer a reason is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Class {
    /// The evidence is sound, and it says that the guest did not do what it had to.
    Failed,
    /// This machine, this tool or this set-up cannot give the answer asked for.
    Unsupported,
    /// The evidence does not hold, so that there is no answer, good or bad.
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
        /// Why a run, or a claim, holds no measurement. In the order of precedence: if several hold, the first is
        /// the reason and the others stand beside it as findings.
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

            /// What kind of answer it is.
            #[must_use]
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }

            /// What it means, in a sentence.
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
        "The kernel found that it could not go on, and said so in a `panic` record or by its exit.",
        "A bug in the kernel or a machine it does not know: report it with the log.";
    Cancelled = "cancelled", Invalid,
        "The run was stopped from outside before it ended.",
        "Nothing is wrong; run it again.";
    QemuFailed = "qemu-failed", Invalid,
        "QEMU ended for a reason of its own.",
        "Read its message; check its version and options, and whether something killed it.";
    VmInternalError = "vm-internal-error", Invalid,
        "The hypervisor stopped the guest because it could not go on.",
        "Look at the host's kernel log; try the other accelerator.";
    GuestReset = "guest-reset", Failed,
        "The machine was reset before the run had ended: a second `start`, or QEMU saw a reset or a triple fault.",
        "A bug in the kernel, or a watchdog of the platform: report it with the log.";
    SerialOverflow = "serial-overflow", Failed,
        "The guest printed more than a run may, and was stopped.",
        "A bug in the kernel: the log's end shows what it repeats.";
    Timeout = "timeout", Failed,
        "The guest had not ended by the deadline of the run.",
        "See how far the log came; if it was still working, the host is too slow for the deadline.";
    NotAssay = "not-assay", Invalid,
        "The log has no record: it is empty, binary, or of another program.",
        "Check that it is the right file, and that the machine's first serial port was captured.";
    ProtocolVersion = "protocol-version", Unsupported,
        "The records are of a protocol version that this tool does not read.",
        "Use the `assay` that belongs to the image.";
    CorruptRecord = "corrupt-record", Invalid,
        "A line has the tag and is no record: torn, mixed with other text, or changed on its way.",
        "Check the serial line and whatever else writes to it, then run again.";
    DuplicateRecord = "duplicate-record", Invalid,
        "A record is there twice.",
        "Check how the log was captured, then run again.";
    MisorderedRecord = "misordered-record", Invalid,
        "A record stands where none can: after one with a higher number, or after the end.",
        "Check how the log was captured or joined, then run again.";
    DroppedRecords = "dropped-records", Invalid,
        "Numbers are missing from the sequence of records.",
        "Check how the log was captured (some consoles keep only the last part), then run again.";
    MissingEnd = "missing-end", Invalid,
        "The log stops before the `end` record, and nothing in it says why.",
        "Capture the log until the machine is off, then run again.";
    EndDigest = "end-digest", Invalid,
        "Every line is whole, and yet they are not the lines that the `end` record counts and digests.",
        "The log was changed after it was written; use the original.";
    NonceReused = "nonce-reused", Invalid,
        "Another run of the experiment has the same boot nonce: one log is there twice.",
        "Give each run its own log.";
    KernelMismatch = "kernel-mismatch", Invalid,
        "The kernel is not the one that was expected, or not that of the other runs.",
        "Build the image again and run the whole experiment with it.";
    PlanMismatch = "plan-mismatch", Invalid,
        "What ran is not what was asked for: another plan or other cases, or the parts do not make up the same whole.",
        "Build the image again from the manifest.";
    BlobMismatch = "blob-mismatch", Invalid,
        "The worker's program is not the one that was expected, or not that of the other runs.",
        "Build the image again; never compare runs of different programs.";
    InconsistentRecord = "inconsistent-record", Invalid,
        "Records contradict each other or lack their counterpart, though every line arrived.",
        "A bug in the kernel: report it with the log.";
    DisclosureMissing = "disclosure-missing", Invalid,
        "A record that a result must carry, on the machine, the clock or the program, is not there.",
        "Use a kernel that prints it; a result without it cannot be placed.";
    WorkloadUnknown = "workload-unknown", Unsupported,
        "This tool has no reference for the workload, or its parameters are out of the reference's range.",
        "Use the `assay` that belongs to the image.";
    CpuMissing = "cpu-missing", Failed,
        "A CPU did not start, or fewer started than the machine was given.",
        "See the `cpu` records; report it with the log and the machine's type.";
    WorkerFault = "worker-fault", Failed,
        "A worker took a fault.",
        "See the `fault` record: exception and address.";
    AuthorityExceeded = "authority-exceeded", Failed,
        "A worker made a syscall that its manifest does not allow; it was refused.",
        "Correct the worker, or its `authority`.";
    WorkerTimeout = "worker-timeout", Failed,
        "A worker had not returned by its deadline and was stopped.",
        "A worker that hangs, or a time-out too short for this machine.";
    WorkerLost = "worker-lost", Failed,
        "A worker's CPU never reported back.",
        "A bug in the kernel, or a machine that lost a CPU: report it with the log.";
    WorkerIncomplete = "worker-incomplete", Failed,
        "A worker returned without a complete result.",
        "Correct the worker.";
    VerifierMismatch = "verifier-mismatch", Failed,
        "A worker's answer, its count of work or its digest is not what the reference gives for its parameters.",
        "The work was not done, or done wrongly: correct the worker, or find the broken machine.";
    CaseSkipped = "case-skipped", Unsupported,
        "A case that was asked for was not run.",
        "Give the machine the CPUs and the memory that the case needs.";
    GuestError = "guest-error", Failed,
        "The kernel reported a problem with the machine or the plan.",
        "See the `error` record.";
    GuestStatus = "guest-status", Failed,
        "The guest says that the run failed, or ended as no good run does, and no record says why.",
        "A bug in the kernel: report it with the log.";
    Interrupted = "interrupted", Invalid,
        "A CPU took an interrupt while it ran a timed worker.",
        "Run again; if it stays, the platform interrupts where it was told not to.";
    TscUnsynchronised = "tsc-unsynchronised", Invalid,
        "The CPUs' clocks are so far apart that the workers cannot be said to have run together.",
        "Use a machine whose TSCs are in step.";
    TscDisagree = "tsc-disagree", Invalid,
        "The sources of the TSC's frequency contradict each other, or the runs of an experiment do.",
        "Run again on a quiet host; if it stays, the machine's clocks are not to be trusted.";
    VcpuPreempted = "vcpu-preempted", Invalid,
        "The host kept a CPU of the guest, or natively a worker, waiting while it was measured: by the scheduler's account, by the gaps that the CPU saw itself, or by time that neither accounts for.",
        "The iteration is set aside where a boot has several, else the round, which is replaced; stop what else runs on the host, and pin the guest.";
    Steal = "steal", Invalid,
        "The hypervisor says that it took too much time from a CPU while it was measured.",
        "The round is set aside and replaced; use a host that is not overcommitted.";
    CpuSlowed = "cpu-slowed", Invalid,
        "A CPU was much slower just before or just after its worker than at its quick times in the session, though nobody took it away: something shared its core, or its clock was lower.",
        "The iteration is set aside where a boot has several, else the round, which is replaced; stop what runs on the siblings of the cores, fix their frequency, or use a host whose cores are not shared.";
    ProbeSlow = "probe-slow", Invalid,
        "The host gave less to a native probe beside the round than it can, or nothing at all.",
        "The round is set aside and replaced; stop what else runs on the host, or ask its owner what shares its cores.";
    HostContended = "host-contended", Invalid,
        "So many rounds were set aside for what the host did that the rest would be a selection.",
        "Stop what else runs on the host and run the whole experiment again; `assay doctor` names suspects. Where its cores are shared for good, boots of many short iterations find the moments between: manifests/smp-process-scale-shared.toml.";
    LateStart = "late-start", Invalid,
        "A worker began so long after the common start that the workers did not run together.",
        "Free the host's CPUs, pin the guest, and run again.";
    ControlUnnoticed = "control-unnoticed", Failed,
        "The plan told the kernel to do something wrong, and nothing in the evidence shows it.",
        "A gate that does not notice its own control proves nothing: report it with the log.";
    Oversubscribed = "oversubscribed", Unsupported,
        "The guest has more CPUs than it may use of the host: the case shows function, not speed.",
        "Use a host with as many CPUs as the largest case of the claim.";
    SharedCores = "shared-cores", Unsupported,
        "Workers of the claim's case shared cores: that shows what SMT gives, not how cores scale.",
        "Claim what the machine has cores for; the SMT case stays a diagnostic.";
    TooFewRounds = "too-few-rounds", Invalid,
        "Fewer rounds passed than a claim needs.",
        "Run more rounds.";
    NotComparable = "not-comparable", Invalid,
        "The systems that were to be compared did not have the same work in the same envelope; the detail has the particular reason.",
        "See what differs under \"Systems side by side\", and run all of them again in one session.";
    Incomplete = "incomplete", Invalid,
        "The experiment was ended before all of its runs were done.",
        "What was measured is kept; run the whole experiment for a claim.";
}

impl ReasonCode {
    /// Whether it is evidence of what the host did, independent of any result: such a run's round is set aside and
    /// replaced.
    #[must_use]
    pub const fn is_the_hosts(self) -> bool {
        matches!(self, Self::VcpuPreempted | Self::Steal)
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
