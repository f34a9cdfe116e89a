//! The lines of a plan.

use core::fmt;

use crate::Digest;
use crate::control::ControlKind;
use crate::grant::{Copies, FeatureSet, PageSize, STACK_KIB};
use crate::object::{Kind, Rights};
use crate::series::Shortened;
use crate::syscall::Authority;
use crate::task::TaskName;
use crate::wire::message::split_word;
use crate::wire::{FieldError, Hex64, Label, messages};

messages! {
    /// A line of a plan.
    pub enum PlanLine;

    /// The purpose of the plan.
    Head = "plan" {
        /// The experiment's name.
        experiment: Label,
        /// How long the machine stays up after its last record, repeating its summary, before it powers off.
        linger_ms: u32,
        /// The challenge: every worker folds it into its digest.
        challenge: Hex64,
    }

    /// The program of the workers.
    Workload = "workload" {
        /// Its name, which is that of its ELF in the ramdisk.
        name: Label,
        /// SHA-256 of its ELF.
        sha256: Digest,
        /// The syscalls it may make.
        authority: Authority,
    }

    /// A fault that the kernel is to make, to show that the gate notices it.
    Control = "control" {
        /// The fault.
        kind: ControlKind,
        /// The CPU that makes it, by its dense number, if it is made by one.
        target: u16,
    }

    /// How long each worker is warmed up before it is timed. At most one, after `control`.
    WarmUp = "warm-up" {
        /// At least this many milliseconds, at most 10,000.
        ms: u32,
    }

    /// What each worker is granted beyond its image, its arguments and its result slot. At most one, after `warm-up`.
    Needs = "needs" {
        /// The worker is called to prepare before its warm-up.
        prepare: bool,
        /// The worker is called to verify after its timed call.
        verify: bool,
        /// The memory of its own, in MiB, at most 65,536.
        memory_mib: u32,
        /// Its stack, in KiB: a multiple of 4, at most 16,384.
        stack_kib: u32,
        /// The pages of its memory and of the corpus.
        pages: PageSize,
        /// The features that each of its CPUs must have.
        requires: FeatureSet,
        /// The memory that all workers of a case share, in KiB: a multiple of 4, at most 65,536. Above 0 if the authority
        /// has `shared-memory`, and only then.
        shared_kib: u32,
        /// The most digests of chunks that it can leave, at most 4,096.
        chunks: u16,
    }

    /// The corpus, a file of the ramdisk that every worker can read. At most one, after `needs`.
    Corpus = "corpus" {
        /// Its name, which is that of its file.
        name: Label,
        /// SHA-256 of its bytes.
        sha256: Digest,
        /// How many copies of it are in memory.
        copies: Copies,
    }

    /// The costs and the noise of the platform are to be measured too. At most one, before the cases.
    Platform = "platform" {
        /// How long each CPU looks for gaps, in milliseconds, at most 600,000.
        noise_ms: u32,
        /// The rows that do one operation less than they report, to show that their oracles notice it.
        short: Shortened,
        /// Whether every sample is printed, beside the histograms.
        samples: bool,
    }

    /// The costs of operations of a kernel are to be measured too. At most one, after `platform`.
    Mechanisms = "mechanisms" {
        /// The program of all tasks, which is the name of its ELF in the ramdisk.
        program: Label,
        /// SHA-256 of its ELF.
        sha256: Digest,
        /// The memory of each task alone, in MiB, at most 65,536.
        memory_mib: u32,
        /// The memory that all tasks of a row share, in KiB: a multiple of 4, at most 65,536.
        shared_kib: u32,
        /// The rows to measure: all or one.
        rows: Shortened,
        /// The rows that do one operation less than they report, to show that their oracles notice it.
        short: Shortened,
        /// Whether every sample is printed, beside the histograms.
        samples: bool,
    }

    /// How many samples a row of the platform or of the mechanisms takes at most. At most one, after `platform` and
    /// `mechanisms`.
    Sampling = "sampling" {
        /// The samples: at least as many as a row has at least, 8, and at most 10,000.
        samples: u32,
    }

    /// An object that the kernel makes for the tasks of each row of the mechanisms. After `sampling`.
    KernelObject = "object" {
        /// Its name, for the grants.
        name: Label,
        /// Its kind.
        kind: Kind,
        /// The length of memory in bytes, a multiple of 4,096; the bytes of the program that an image has, 0 for all; 0 for
        /// other kinds.
        bytes: u64,
    }

    /// A handle of a task. The k-th of a task, from 0, is in slot k of its table, in generation 1. After the objects.
    HandleGrant = "grant" {
        /// The task.
        task: TaskName,
        /// The object.
        object: Label,
        /// What the task may do with it.
        rights: Rights,
        /// What a server learns of who calls through this handle.
        badge: u64,
    }

    /// One case.
    Case = "case" {
        /// The number of workers, each on its own CPU.
        workers: u16,
        /// The number of times to run it.
        iterations: u16,
        /// The time-out of a worker, from the common start.
        timeout_ms: u32,
    }

    /// The parameters of one worker of the preceding case, and its expected result.
    Split = "split" {
        /// The worker, from 0.
        worker: u16,
        /// The first parameter.
        p0: u64,
        /// The second parameter.
        p1: u64,
        /// The third parameter.
        p2: u64,
        /// The fourth parameter.
        p3: u64,
        /// The expected answer.
        answer: u64,
        /// The expected work.
        work: u64,
        /// The expected digest.
        digest: Hex64,
    }

    /// Cases for a machine of any size, instead of a list of cases. The cut points follow.
    Sweep = "sweep" {
        /// The number of times to run every case.
        iterations: u16,
        /// The time-out of a worker, from the common start.
        timeout_ms: u32,
        /// The seed of the order of the cases in each iteration.
        seed: Hex64,
        /// The third parameter of every worker.
        p2: u64,
        /// The fourth parameter of every worker.
        p3: u64,
        /// The sum of the expected answers over the workers of any case.
        answer: u64,
        /// The sum of their expected work.
        work: u64,
        /// The wrapping sum of their expected digests.
        digest: Hex64,
    }

    /// A cut point, where a part of the whole begins or ends. All parts have the same cost.
    CutPoint = "knot" {
        /// The value of the first and second parameters there.
        at: u64,
    }
}

impl Needs {
    /// The needs of a plan that states none: two calls, and the usual stack.
    pub const NONE: Self = Self {
        prepare: false,
        verify: false,
        memory_mib: 0,
        stack_kib: STACK_KIB,
        pages: PageSize::Small,
        requires: FeatureSet::NONE,
        shared_kib: 0,
        chunks: 0,
    };

    /// The number of calls of a worker that each may take as long as its time-out: those of the plan, the warm-up counted
    /// as one.
    #[must_use]
    pub const fn calls(&self) -> u64 {
        2 + self.prepare as u64 + self.verify as u64
    }
}

/// Reads one line.
pub(super) fn parse_line(line: &str) -> Result<PlanLine, FieldError> {
    let (name, fields) = split_word(line.as_bytes());
    PlanLine::parse_fields(name, fields)
}

impl PlanLine {
    /// The line with what the challenge decides set to 0.
    pub(super) fn unchallenged(self) -> Self {
        const NONE: Hex64 = Hex64(0);
        match self {
            Self::Head(head) => Head { challenge: NONE, ..head }.into(),
            Self::Split(split) => Split { digest: NONE, ..split }.into(),
            Self::Sweep(sweep) => Sweep { seed: NONE, digest: NONE, ..sweep }.into(),
            Self::Workload(_)
            | Self::Control(_)
            | Self::WarmUp(_)
            | Self::Needs(_)
            | Self::Corpus(_)
            | Self::Platform(_)
            | Self::Mechanisms(_)
            | Self::Sampling(_)
            | Self::KernelObject(_)
            | Self::HandleGrant(_)
            | Self::Case(_)
            | Self::CutPoint(_) => self,
        }
    }
}

/// Writes a line of a plan, with its line feed.
///
/// # Errors
/// Those of `out`.
pub fn write_line(out: &mut dyn fmt::Write, line: &PlanLine) -> fmt::Result {
    out.write_str(line.name())?;
    line.write_fields(out)?;
    out.write_char('\n')
}
