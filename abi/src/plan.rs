//! The plan: the work of a kernel. Nothing else varies from one experiment to another.
//!
//! Text, one message a line, written by the host tool and read in place by the kernel:
//!
//! ```text
//! ASSAY-PLAN2
//! plan experiment=smp-process-scale linger_ms=0 challenge=...
//! workload name=primes sha256=... authority=exit
//! control kind=none target=0
//! warm-up ms=20
//! needs prepare=1 verify=1 memory_mib=64 stack_kib=64 pages=4k requires=none shared_kib=0 chunks=0
//! corpus name=mixed sha256=... copies=one
//! case workers=2 iterations=1 timeout_ms=60000
//! split worker=0 p0=2 p1=1893000 p2=0 p3=0 answer=... work=... digest=...
//! split worker=1 ...
//! ```
//!
//! The splits of a case follow it, one for each worker, numbered from 0. The expected answers let the kernel report on
//! its console whether the work was done. The host tool derives them itself and does not trust the kernel.
//!
//! The challenge is a number that the host chooses for each run. Every digest depends on it, so no answer of another run
//! fits. [`Plan::work_digest`] identifies the work whatever the challenge is.
//!
//! `warm-up`, `needs` and `corpus` may be left out: then the warm-up is [`WARM_UP_MS`], the needs are [`Needs::NONE`], and
//! there is no corpus. After them, a line `platform` asks for the rows of the platform ([`crate::series`]), which are
//! measured when all cases have run. A line `mechanisms` after it asks for the rows of the kernel's mechanisms. A line
//! `sampling` after them bounds the samples of each row, for a quick look. Then come the objects that the kernel makes for
//! the tasks of these rows, and the handles that each task has ([`Profile`]):
//!
//! ```text
//! platform noise_ms=10000 short=none samples=0
//! mechanisms program=primitives sha256=... memory_mib=4 shared_kib=1028 rows=all short=none samples=0
//! sampling samples=100
//! object name=door kind=endpoint bytes=0
//! grant task=client object=door rights=call badge=7
//! grant task=server object=door rights=serve badge=0
//! ```
//!
//! A plan for a machine of unknown size has no cases. Instead it has a sweep (see [`crate::sweep`]) and its cut
//! points, whose word is `knot`:
//!
//! ```text
//! sweep iterations=7 timeout_ms=60000 seed=... p2=0 p3=0 answer=... work=... digest=...
//! knot at=2
//! knot at=36913
//! ```

mod check;
mod profile;

use core::fmt;

use crate::Digest;
use crate::control::ControlKind;
use crate::digest::Hasher;
use crate::grant::{Copies, FeatureSet, PageSize, STACK_KIB};
use crate::object::{HANDLES, Kind, Rights};
use crate::series::{EVENTS, FEWEST, MAX_NOISE_MS, Shortened};
use crate::syscall::Authority;
use crate::task::TaskName;
use crate::wire::message::split_word;
use crate::wire::{FieldError, Hex64, Label, messages};

pub use profile::Profile;

/// The first line. The number is the format's version.
pub const HEADER: &str = "ASSAY-PLAN2";

/// The most workers a case can have.
pub const MAX_WORKERS: u16 = 1024;

/// How long each worker is warmed up before it is timed, in milliseconds, unless the plan says otherwise. A CPU that was
/// idle takes milliseconds to reach its clock.
pub const WARM_UP_MS: u32 = 20;

/// The longest warm-up, in milliseconds.
pub const MAX_WARM_UP_MS: u32 = 10_000;

/// The most cut points that a sweep can have.
pub const MAX_CUT_POINTS: usize = 8193;

/// The most objects of a plan.
pub const MAX_OBJECTS: usize = 32;

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

/// A plan of which every line has been read and checked.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Its purpose.
    pub head: Head,
    /// The program.
    pub workload: Workload,
    /// The fault that the kernel is to make.
    pub control: Control,
    /// How long each worker is warmed up, in milliseconds.
    pub warm_up_ms: u32,
    /// What each worker is granted; [`Needs::NONE`] if the plan does not say.
    pub needs: Needs,
    /// The corpus, if there is one.
    pub corpus: Option<Corpus>,
    /// What is to be measured of the platform; `None` for nothing.
    pub platform: Option<Platform>,
    /// What is to be measured of the kernel's mechanisms; `None` for nothing.
    pub mechanisms: Option<Mechanisms>,
    /// The objects and handles of the mechanisms' tasks.
    pub profile: Profile<'a>,
    /// The most samples of a row.
    pub samples: u32,
    /// The text after the header. Every line of it has been parsed once.
    lines: &'a str,
    /// The text from the first case, or the sweep, to the end.
    work: &'a str,
}

/// An error in the text of a plan, and its line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PlanError {
    /// The line's number, from 1.
    pub line: u32,
    /// The error.
    pub kind: PlanErrorKind,
}

/// An error in a line of a plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PlanErrorKind {
    /// The text is not UTF-8, or does not begin with [`HEADER`], or does not end in a line feed.
    NotAPlan,
    /// The line is not a message.
    Line(FieldError),
    /// The line is a message that cannot be in this place.
    OutOfPlace,
    /// The warm-up is longer than [`MAX_WARM_UP_MS`].
    BadWarmUp,
    /// A worker needs more than it can be granted, or shared memory without the authority for it, or the authority without
    /// shared memory.
    BadNeeds,
    /// The rows of the platform look for gaps for longer than [`MAX_NOISE_MS`], or take other numbers of samples than
    /// [`FEWEST`] to [`EVENTS`].
    BadPlatform,
    /// The tasks of the mechanisms need more than they can be granted, or the rows to measure are none.
    BadMechanisms,
    /// There are more than [`MAX_OBJECTS`] objects or [`HANDLES`] handles of a task, an object's name is an earlier one's, its
    /// kind cannot be made, its length is not what its kind has, or a grant is of an object that the plan does not have.
    BadProfile,
    /// A case has no workers, more than [`MAX_WORKERS`], the number of an earlier case, no iterations or no time-out.
    BadCase,
    /// The number of a split is not the next, or a case has fewer or more splits than workers.
    BadSplit,
    /// There is no case.
    NoCase,
    /// A sweep has no iterations, no time-out, fewer than two cut points, more than [`MAX_CUT_POINTS`], or descending
    /// ones.
    BadSweep,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plan line {}: {}", self.line, self.kind)
    }
}

impl fmt::Display for PlanErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAPlan => write!(f, "expected {HEADER} and whole lines"),
            Self::Line(error) => error.fmt(f),
            Self::OutOfPlace => f.write_str("message out of place"),
            Self::BadWarmUp => write!(f, "a warm-up has at most {MAX_WARM_UP_MS} ms"),
            Self::BadNeeds => f.write_str("needs out of range, or not as the authority has them"),
            Self::BadPlatform => {
                write!(f, "noise_ms is at most {MAX_NOISE_MS}, samples {FEWEST} to {EVENTS}")
            }
            Self::BadMechanisms => f.write_str("memory of the mechanisms' tasks out of range, or rows=none"),
            Self::BadProfile => write!(
                f,
                "at most {MAX_OBJECTS} objects with names and lengths of their own, {HANDLES} grants of them a task"
            ),
            Self::BadCase => {
                f.write_str("workers repeated, or workers, iterations or timeout_ms out of range")
            }
            Self::BadSplit => f.write_str("splits must be numbered from 0, one for each worker"),
            Self::NoCase => f.write_str("no case"),
            Self::BadSweep => write!(
                f,
                "a sweep needs iterations, timeout_ms, and 2 to {MAX_CUT_POINTS} `knot` lines that do not descend"
            ),
        }
    }
}

/// Reads one line.
fn parse_line(line: &str) -> Result<PlanLine, FieldError> {
    let (name, fields) = split_word(line.as_bytes());
    PlanLine::parse_fields(name, fields)
}

impl PlanLine {
    /// The line with what the challenge decides set to 0.
    fn unchallenged(self) -> Self {
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

impl<'a> Plan<'a> {
    /// Reads a plan and checks all of it.
    ///
    /// # Errors
    /// The first line with an error.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PlanError> {
        let fail = |line, kind| PlanError { line, kind };
        let not_a_plan = fail(1, PlanErrorKind::NotAPlan);
        let text = core::str::from_utf8(bytes).map_err(|_| not_a_plan)?;
        if !text.ends_with('\n') {
            return Err(not_a_plan);
        }
        let (header, rest) = text.split_once('\n').ok_or(not_a_plan)?;
        if header != HEADER {
            return Err(not_a_plan);
        }
        let lines = rest;
        let (head, rest) = rest.split_once('\n').ok_or(fail(2, PlanErrorKind::OutOfPlace))?;
        let (workload, rest) = rest.split_once('\n').ok_or(fail(3, PlanErrorKind::OutOfPlace))?;
        let (control, work) = rest.split_once('\n').ok_or(fail(4, PlanErrorKind::OutOfPlace))?;
        let message =
            |number, line| parse_line(line).map_err(|error| fail(number, PlanErrorKind::Line(error)));
        let PlanLine::Head(head) = message(2, head)? else { return Err(fail(2, PlanErrorKind::OutOfPlace)) };
        let PlanLine::Workload(workload) = message(3, workload)? else {
            return Err(fail(3, PlanErrorKind::OutOfPlace));
        };
        let PlanLine::Control(control) = message(4, control)? else {
            return Err(fail(4, PlanErrorKind::OutOfPlace));
        };
        let first = |text: &'a str| text.split_once('\n').map(|(first, rest)| (parse_line(first), rest));
        let (warm_up_ms, work, number) = match first(work) {
            Some((Ok(PlanLine::WarmUp(WarmUp { ms })), rest)) if ms <= MAX_WARM_UP_MS => (ms, rest, 6),
            Some((Ok(PlanLine::WarmUp(_)), _)) => return Err(fail(5, PlanErrorKind::BadWarmUp)),
            _ => (WARM_UP_MS, work, 5),
        };
        let (needs, work, number) = match first(work) {
            Some((Ok(PlanLine::Needs(needs)), rest)) => (needs, rest, number + 1),
            _ => (Needs::NONE, work, number),
        };
        check::needs(&needs, workload.authority).map_err(|kind| fail(number - 1, kind))?;
        let (corpus, work, number) = match first(work) {
            Some((Ok(PlanLine::Corpus(corpus)), rest)) => (Some(corpus), rest, number + 1),
            _ => (None, work, number),
        };
        let (platform, work, number) = match first(work) {
            Some((Ok(PlanLine::Platform(platform)), rest)) if platform.noise_ms <= MAX_NOISE_MS => {
                (Some(platform), rest, number + 1)
            }
            Some((Ok(PlanLine::Platform(_)), _)) => return Err(fail(number, PlanErrorKind::BadPlatform)),
            _ => (None, work, number),
        };
        let (mechanisms, work, number) = match first(work) {
            Some((Ok(PlanLine::Mechanisms(asked)), rest)) => {
                check::mechanisms(&asked).map_err(|kind| fail(number, kind))?;
                (Some(asked), rest, number + 1)
            }
            _ => (None, work, number),
        };
        let has_rows = platform.is_some() || mechanisms.is_some();
        let (samples, work, number) = match first(work) {
            Some((Ok(PlanLine::Sampling(Sampling { samples })), rest)) if has_rows => {
                if !(FEWEST..=EVENTS).contains(&samples) {
                    return Err(fail(number, PlanErrorKind::BadPlatform));
                }
                (samples, rest, number + 1)
            }
            _ => (EVENTS, work, number),
        };
        let (profile, work, number) = match mechanisms {
            Some(_) => Profile::split(work, number)?,
            None => (Profile::default(), work, number),
        };
        match first(work) {
            Some((Ok(PlanLine::Sweep(sweep)), cut_points)) => check::sweep(&sweep, cut_points, number)?,
            _ => check::cases(work, number)?,
        }
        Ok(Self {
            head,
            workload,
            control,
            warm_up_ms,
            needs,
            corpus,
            platform,
            mechanisms,
            profile,
            samples,
            lines,
            work,
        })
    }

    /// SHA-256 of the plan without what the challenge decides: the text with the challenge and every expected digest
    /// set to 0. Plans with the same value ask for the same work.
    #[must_use]
    pub fn work_digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        hasher.update(HEADER.as_bytes());
        hasher.update(b"\n");
        for line in self.lines.split_terminator('\n') {
            if let Ok(line) = parse_line(line) {
                // A hasher takes all that is written.
                let _ = write_line(&mut hasher, &line.unchallenged());
            }
        }
        hasher.digest()
    }

    /// The sweep and its cut points; `None` for a plan with cases.
    #[must_use]
    pub fn sweep(&self) -> Option<(Sweep, CutPoints<'a>)> {
        let (first, rest) = self.work.split_once('\n')?;
        let Ok(PlanLine::Sweep(sweep)) = parse_line(first) else { return None };
        Some((sweep, CutPoints { rest }))
    }

    /// The cases in order, each with its splits; none for a plan with a sweep.
    pub fn cases(&self) -> impl Iterator<Item = (Case, Splits<'a>)> + use<'a> {
        let mut rest = self.work;
        core::iter::from_fn(move || {
            let (line, after) = rest.split_once('\n')?;
            let Ok(PlanLine::Case(case)) = parse_line(line) else { return None };
            let splits = Splits { rest: after };
            rest = after;
            for _ in 0..case.workers {
                rest = rest.split_once('\n')?.1;
            }
            Some((case, splits))
        })
    }
}

/// The splits of a case, in the order of their workers.
#[derive(Clone, Copy, Debug)]
pub struct Splits<'a> {
    rest: &'a str,
}

impl Iterator for Splits<'_> {
    type Item = Split;

    fn next(&mut self) -> Option<Split> {
        let (line, rest) = self.rest.split_once('\n')?;
        let Ok(PlanLine::Split(split)) = parse_line(line) else { return None };
        self.rest = rest;
        Some(split)
    }
}

/// The cut points of a sweep, in order.
#[derive(Clone, Copy, Debug)]
pub struct CutPoints<'a> {
    rest: &'a str,
}

impl Iterator for CutPoints<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let (line, rest) = self.rest.split_once('\n')?;
        let Ok(PlanLine::CutPoint(point)) = parse_line(line) else { return None };
        self.rest = rest;
        Some(point.at)
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
