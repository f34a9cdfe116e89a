//! The plan: what a kernel is to run. It is all that varies from one experiment to another.
//!
//! Text, one message a line, written by the host tool and read in place by the kernel:
//!
//! ```text
//! ASSAY-PLAN1
//! plan experiment=smp-process-scale linger_ms=0
//! workload name=primes sha256=... authority=exit
//! control kind=none target=0
//! case workers=2 iterations=1 timeout_ms=60000
//! split worker=0 p0=2 p1=1893000 p2=0 p3=0 answer=... work=... digest=...
//! split worker=1 ...
//! ```
//!
//! A case's splits follow it, numbered from 0, one for each worker. The expected answers let the kernel say on its
//! console whether the work was done; the host tool works them out for itself and does not trust the kernel's word.
//!
//! A plan for a machine of unknown size has no cases, but after `control` a sweep (see [`crate::sweep`]) and its knots:
//!
//! ```text
//! sweep iterations=7 timeout_ms=60000 seed=... p2=0 p3=0 answer=... work=... digest=...
//! knot at=2
//! knot at=36913
//! ```

mod check;

use core::fmt;

use crate::Digest;
use crate::control::ControlKind;
use crate::syscall::Authority;
use crate::wire::{FieldError, Hex64, Label, messages};

/// The first line. The number is the format's version.
pub const HEADER: &str = "ASSAY-PLAN1";

/// The most workers a case can have.
pub const MAX_WORKERS: u16 = 1024;

/// The most knots a sweep can have.
pub const MAX_KNOTS: usize = 8193;

messages! {
    /// A line of a plan.
    pub enum PlanLine;

    /// What the plan is for.
    Head = "plan" {
        /// The experiment's name.
        experiment: Label,
        /// How long the machine stays up after its last record, repeating its summary, before it powers off.
        linger_ms: u32,
    }

    /// The program that the workers run.
    Workload = "workload" {
        /// Its name: that of its ELF in the ramdisk.
        name: Label,
        /// SHA-256 of its ELF.
        sha256: Digest,
        /// The syscalls it may make.
        authority: Authority,
    }

    /// What the kernel is to do wrong, so that the gate can be seen to notice it.
    Control = "control" {
        /// What.
        kind: ControlKind,
        /// On which CPU, by its dense number, where that matters.
        target: u16,
    }

    /// One case.
    Case = "case" {
        /// How many workers, each on a CPU of its own.
        workers: u16,
        /// How many times to run it.
        iterations: u16,
        /// How long a worker may take, from the common start.
        timeout_ms: u32,
    }

    /// What one worker of the case before is given, and what it should answer.
    Split = "split" {
        /// Which worker, from 0.
        worker: u16,
        /// The first parameter; for `primes`, the first candidate.
        p0: u64,
        /// The second parameter; for `primes`, the end of the candidates, not itself one.
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

    /// Cases for whatever machine it is, instead of a list of them; the knots follow.
    Sweep = "sweep" {
        /// How many times to run every case.
        iterations: u16,
        /// How long a worker may take, from the common start.
        timeout_ms: u32,
        /// What the order of the cases in each iteration comes from.
        seed: Hex64,
        /// The third parameter of every worker.
        p2: u64,
        /// The fourth parameter of every worker.
        p3: u64,
        /// The expected answers of the workers of any case, summed up.
        answer: u64,
        /// Their expected work, summed up.
        work: u64,
        /// Their expected digests, summed up and wrapping.
        digest: Hex64,
    }

    /// Where a part of the whole begins or ends. Between any two after one another lies the same cost.
    Knot = "knot" {
        /// The value of the first and second parameters there.
        at: u64,
    }
}

/// A plan that was read through and found whole.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// What it is for.
    pub head: Head,
    /// The program.
    pub workload: Workload,
    /// What the kernel is to do wrong.
    pub control: Control,
    /// The text from the first case, or the sweep, on; every line of it has been parsed once.
    work: &'a str,
}

/// Why a text is no plan: the line, from 1, and what was wrong with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PlanError {
    /// The line's number, from 1.
    pub line: u32,
    /// What is wrong.
    pub kind: PlanErrorKind,
}

/// What is wrong with a line of a plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PlanErrorKind {
    /// The text is not UTF-8, or does not begin with [`HEADER`], or does not end in a line feed.
    NotAPlan,
    /// The line is no message.
    Line(FieldError),
    /// The line is a message, but not one that can stand here.
    OutOfPlace,
    /// A case has no workers, more than [`MAX_WORKERS`], as many as an earlier one, no iterations or no time.
    BadCase,
    /// A split's number is not the next, or a case has fewer or more splits than workers.
    BadSplit,
    /// There is no case.
    NoCase,
    /// A sweep has no iterations or no time, fewer than two knots, or more than [`MAX_KNOTS`], or knots that descend.
    BadSweep,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plan line {}: ", self.line)?;
        match self.kind {
            PlanErrorKind::NotAPlan => write!(f, "expected {HEADER} and whole lines"),
            PlanErrorKind::Line(error) => error.fmt(f),
            PlanErrorKind::OutOfPlace => f.write_str("message out of place"),
            PlanErrorKind::BadCase => {
                f.write_str("workers repeated, or workers, iterations or timeout_ms out of range")
            }
            PlanErrorKind::BadSplit => f.write_str("splits must be numbered from 0, one for each worker"),
            PlanErrorKind::NoCase => f.write_str("no case"),
            PlanErrorKind::BadSweep => write!(
                f,
                "a sweep needs iterations, timeout_ms, and after it 2 to {MAX_KNOTS} knots that do not descend"
            ),
        }
    }
}

/// Reads one line.
fn parse_line(line: &str) -> Result<PlanLine, FieldError> {
    let (name, fields) = line.split_at(line.find(' ').unwrap_or(line.len()));
    PlanLine::parse_fields(name, fields)
}

impl<'a> Plan<'a> {
    /// Reads a plan and checks all of it.
    ///
    /// # Errors
    /// The first line that is wrong.
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
        match work.split_once('\n').map(|(first, knots)| (parse_line(first), knots)) {
            Some((Ok(PlanLine::Sweep(sweep)), knots)) => check::sweep(&sweep, knots)?,
            _ => check::cases(work)?,
        }
        Ok(Self { head, workload, control, work })
    }

    /// The sweep and its knots, for a plan that has one; it has no cases.
    #[must_use]
    pub fn sweep(&self) -> Option<(Sweep, Knots<'a>)> {
        let (first, rest) = self.work.split_once('\n')?;
        let Ok(PlanLine::Sweep(sweep)) = parse_line(first) else { return None };
        Some((sweep, Knots { rest }))
    }

    /// The cases in their order, each with its splits; none for a plan with a sweep.
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

/// The knots of a sweep, in their order.
#[derive(Clone, Copy, Debug)]
pub struct Knots<'a> {
    rest: &'a str,
}

impl Iterator for Knots<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let (line, rest) = self.rest.split_once('\n')?;
        let Ok(PlanLine::Knot(knot)) = parse_line(line) else { return None };
        self.rest = rest;
        Some(knot.at)
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
